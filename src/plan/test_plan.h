// For the plan's tests: a plan made of a template's text, with a world of fakes, and the graph as text.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/text.h"
#include "plan/plan.h"

namespace kiln::plan {

/// A world in which every base floats to the same pin and every file exists with a digest of its name.
inline Surroundings test_world() {
  Surroundings world;
  world.file_digest = [](const fs::path& path) -> Result<Digest> { return sha256(path.native()); };
  world.pin_base = [](const BaseRef& ref, const std::string&) -> Result<Json> { return Json{{"pin", ref.location}}; };
  world.seal = [](std::string_view value) { return "seal of " + sha256(value).brief(); };
  world.cwd = "/project";
  world.output_dir = "/project/out";
  world.disk_formats = {{"raw", ".raw"}, {"qcow2", ".qcow2"}, {"gce", ".tar.gz"}};
  return world;
}

struct Planned {
  std::optional<Plan> plan;
  std::string problems;  // summaries and details of diagnostics, one a line
};

inline Planned plan_of(const std::string& text, const Surroundings& surroundings = test_world()) {
  Planned planned;
  tmpl::World world;
  world.cwd = surroundings.cwd;
  world.read_file = [&](const fs::path&) -> Result<std::string> { return text; };
  tmpl::Loaded loaded = tmpl::load({.path = "t.pkr.hcl"}, world);
  tmpl::Diagnostics diagnostics = loaded.diagnostics;
  if (loaded.result) planned.plan = make_plan(*loaded.result, surroundings, diagnostics);
  for (const tmpl::Diagnostic& d : diagnostics) planned.problems += d.summary + ": " + d.detail + "\n";
  return planned;
}

/// One line a step: "2 boot boot layer <- 1 [amazon-ebs.a]".
inline std::string graph_of(const Plan& plan) {
  std::string text;
  for (const Step& step : plan.steps) {
    std::vector<std::string> builds;
    for (const std::size_t b : step.builds) builds.push_back(plan.builds[b].name);
    text += fmt::format("{} {} {}", step.id, step.kind, step.label);
    for (const StepId parent : step.parents) text += fmt::format(" <- {}", parent);
    text += fmt::format(" [{}]\n", join(builds, " "));
  }
  return text;
}

template <class T>
const T& step_in(const Plan& plan, const std::string& build) {
  for (const BuildPlan& b : plan.builds) {
    if (b.name != build) continue;
    for (const StepId id : b.steps) {
      if (const auto* what = std::get_if<T>(&plan.steps[id].what)) return *what;
    }
  }
  throw std::runtime_error("no such step in " + build);
}

}  // namespace kiln::plan
