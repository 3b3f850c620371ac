#include "plan/test_graph.h"

namespace kiln::plan {
namespace {

using testing::HasSubstr;

TEST_F(PlanTest, StepsStandInTheOrderOfTheTemplate) {
  file("a.sh", "true\n");
  EXPECT_EQ(graph(docker({"x"}, R"(
  provisioner "shell" { script = "a.sh" }
  provisioner "file" {
    content     = "hello"
    destination = "/etc/hello"
  }
  post-processor "manifest" {})")),
            "0 base debian:12 x\n"
            "1 run shell: a.sh <0 x\n"
            "2 copy file: content to /etc/hello <1 x\n"
            "3 pack x-docker.tar <2 x\n"
            "4 post-process manifest <3 x\n");
}

TEST_F(PlanTest, EqualPrefixesAreOneUntilTheyDiffer) {
  EXPECT_EQ(graph(docker({"x", "y"}, shell("same") + R"(
  provisioner "shell" {
    only   = ["docker.y"]
    inline = ["y alone"]
  })" + shell("last"))),
            "0 base debian:12 x y\n"
            "1 run shell: inline <0 x y\n"
            "2 run shell: inline <1 x\n"
            "3 pack x-docker.tar <2 x\n"
            "4 run shell: inline <1 y\n"
            "5 run shell: inline <4 y\n"
            "6 pack y-docker.tar <5 y\n");
}

TEST_F(PlanTest, OnlyAndExceptLeaveBuildsOutBeforeAnythingIsPinned) {
  only = {"docker.y"};
  EXPECT_EQ(graph(docker({"x", "y"}, "")), "0 base debian:12 y\n1 pack y-docker.tar <0 y\n");
  EXPECT_EQ(pinned.size(), 1U);
  only.clear();
  except = {"docker.*"};
  EXPECT_THAT(graph(docker({"x", "y"}, "")), HasSubstr("No builds to run"));
}

TEST_F(PlanTest, ExceptOfAProvisionerSplitsTheBuilds) {
  EXPECT_EQ(graph(docker({"x", "y"}, R"(
  provisioner "shell" {
    except = ["docker.x"]
    inline = ["not x"]
  })")),
            "0 base debian:12 x y\n"
            "1 pack x-docker.tar <0 x\n"
            "2 run shell: inline <0 y\n"
            "3 pack y-docker.tar <2 y\n");
}

TEST_F(PlanTest, WhatAHostStepMayWriteIsReadLate) {
  file("a.sh", "true\n");
  const std::string script = "  provisioner \"shell\" { script = \"a.sh\" }\n";
  const auto plan = make(
      docker({"x"}, script + "  provisioner \"shell-local\" { inline = [\"true\"] }\n" + script + shell("true") + R"(
  provisioner "file" {
    source      = "not-there-yet"
    destination = "/x"
    generated   = true
  })"));
  ASSERT_TRUE(plan) << problems();
  std::string late;
  for (const Step& step : plan->steps) late += step.late ? 'L' : step.follows_late ? 'f' : '-';
  EXPECT_EQ(late, "---LfLf") << "base, script, host step, script, inline, upload, pack";
}

TEST_F(PlanTest, BuildHasTheValuesThatAreKnownWithoutAMachine) {
  world.run_id = "the-run";
  const auto plan =
      make(docker({"x"}, shell("${build.ID} ${build.ConnType} ${build.PackerRunUUID} ${build.Password}.")));
  ASSERT_TRUE(plan) << problems();
  EXPECT_THAT(std::get<RunStep>(plan->steps[1].what).script, HasSubstr("\nx docker the-run .\n"));
  EXPECT_FALSE(make(docker({"x"}, shell("${build.SourceAMI}"))));
  EXPECT_THAT(problems(), HasSubstr("Value not known without a machine"));
}

TEST_F(PlanTest, AnErrorCleanupProvisionerIsNoPartOfTheGraph) {
  const std::string body = "  error-cleanup-provisioner \"shell\" { inline = [\"true\"] }\n";
  const auto plan = make(docker({"x"}, body));
  ASSERT_TRUE(plan) << problems();
  EXPECT_EQ(plan->steps.size(), 2U);
  EXPECT_EQ(plan->builds[0].error_cleanup.size(), 1U);
  EXPECT_FALSE(make(docker({"x"}, R"(
  error-cleanup-provisioner "file" {
    content     = "x"
    destination = "/x"
  })")));
  EXPECT_THAT(problems(), HasSubstr("An upload cannot clean up"));
}

TEST_F(PlanTest, AFileIsWrittenBeforeItsProvisionersRun) {
  EXPECT_EQ(graph(R"(
source "file" "f" {
  content = "x"
  target  = "o"
}
build {
  sources = ["file.f"]
  provisioner "shell-local" { inline = ["true"] }
  post-processor "manifest" {}
})"),
            "0 pack o f\n"
            "1 host shell-local after 0 f\n"
            "2 post-process manifest <0 after 0 after 1 f\n");
}

TEST_F(PlanTest, HostStepsAreWaitedForAndChangeNoTree) {
  EXPECT_EQ(graph(docker({"x"}, "  provisioner \"shell-local\" {\n    inline = [\"make\"]\n  }\n" + shell("install"))),
            "0 base debian:12 x\n"
            "1 host shell-local <0 x\n"
            "2 run shell: inline <0 after 1 x\n"
            "3 pack x-docker.tar <2 after 1 x\n");
}

TEST_F(PlanTest, ChainsOfPostProcessorsEachStartAtTheImage) {
  EXPECT_EQ(graph(docker({"x"}, R"(
  post-processors {
    post-processor "docker-tag" { repository = "r" }
    post-processor "manifest" {}
  }
  post-processor "checksum" {})")),
            "0 base debian:12 x\n"
            "1 pack x-docker.tar <0 x\n"
            "2 post-process docker-tag <1 x\n"
            "3 post-process manifest <2 x\n"
            "4 post-process checksum <1 after 3 x\n");
}

/// The environment of the last shell step of each build.
std::vector<std::string> names_given(const Plan& plan) {
  std::vector<std::string> all;
  for (const Step& step : plan.steps) {
    const auto* run = std::get_if<RunStep>(&step.what);
    if (run == nullptr) continue;
    std::string names;
    for (const EnvVar& var : run->env) names += var.name + "=" + var.value + " ";
    all.push_back(names);
  }
  return all;
}

TEST_F(PlanTest, TheBuildsNameIsGivenOnlyToScriptsThatMentionIt) {
  const auto plan = make(docker({"x", "y"}, shell("plain") + shell("echo $PACKER_BUILD_NAME")));
  ASSERT_TRUE(plan) << problems();
  EXPECT_THAT(names_given(*plan), testing::ElementsAre("", "PACKER_BUILDER_TYPE=docker PACKER_BUILD_NAME=x ",
                                                       "PACKER_BUILDER_TYPE=docker PACKER_BUILD_NAME=y "));
}

TEST_F(PlanTest, AnUploadedFileThatMentionsTheBuildOpensItToLaterScripts) {
  file("lib/helper.sh", "echo $PACKER_BUILDER_TYPE\n");
  const auto plan = make(docker({"x"}, shell("before") + R"(
  provisioner "file" {
    source      = "lib"
    destination = "/tmp"
  })" + shell("sh /tmp/lib/helper.sh")));
  ASSERT_TRUE(plan) << problems();
  EXPECT_THAT(names_given(*plan), testing::ElementsAre("", "PACKER_BUILDER_TYPE=docker PACKER_BUILD_NAME=x "));
}

TEST_F(PlanTest, TwoBuildsThatWriteOneFileAreRefused) {
  EXPECT_THAT(graph(docker({"x"}, "") + "build {\n  name = \"again\"\n  sources = [\"docker.x\"]\n}\n"),
              HasSubstr("Two builds write one file"));
}

TEST_F(PlanTest, EveryProblemIsReportedAtOnce) {
  const std::string all = graph(docker({"x"}, R"(
  provisioner "shel" { inline = ["a"] }
  provisioner "shell" { script = "missing.sh" }
  provisioner "shell" {
    inline           = ["a"]
    environment_vars = ["NO VALUE"]
  }
  provisioner "file" { destination = "/x" }
  post-processor "manifes" {})"));
  for (const char* part : {"Did you mean \"shell\"?", "missing.sh", "not in format 'key=value'",
                           "Exactly one of source, sources and content", "Did you mean \"manifest\"?"}) {
    EXPECT_THAT(all, HasSubstr(part));
  }
}

TEST_F(PlanTest, ABaseThatCannotBePinnedIsAProblemAtItsPlace) {
  world.pin_base = [](const BaseRef&, const std::string&) -> Result<Json> {
    return error(Errc::network, "resolving debian:12: connection refused");
  };
  EXPECT_THAT(graph(docker({"x"}, "")), HasSubstr("Cannot use this base: resolving debian:12: connection refused."));
  ASSERT_TRUE(diagnostics.back().subject);
  EXPECT_EQ(diagnostics.back().subject->start.line, 2U);
}

TEST_F(PlanTest, ABaseIsPinnedUnderItsHashWhichASecretSeals) {
  std::string fingerprint;
  world.pin_base = [&](const BaseRef&, const std::string& hash) -> Result<Json> {
    fingerprint = hash;
    return Json::object();
  };
  graph(docker({"x"}, ""));
  EXPECT_EQ(fingerprint.size(), 64U);
  graph(
      "variable \"tag\" {\n  default = \"hush-hush\"\n  sensitive = true\n}\n"
      "source \"docker\" \"x\" {\n  image = \"debian:${var.tag}\"\n  commit = true\n}\n"
      "build { sources = [\"source.docker.x\"] }\n");
  EXPECT_THAT(fingerprint, testing::StartsWith("sealed:")) << problems();
}

TEST_F(PlanTest, CheckingAsksNothingOfTheWorld) {
  const std::string text = docker({"x"}, shell("true"));
  const tmpl::World reads{
      .read_file = [&](const fs::path&) { return Result<std::string>(text); }, .env = {}, .cwd = "/"};
  const tmpl::Loaded loaded = tmpl::load({.path = "t.pkr.hcl"}, reads);
  ASSERT_TRUE(loaded.result);
  check(*loaded.result, world, diagnostics);
  EXPECT_TRUE(diagnostics.empty()) << problems();
  EXPECT_TRUE(pinned.empty());
}

}  // namespace
}  // namespace kiln::plan
