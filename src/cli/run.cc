// kiln run: a shell or a command in the tree of a build, or in what a failed step left.
#include <fmt/core.h>

#include "base/text.h"
#include "cli/session.h"

namespace kiln::cli {

namespace {

struct Place {
  engine::Tree tree;
  std::optional<fs::path> failed;
  std::string where;
};

/// The step that failed last, else the end of the first build, else the step that -step names.
Result<Place> find_place(const plan::Plan& plan, store::Store& store, const std::string& glob) {
  if (plan.builds.empty()) return error(Errc::usage, "the template has no build");
  std::optional<plan::StepId> last;
  for (const plan::StepId id : plan.builds.front().steps) {
    const plan::Step& step = plan.steps[id];
    if (!engine::makes_layer(step)) continue;
    if (glob.empty()) {
      auto failed = TRY(steps::failed_upper(store, step.key));
      auto before = TRY(engine::tree_before(plan, id, store));
      if (failed && before && !TRY(store.find_result(step.key))) {
        return Place{std::move(*before), std::move(failed), "the failed step '" + step.label + "'"};
      }
    } else if (!glob_match(glob, step.label)) {
      continue;
    }
    last = id;
    if (!glob.empty()) break;
  }
  if (!last) return error(Errc::usage, "no step matches '{}'; kiln plan lists them", glob);
  auto tree = TRY(engine::tree_after(plan, *last, store));
  if (!tree) return error(Errc::not_found, "'{}' was not built yet; run kiln build first", plan.steps[*last].label);
  return Place{std::move(*tree), {}, "the tree after '" + plan.steps[*last].label + "'"};
}

}  // namespace

Result<int> run_inside(const Args& args, const Environment& environment, const Cancel& cancel) {
  auto planned = TRY(plan_template(args, environment, cancel));
  if (!planned) return kFailed;
  auto& [from, store, settings, plan] = *planned;
  const Place place = TRY(find_place(plan, store, args.step));
  if (environment.stdout_is_terminal) fmt::print("In {}; changes are thrown away.\n", place.where);
  std::fflush(stdout);
  return steps::enter(store, place.tree, place.failed, settings, args.rest, cancel);
}

}  // namespace kiln::cli
