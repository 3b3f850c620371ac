// Cases as data: tests/spec/NAME.pkr.hcl (or a folder NAME, or legacy-NAME.json) is loaded with the flags of
// NAME.flags, and what comes out must be NAME.expect. KILN_ACCEPT=1 rewrites the expectations.
#include <gtest/gtest.h>

#include "base/file.h"
#include "base/text.h"
#include "template/console.h"
#include "template/template.h"

namespace kiln::tmpl {
namespace {

const fs::path kSpec = fs::path(KILN_SOURCE_DIR) / "tests/spec";

std::vector<std::string> case_names() {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(kSpec)) {
    const std::string name = entry.path().filename();
    const bool legacy = name.starts_with("legacy-") && name.ends_with(".json");
    if (entry.is_directory() || name.ends_with(".pkr.hcl") || name.ends_with(".pkr.json") || legacy)
      names.push_back(name);
  }
  std::sort(names.begin(), names.end());
  return names;
}

std::string stem(const std::string& name) {
  return name.substr(0, name.find('.'));
}

void read_flags(const fs::path& file, LoadOptions& options, World& world) {
  const auto text = read_file(file);
  if (!text) return;
  for (const std::string& line : split(*text, '\n')) {
    const std::size_t first = line.find('=');
    const std::string flag = line.substr(0, first);
    const std::string value = first == std::string::npos ? "" : line.substr(first + 1);
    const std::size_t second = value.find('=');
    if (flag == "-var") options.vars.emplace_back(value.substr(0, second), value.substr(second + 1));
    if (flag == "-var-file") options.var_files.emplace_back(value);
    if (flag == "-only") options.only.push_back(value);
    if (flag == "-except") options.except.push_back(value);
    if (flag == "-warn-on-undeclared-var") options.warn_on_undeclared = true;
    if (flag == "-no-builds") options.needs_builds = false;
    if (flag == "env") world.env[value.substr(0, second)] = value.substr(second + 1);
  }
}

std::string indented(const std::string& text, const std::string& pad) {
  return pad + replace_all(text, "\n", "\n" + pad) + "\n";
}

std::string dump(const Body& body, const std::string& pad) {
  std::string out;
  for (const auto& [name, option] : body.options) out += indented(name + " = " + console_text(option.value), pad);
  for (const auto& [type, blocks] : body.blocks) {
    for (const NestedBlock& block : blocks) {
      std::string labels;
      for (const std::string& label : block.labels) labels += fmt::format(" {}", go_quoted(label));
      out += fmt::format("{}{}{}:\n{}", pad, type, labels, dump(*block.body, pad + "  "));
    }
  }
  return out;
}

std::string dump(const std::string& title, const Component& component, const std::string& pad) {
  Diagnostics diagnostics;
  const auto body = component.decode(diagnostics);
  const std::string name = component.name.empty() ? "" : " " + go_quoted(component.name);
  return pad + title + " " + component.type + name + "\n" + (body ? dump(*body, pad + "  ") : pad + "  (broken)\n");
}

std::string dump(const Provisioner& p, const char* title) {
  std::string out = dump(title, p, "  ");
  if (p.pause_before) out += fmt::format("    (pause_before {} ms)\n", p.pause_before->count());
  if (p.timeout) out += fmt::format("    (timeout {} ms)\n", p.timeout->count());
  if (p.max_retries > 0) out += fmt::format("    (max_retries {})\n", p.max_retries);
  return out;
}

std::string dump(const Template& t) {
  std::string out;
  for (const VariableInfo& v : t.variables)
    out += fmt::format("variable {} ({}{}) = {}\n", v.name, v.type, v.sensitive ? ", sensitive" : "",
                       console_text(v.value));
  for (const Build& b : t.builds) {
    out += fmt::format("build {}\n", b.name) + dump("builder", b.builder, "  ");
    for (const Provisioner& p : b.provisioners) out += dump(p, "provisioner");
    if (b.error_cleanup) out += dump(*b.error_cleanup, "error-cleanup");
    for (const auto& chain : b.post_processors) {
      const char* title = "post-processor";
      for (const PostProcessor& p : chain) {
        out += dump(title, p, "  ");
        if (p.keep_input_artifact) out += fmt::format("    (keep_input_artifact {})\n", *p.keep_input_artifact);
        title = "then";
      }
    }
  }
  for (const std::string& secret : t.secrets) out += "secret " + secret + "\n";
  return out;
}

class SpecTest : public testing::TestWithParam<std::string> {};

TEST_P(SpecTest, LoadsAsExpected) {
  fs::current_path(kSpec);
  LoadOptions options{.path = GetParam()};
  World world{
      .read_file = [](const fs::path& p) { return read_file(p); }, .env = {}, .cwd = "/cwd", .now = 1'700'000'000};
  const std::string name = stem(GetParam());
  read_flags(name + ".flags", options, world);
  const Loaded loaded = load(options, world);
  std::string text;
  for (const Diagnostic& d : loaded.diagnostics) text += render(d, loaded.sources);
  if (loaded.result) text += dump(*loaded.result);
  const fs::path expect = name + ".expect";
  if (std::getenv("KILN_ACCEPT") != nullptr) {
    ASSERT_TRUE(write_file_quick(expect, text));
    GTEST_SKIP() << "rewritten";
  }
  const auto wanted = read_file(expect);
  EXPECT_EQ(text, wanted ? *wanted : "(no " + expect.native() + ")");
}

INSTANTIATE_TEST_SUITE_P(Spec, SpecTest, testing::ValuesIn(case_names()), [](const auto& test) {
  std::string name = stem(test.param);
  for (char& c : name) c = c == '-' || c == '.' ? '_' : c;
  return name;
});

}  // namespace
}  // namespace kiln::tmpl
