// The table from a kind of step to the function that runs it.
#include <unistd.h>

#include "base/file.h"
#include "steps/job.h"

namespace kiln::steps {

namespace {

/// Owners, devices and overlays need the machine's own root; said before the first of them fails with less of a reason.
Result<> check_root() {
  if (::geteuid() != 0) {
    return error(Errc::denied, "making a layer needs root for now: start kiln as root or with sudo");
  }
  auto map = read_file("/proc/self/uid_map");
  if (map && map->find(" 4294967295\n") == std::string::npos) {
    return error(Errc::denied,
                 "making a layer needs the machine's own root for now: start kiln outside of this user "
                 "namespace");
  }
  return {};
}

class Runner : public engine::StepRunner {
 public:
  Runner(store::Store& store, const plan::Plan& plan, const Settings& settings, event::EventSink& events)
      : context_{.store = store, .plan = plan, .settings = settings, .events = events} {}

  Result<engine::Outcome> run(const plan::Step& step, const engine::Tree& from, const Cancel& cancel) override {
    if (engine::makes_layer(step)) TRY(check_root());
    const Job job{context_, step, from, cancel};
    auto outcome = std::visit([&](const auto& what) { return run_one(job, what); }, step.what);
    if (outcome) remember(step, outcome->artifacts);
    return outcome;
  }

  Result<bool> accepts(const plan::Step& step, const engine::Tree& from, const store::StepResult& known) override {
    return accepts_boot(context_, step, from, known);
  }

  Result<std::optional<engine::Outcome>> current(const plan::Step& step, const engine::Tree& from) override {
    auto there = std::holds_alternative<plan::PackStep>(step.what) ? current_pack(context_, step, from)
                                                                   : current_post(context_, step, from);
    if (there && *there) remember(step, (*there)->artifacts);
    return there;
  }

  void clean_up(const plan::Step& step, const engine::Tree& from, const Cancel& cancel) override {
    const Job job{context_, step, from, cancel};
    for (const std::size_t build : step.builds) run_cleanup(job, context_.plan.builds[build].error_cleanup);
  }

 private:
  static Result<engine::Outcome> run_one(const Job& job, const plan::BaseStep& what) { return run_base(job, what); }
  static Result<engine::Outcome> run_one(const Job& job, const plan::RunStep& what) { return run_script(job, what); }
  static Result<engine::Outcome> run_one(const Job& job, const plan::CopyStep& what) { return run_copy(job, what); }
  static Result<engine::Outcome> run_one(const Job& job, const plan::FetchStep& what) { return run_fetch(job, what); }
  static Result<engine::Outcome> run_one(const Job& job, const plan::HostStep& what) { return run_host(job, what); }
  static Result<engine::Outcome> run_one(const Job& job, const plan::BootStep& what) { return run_boot(job, what); }
  static Result<engine::Outcome> run_one(const Job& job, const plan::PackStep& what) { return run_pack(job, what); }
  static Result<engine::Outcome> run_one(const Job& job, const plan::PostStep& what) { return run_post(job, what); }

  void remember(const plan::Step& step, const std::vector<event::Artifact>& artifacts) {
    const std::lock_guard lock(context_.mutex);
    context_.artifacts[step.id] = artifacts;
  }

  Context context_;
};

}  // namespace

std::unique_ptr<engine::StepRunner> make_runner(store::Store& store, const plan::Plan& plan, const Settings& settings,
                                                event::EventSink& events) {
  return std::make_unique<Runner>(store, plan, settings, events);
}

}  // namespace kiln::steps
