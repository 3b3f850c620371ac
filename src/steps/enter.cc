// kiln run: the same sandbox as a step's, with the caller's terminal; what changes is thrown away.
#include "event/sinks.h"
#include "steps/job.h"

namespace kiln::steps {

namespace {

class Silence : public event::EventSink {
 public:
  void on(const event::Event& /*event*/) noexcept override {}
};

}  // namespace

Result<int> enter(store::Store& store, const engine::Tree& tree, const std::optional<fs::path>& failed,
                  const Settings& settings, const std::vector<std::string>& argv, const Cancel& cancel) {
  Silence silence;
  const plan::Plan nothing;
  Context context{.store = store, .plan = nothing, .settings = settings, .events = silence};
  const store::Scratch scratch = TRY(store.scratch("run"));
  sandbox::RunSpec spec = TRY(sandbox_spec(context, tree, scratch.path()));
  if (failed) spec.lowers.push_back(*failed);
  if (const auto it = settings.environment.find("TERM"); it != settings.environment.end())
    spec.env["TERM"] = it->second;
  const std::string cwd = json_string(tree.base, "working_dir");
  spec.action = sandbox::Exec{argv.empty() ? std::vector<std::string>{"/bin/sh"} : argv, cwd.empty() ? "/" : cwd,
                              json_string(tree.base, "user")};
  return sandbox::shell(spec, cancel);
}

}  // namespace kiln::steps
