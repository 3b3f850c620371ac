// Garbage made of the cases in tests/spec by small, seeded changes: whatever comes in, load() answers and never hangs.
#include <gtest/gtest.h>

#include <random>

#include "base/file.h"
#include "template/template.h"

namespace kiln::tmpl {
namespace {

constexpr int kChangesPerCase = 60;

std::vector<std::string> corpus() {
  std::vector<fs::path> paths;
  for (const auto& entry : fs::directory_iterator(fs::path(KILN_SOURCE_DIR) / "tests/spec")) {
    if (entry.path().native().ends_with(".pkr.hcl") || entry.path().native().ends_with(".pkr.json"))
      paths.push_back(entry.path());
  }
  std::sort(paths.begin(), paths.end());
  std::vector<std::string> texts;
  texts.reserve(paths.size());
  for (const fs::path& path : paths) texts.push_back(*read_file(path));
  return texts;
}

class Mutator {
 public:
  explicit Mutator(std::vector<std::string> texts) : texts_(std::move(texts)) {}
  std::string operator()(std::string text) {
    for (std::size_t n = below(4) + 1; n > 0; --n) change(text);
    return text;
  }

 private:
  std::size_t below(std::size_t limit) { return limit == 0 ? 0 : random_() % limit; }
  void change(std::string& text) {
    static const std::vector<std::string> kTokens = {"\"",
                                                     "${",
                                                     "%{",
                                                     "}",
                                                     "{",
                                                     "[",
                                                     "]",
                                                     "(",
                                                     ")",
                                                     "<<EOT\n",
                                                     "<<-X\n",
                                                     "EOT",
                                                     "\n",
                                                     "=",
                                                     "=>",
                                                     "...",
                                                     "*",
                                                     ".",
                                                     "~}",
                                                     "for ",
                                                     " in ",
                                                     "if",
                                                     "%{ endif }",
                                                     "%{ for x in y }",
                                                     "dynamic \"x\" {",
                                                     "\\",
                                                     "\xff",
                                                     "\xC3",
                                                     "\xE2\x80\xAE",
                                                     "null",
                                                     "?",
                                                     ":",
                                                     "#",
                                                     "/*",
                                                     "1e999",
                                                     "local.a",
                                                     "var.",
                                                     "-",
                                                     "!",
                                                     "::",
                                                     std::string(1, '\0'),
                                                     "e\xCC\x81",
                                                     "[*]",
                                                     ".*",
                                                     ".0",
                                                     "99999999999999999999"};
    const std::size_t at = below(text.size() + 1);
    switch (below(5)) {
      case 0:
        text.erase(at, below(20));
        break;
      case 1:
        text.insert(at, kTokens[below(kTokens.size())]);
        break;
      case 2:
        text.insert(at, text.substr(below(text.size() + 1), below(80)));
        break;
      case 3: {
        const std::string& other = texts_[below(texts_.size())];
        text = text.substr(0, at) + other.substr(below(other.size() + 1), 400);
        break;
      }
      default:
        if (at < text.size()) text[at] = static_cast<char>(below(256));
    }
  }
  std::vector<std::string> texts_;
  std::mt19937 random_{20'261'122};
};

TEST(FuzzTest, LoadAnswersWhateverComes) {
  const std::vector<std::string> texts = corpus();
  Mutator mutate(texts);
  std::size_t good = 0;
  for (const std::string& text : texts) {
    for (int i = 0; i < kChangesPerCase; ++i) {
      const std::string garbage = mutate(text);
      const World world{
          .read_file = [&](const fs::path&) { return Result<std::string>(garbage); }, .env = {}, .cwd = "/"};
      const Loaded loaded =
          load({.path = text.starts_with('{') ? "g.pkr.json" : "g.pkr.hcl", .needs_builds = false}, world);
      EXPECT_EQ(loaded.result.has_value(), !has_errors(loaded.diagnostics));
      for (const Diagnostic& d : loaded.diagnostics) EXPECT_FALSE(render(d, loaded.sources).empty());
      if (loaded.result) ++good;
    }
  }
  EXPECT_GT(good, 0U);
}

}  // namespace
}  // namespace kiln::tmpl
