// Options of provisioners as Packer has them: what reaches the step.
#include "plan/shell.h"
#include "plan/test_graph.h"

namespace kiln::plan {
namespace {

using testing::HasSubstr;

class OptionsTest : public PlanTest {
 protected:
  /// The step that a provisioner of a docker source becomes.
  What step(const std::string& provisioner) {
    const auto plan = make(docker({"x"}, provisioner));
    if (!plan || plan->steps.size() < 2) return BaseStep{};
    return plan->steps[1].what;
  }
};

TEST_F(OptionsTest, EnvVarFormatIsForEveryVariableOfAShell) {
  const What what = step(R"(
  provisioner "shell" {
    inline           = ["true"]
    environment_vars = ["A=1", "B=it's"]
    env_var_format   = "set %s=%s;"
  })");
  const auto* run = std::get_if<RunStep>(&what);
  ASSERT_NE(run, nullptr) << problems();
  EXPECT_THAT(render_command(*run).text, HasSubstr("set A=1;set B=it'\"'\"'s; "));
}

TEST_F(OptionsTest, VariablesOfAFileAreExported) {
  const What what = step(R"(
  provisioner "shell" {
    inline           = ["true"]
    environment_vars = ["A=1"]
    use_env_var_file = true
  })");
  const auto* run = std::get_if<RunStep>(&what);
  ASSERT_NE(run, nullptr) << problems();
  EXPECT_EQ(render_command(*run).env_file, "export A='1'\n");
  EXPECT_EQ(render_command(*run).text, "chmod +x /tmp/script.sh; . /tmp/varfile && /tmp/script.sh");
}

TEST_F(OptionsTest, ExecuteCommandMayUseTheWholeEngine) {
  const What what = step(R"(
  provisioner "shell" {
    inline          = ["true"]
    execute_command = "{{if .Vars}}env {{.Vars}}{{end}}{{.Path | printf \"%q\"}}"
  })");
  const auto* run = std::get_if<RunStep>(&what);
  ASSERT_NE(run, nullptr) << problems();
  EXPECT_EQ(render_command(*run).text, "\"/tmp/script.sh\"");
}

TEST_F(OptionsTest, TheEngineSpeaksInStringsOfHcl) {
  const What what = step(R"(
  provisioner "shell" { inline = ["echo {{build_name}} {{.Left}} {{`{{`}}"] })");
  const auto* run = std::get_if<RunStep>(&what);
  ASSERT_NE(run, nullptr) << problems();
  EXPECT_THAT(run->script, HasSubstr("echo x {{.Left}} {{\n"));
}

TEST_F(OptionsTest, AnSbomIsBroughtOut) {
  const What what = step(R"(
  provisioner "hcp-sbom" {
    source      = "/tmp/sbom.json"
    destination = "/out/s.json"
  })");
  const auto* fetch = std::get_if<FetchStep>(&what);
  ASSERT_NE(fetch, nullptr) << problems();
  EXPECT_EQ(fetch->source, "/tmp/sbom.json");
  EXPECT_EQ(fetch->destination, "/out/s.json");
  EXPECT_THAT(graph(docker({"x"}, "provisioner \"hcp-sbom\" { auto_generate = true }")),
              HasSubstr("generates no SBOM"));
}

TEST_F(OptionsTest, WhatIsNotWaitedForIsStillChecked) {
  EXPECT_THAT(graph(docker({"x"}, R"(
  provisioner "shell" {
    inline      = ["true"]
    pause_after = "soon"
  })")),
              HasSubstr("must be a duration"));
}

}  // namespace
}  // namespace kiln::plan
