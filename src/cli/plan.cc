// kiln plan: the graph of steps, what is cached, and why a step will run.
#include <fmt/core.h>

#include <algorithm>

#include "base/text.h"
#include "cli/session.h"
#include "event/sinks.h"

namespace kiln::cli {

namespace {

class Silence : public event::EventSink {
 public:
  void on(const event::Event& /*event*/) noexcept override {}
};

std::string_view word(const engine::Forecast& f) {
  return f.cached ? "cached" : f.may_stop ? "maybe" : "run";
}

Json as_json(const plan::Plan& plan, const std::vector<engine::Forecast>& forecasts) {
  Json steps = Json::array();
  for (const plan::Step& s : plan.steps) {
    Json builds = Json::array();
    for (const std::size_t b : s.builds) builds.push_back(plan.builds[b].name);
    steps.push_back({{"id", s.id},
                     {"kind", s.kind},
                     {"label", s.label},
                     {"parents", s.parents},
                     {"builds", builds},
                     {"key", s.key.text()},
                     {"state", word(forecasts[s.id])},
                     {"why", forecasts[s.id].why}});
  }
  return {{"template", plan.template_path.native()}, {"steps", steps}};
}

/// One row a step, under the build that first needs it; shared steps say for whom they are.
void print_table(const plan::Plan& plan, const std::vector<engine::Forecast>& forecasts) {
  std::vector<bool> shown(plan.steps.size());
  for (std::size_t b = 0; b < plan.builds.size(); ++b) {
    const plan::BuildPlan& build = plan.builds[b];
    fmt::print("{}\n", build.name);
    for (const plan::StepId id : build.steps) {
      const plan::Step& s = plan.steps[id];
      const engine::Forecast& f = forecasts[id];
      if (shown[id]) {
        fmt::print("  {:<7} {}  (shared, above)\n", word(f), visible(s.label));
        continue;
      }
      shown[id] = true;
      fmt::print("  {:<7} {}\n", word(f), visible(s.label));
      if (!f.cached && !f.why.empty()) fmt::print("          {}\n", visible(f.why));
    }
  }
  const auto cached = std::count_if(forecasts.begin(), forecasts.end(), [](const auto& f) { return f.cached; });
  fmt::print("{} steps, {} cached, {} to look at\n", forecasts.size(), cached,
             static_cast<std::ptrdiff_t>(forecasts.size()) - cached);
}

}  // namespace

Result<int> show_plan(const Args& args, const Environment& environment, const Cancel& cancel) {
  auto planned = TRY(plan_template(args, environment, cancel));
  if (!planned) return kFailed;
  auto& [from, store, settings, plan] = *planned;
  Silence silence;
  const auto runner = steps::make_runner(store, plan, settings, silence);
  const auto forecasts = TRY(engine::forecast(plan, store, *runner, engine_options(args, settings)));
  if (args.json) {
    fmt::print("{}\n", render_json_pretty(as_json(plan, forecasts)));
  } else {
    print_table(plan, forecasts);
  }
  TRY(store.flush());
  return kOk;
}

}  // namespace kiln::cli
