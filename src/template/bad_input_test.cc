// Templates that are broken, hostile or too large: each ends with a value or a diagnostic, and limits hold where they
// are said to be.
#include <gtest/gtest.h>

#include <random>

#include "base/file.h"
#include "template/evaluate.h"
#include "template/parser.h"
#include "template/test_world.h"

namespace kiln::tmpl {
namespace {

/// Loads a text as the only file there is, and renders what is said of it; whether there is a template.
bool loads(const std::string& name, const std::string& text) {
  const Loaded loaded = load({.path = name}, world_of(name, text));
  for (const Diagnostic& d : loaded.diagnostics) EXPECT_FALSE(render(d, loaded.sources).empty());
  EXPECT_TRUE(loaded.result || has_errors(loaded.diagnostics)) << text;
  return loaded.result.has_value();
}

/// The templates of the tree: name and text.
std::vector<std::pair<std::string, std::string>> templates_of_the_tree() {
  std::vector<std::pair<std::string, std::string>> out;
  const fs::path source = KILN_SOURCE_DIR;
  for (const fs::path& directory : {source / "tests/spec", source / "images/spark"}) {
    for (const auto& entry : fs::directory_iterator(directory)) {
      const std::string name = entry.path().filename();
      if (name.ends_with(".pkr.hcl") || name.ends_with(".json")) out.emplace_back(name, *read_file(entry.path()));
    }
  }
  return out;
}

TEST(BadInputTest, EveryPrefixOfATemplateEndsWithAnAnswer) {
  // KILN_EVERY_PREFIX=1: all of them; otherwise about 60 of each.
  const bool every = std::getenv("KILN_EVERY_PREFIX") != nullptr;
  std::size_t tried = 0;
  for (const auto& [name, text] : templates_of_the_tree()) {
    for (std::size_t n = 0; n < text.size(); n += every ? 1 : 1 + text.size() / 60, ++tried) {
      loads(name, text.substr(0, n));
    }
  }
  EXPECT_GT(tried, 1'000U);
}

constexpr std::string_view kWords[] = {"source \"null\" \"a\" {",
                                       "build {",
                                       "sources = [\"null.a\"]",
                                       "}",
                                       "\n",
                                       "locals {",
                                       "variable \"v\" {",
                                       "=",
                                       "dynamic \"x\" {",
                                       "for_each",
                                       "content {",
                                       "provisioner \"shell\" {",
                                       "inline",
                                       "[",
                                       "]",
                                       "(",
                                       ")",
                                       "${",
                                       "%{",
                                       "\"",
                                       "<<EOT\n",
                                       "EOT\n",
                                       "for k, v in",
                                       ":",
                                       "=>",
                                       "...",
                                       ".",
                                       "*",
                                       "[*]",
                                       "?",
                                       "&&",
                                       "!",
                                       "-",
                                       "1e999",
                                       "0.1",
                                       "null",
                                       "true",
                                       "upper(",
                                       "templatefile(",
                                       "try(",
                                       "var.v",
                                       "local.x",
                                       "each.value",
                                       "#",
                                       "/*",
                                       "*/",
                                       "//",
                                       "\\",
                                       "\\u00",
                                       "$${",
                                       "%%{",
                                       "{{",
                                       "}}",
                                       "user `a`",
                                       "\"builders\":",
                                       "{",
                                       ",",
                                       "\xC3",
                                       "\xE2\x80\xAE",
                                       "e\xCC\x81"};

std::string noise(std::mt19937& random) {
  std::string out;
  for (std::size_t n = random() % 60; n-- > 0;) {
    if (random() % 8 == 0) {
      out += static_cast<char>(random() % 256);
    } else {
      out += kWords[random() % std::size(kWords)];
      if (random() % 2 == 0) out += ' ';
    }
  }
  return out;
}

TEST(BadInputTest, NoiseEndsWithAnAnswer) {
  std::mt19937 random(20261126);
  for (int i = 0; i < 1'000; ++i) {
    const std::string text = noise(random);
    loads("t.pkr.hcl", text);
    loads("t.pkr.json", "{" + text);
    loads("t.json", "{" + text);
  }
}

/// Evaluates expressions; the first problem is kept.
class LimitTest : public testing::Test {
 protected:
  Value value(const std::string& text) {
    Diagnostics problems;
    const SourceFile file("test", text);
    Evaluation evaluation{.world = &world, .root = "/", .diagnostics = &problems, .spent = spent};
    const ExprPtr expr = parse_expression(file, problems);
    Value v = expr ? evaluate(*expr, scope, evaluation) : Value();
    problem = problems.empty() ? "" : problems[0].summary + ": " + problems[0].detail;
    return v;
  }
  bool works(const std::string& text) {
    value(text);
    return problem.empty();
  }
  /// Values that are there already, so that making them costs nothing.
  void numbers(const std::string& name, std::size_t n) {
    scope.set(name, Value::list(Type::number(), Value::Elements(n, Value::number(1))));
  }
  World world;
  Scope scope;
  std::shared_ptr<Spent> spent = std::make_shared<Spent>();
  std::string problem;
};

TEST_F(LimitTest, Strings) {
  const std::size_t half = kMaxString / 2;
  scope.set("half", Value::string(std::string(half, 'x')));
  scope.set("less", Value::string(std::string(half - 1, 'x')));
  for (const char* good : {"\"${half}${less}y\"", "join(\"\", [half, half])", "format(\"%s%s\", half, half)"})
    EXPECT_TRUE(works(good)) << good << ": " << problem;
  for (const char* bad : {"\"${half}${half}y\"", "join(\"y\", [half, half])", "format(\"%s%sy\", half, half)",
                          "<<EOT\n${half}${half}\nEOT\n", "base64encode(\"${half}${less}\")"})
    EXPECT_FALSE(works(bad)) << bad;
}

TEST_F(LimitTest, Collections) {
  numbers("most", kMaxWeight - 1);  // itself is the last one
  numbers("over", kMaxWeight);
  EXPECT_TRUE(works("reverse(most)")) << problem;
  EXPECT_FALSE(works("reverse(over)"));
  EXPECT_EQ(problem.substr(0, 15), "Value too large");
  numbers("part", 1'000);
  EXPECT_FALSE(works("setproduct(part, part)"));
  EXPECT_TRUE(works("range(1024)"));
  EXPECT_FALSE(works("range(1025)"));
}

TEST_F(LimitTest, Steps) {
  spent->steps = kMaxSteps - 3;
  EXPECT_TRUE(works("1 + 2")) << problem;
  spent->steps = kMaxSteps - 2;
  EXPECT_FALSE(works("1 + 2"));
  EXPECT_EQ(problem.substr(0, 25), "Evaluation takes too long");
}

TEST_F(LimitTest, Memory) {
  spent->bytes = kMaxBytes - sizeof(Value) - 3;
  EXPECT_TRUE(works("\"a${\"b\"}c\"")) << problem;
  spent->bytes = kMaxBytes - sizeof(Value) - 2;
  EXPECT_FALSE(works("\"a${\"b\"}c\""));
  EXPECT_EQ(problem.substr(0, 32), "Evaluation takes too much memory");
}

TEST_F(LimitTest, WorkOnLargeValuesCounts) {
  scope.set("big", Value::string(std::string(kMaxString, 'x')));
  scope.set("same", Value::string(std::string(kMaxString, 'x')));
  world.read_file = [](const fs::path&) { return Result<std::string>("${\"\"/*" + std::string(1 << 20, ' ') + "*/}"); };
  for (const char* call : {"length(regexall(\"y\", big))", "big == same", "sha256(big)", "templatefile(\"f\", {})",
                           "length([same, big])", "bcrypt(\"a\", 12)"}) {
    spent = std::make_shared<Spent>();
    value(call);
    EXPECT_GT(spent->steps, 10'000U) << call;
    spent->steps = kMaxSteps;
    EXPECT_FALSE(works(call)) << call;
  }
}

TEST_F(LimitTest, TheEndOfEvaluationIsToldWhereProblemsAreNot) {
  for (const char* quiet : {"can([1, 2, 3])", "try([1, 2, 3], 1)", "true ? 1 : [1, 2, 3]", "false && [1, 2][0] == 1"}) {
    spent->steps = kMaxSteps - 2;
    EXPECT_FALSE(works(quiet)) << quiet;
  }
}

/// A template in which dynamic blocks make so many blocks.
std::string blocks(const std::string& collection) {
  return "source \"null\" \"a\" {\n dynamic \"b\" {\n for_each = " + collection +
         "\n content {}\n }\n}\nbuild {\n sources = [\"null.a\"]\n}\n";
}

TEST(BadInputTest, DynamicBlocksAreLimited) {
  EXPECT_TRUE(loads("t.pkr.hcl", blocks("setproduct(range(100), range(100))")));
  EXPECT_FALSE(loads("t.pkr.hcl", blocks("concat([[0, 0]], setproduct(range(100), range(100)))")));
}

/// A template with so many locals, each of which takes more than a million steps to reckon: strings of 1 MB are looked
/// at.
std::string slow_locals(int count) {
  std::string text = "locals {\n  big = format(\"%1000000s\", \"x\")\n";
  for (int i = 0; i < count; ++i)
    text += fmt::format("  l{} = [for x in range(100) : startswith(local.big, \"y\")]\n", i);
  return text + "}\nsource \"null\" \"a\" {}\nbuild {\n sources = [\"null.a\"]\n}\n";
}

TEST(BadInputTest, AllExpressionsOfATemplateShareOneBudget) {
  EXPECT_TRUE(loads("t.pkr.hcl", slow_locals(6)));
  EXPECT_FALSE(loads("t.pkr.hcl", slow_locals(7)));
}

}  // namespace
}  // namespace kiln::tmpl
