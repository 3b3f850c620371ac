#include "engine/demand.h"

#include <algorithm>

namespace kiln::engine {

namespace {

/// The artifact steps (pack, post-process) that are current: a post-process only if what it works on is.
Result<> find_current(const plan::Plan& plan, Lookup& lookup, StepRunner& runner, Demand& demand) {
  for (const plan::Step& step : plan.steps) {
    if ((step.kind != "pack" && step.kind != "post-process") || !lookup.reusable(step)) continue;
    const auto stale = [&](plan::StepId id) { return !makes_layer(plan.steps[id]) && !demand.up_to_date[id]; };
    if (std::any_of(step.parents.begin(), step.parents.end(), stale)) continue;
    if (const auto tree = lookup.tree_below(step)) demand.up_to_date[step.id] = TRY(runner.current(step, *tree));
  }
  return {};
}

/// Layer steps that no artifact stands for (docker with discard, no pack at all): wanted unless their result is known.
bool ends_a_build(const plan::Plan& plan, const plan::Step& step) {
  return std::any_of(step.builds.begin(), step.builds.end(), [&](std::size_t b) {
    const plan::BuildPlan& build = plan.builds[b];
    return !build.pack && !build.steps.empty() && build.steps.back() == step.id;
  });
}

}  // namespace

Result<Demand> find_demand(const plan::Plan& plan, Lookup& lookup, StepRunner& runner) {
  Demand demand{std::vector<bool>(plan.steps.size()), std::vector<std::optional<Outcome>>(plan.steps.size())};
  for (const plan::Step& step : plan.steps) {
    if (makes_layer(step)) (void)TRY(lookup.known(step));
  }
  TRY(find_current(plan, lookup, runner, demand));
  for (auto step = plan.steps.rbegin(); step != plan.steps.rend(); ++step) {
    if (makes_layer(*step)) {
      if (ends_a_build(plan, *step) && !lookup.result(step->id)) demand.required[step->id] = true;
    } else if (!demand.up_to_date[step->id]) {
      demand.required[step->id] = true;
    }
    if (!demand.required[step->id]) continue;
    for (const plan::StepId parent : step->parents) {
      if (makes_layer(plan.steps[parent]) || !demand.up_to_date[parent]) demand.required[parent] = true;
    }
  }
  return demand;
}

}  // namespace kiln::engine
