// For tests of what becomes of a template: a fixture with real files, only and except, and the graph with its order.
#pragma once

#include "base/file.h"
#include "plan/test_plan.h"

namespace kiln::plan {

class PlanTest : public testing::Test {
 protected:
  PlanTest() {
    world.file_digest = [](const fs::path& path) -> Result<Digest> { return sha256(TRY(read_file(path))); };
    world.pin_base = [this](const BaseRef& ref, const std::string&) -> Result<Json> {
      pinned.push_back(ref.text);
      return Json{{"digest", "sha256:" + sha256(ref.text).hex()}};
    };
    world.cwd = dir.path();
  }

  void file(const std::string& name, const std::string& text) const {
    fs::create_directories((dir.path() / name).parent_path());
    ASSERT_TRUE(write_file(dir.path() / name, text, 0755));
  }

  /// The plan of a template; problems stay in diagnostics.
  std::optional<Plan> make(const std::string& text) {
    diagnostics.clear();
    const tmpl::World reads{
        .read_file = [&](const fs::path&) { return Result<std::string>(text); }, .env = {}, .cwd = dir.path()};
    tmpl::LoadOptions options{.path = "t.pkr.hcl"};
    options.only = only;
    options.except = except;
    tmpl::Loaded loaded = tmpl::load(options, reads);
    diagnostics = loaded.diagnostics;
    if (!loaded.result) return std::nullopt;
    return make_plan(*loaded.result, world, diagnostics);
  }

  /// Docker sources of the names given, all of one base, and a build of them with this body.
  static std::string docker(const std::vector<std::string>& names, const std::string& body) {
    std::string text, list;
    for (const std::string& name : names) {
      text += "source \"docker\" \"" + name + "\" {\n  image  = \"debian:12\"\n  commit = true\n}\n";
      list += "\"docker." + name + "\", ";
    }
    return text + "build {\n  sources = [" + list + "]\n" + body + "\n}\n";
  }
  static std::string shell(const std::string& line) {
    return "\n  provisioner \"shell\" {\n    inline = [\"" + line + "\"]\n  }\n";
  }

  /// One line a step: "2 run shell: inline <1 a b" is step 2 above step 1, for the builds a and b.
  std::string graph(const std::string& text) {
    const auto plan = make(text);
    if (!plan) return "no plan: " + problems();
    std::string lines;
    for (const Step& step : plan->steps) {
      lines += fmt::format("{} {} {}", step.id, step.kind, step.label);
      for (const StepId parent : step.parents) lines += fmt::format(" <{}", parent);
      for (const StepId before : step.after) lines += fmt::format(" after {}", before);
      for (const std::size_t build : step.builds) lines += " " + plan->builds[build].source_name;
      lines += '\n';
    }
    return lines;
  }

  std::string problems() const {
    std::string text;
    for (const tmpl::Diagnostic& d : diagnostics) text += d.summary + ": " + d.detail + "\n";
    return text;
  }

  TempDir dir = TempDir::create(testing::TempDir(), "plan").take();
  Surroundings world = test_world();
  std::vector<std::string> only, except, pinned;
  tmpl::Diagnostics diagnostics;
};

}  // namespace kiln::plan
