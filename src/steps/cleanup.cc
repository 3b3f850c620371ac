// The error-cleanup-provisioner: runs in what a failed provisioner left, to save its logs or to tell somebody.
#include "steps/job.h"

namespace kiln::steps {

namespace {

/// One part after the other, each on top of what the one before changed.
class Cleanup {
 public:
  Cleanup(const Job& job, std::vector<fs::path> over) : job_(job), over_(std::move(over)) {}

  Result<> run(const plan::What& what) {
    if (const auto* host = std::get_if<plan::HostStep>(&what)) TRY(run_host(job_, *host));
    if (const auto* fetch = std::get_if<plan::FetchStep>(&what)) TRY(run_fetch(job_, *fetch, over_));
    if (const auto* script = std::get_if<plan::RunStep>(&what)) TRY(run_inside(*script));
    return {};
  }

 private:
  Result<> run_inside(const plan::RunStep& planned) {
    const plan::RunStep what = TRY(with_script(planned));
    scratches_.push_back(TRY(job_.context.store.scratch("error-cleanup")));
    const fs::path scratch = scratches_.back().path();
    sandbox::RunSpec spec = TRY(sandbox_spec(job_.context, job_.from, scratch));
    spec.lowers.insert(spec.lowers.end(), over_.begin(), over_.end());
    spec.on_line = [this](std::string_view text, bool is_stderr) { job_.line(text, is_stderr); };
    fill_script(job_, what, spec);
    const sandbox::RunResult ran = TRY(sandbox::run(spec, job_.cancel));
    over_.push_back(scratch / "upper");
    if (ran.exit_code != 0) return error(Errc::step_failed, "it ended with exit status {}", ran.exit_code);
    return {};
  }

  const Job& job_;
  std::vector<fs::path> over_;
  std::vector<store::Scratch> scratches_;
};

}  // namespace

void run_cleanup(const Job& job, const std::vector<plan::What>& parts) {
  if (parts.empty() || job.cancel.cancelled()) return;
  job.line("running the error-cleanup-provisioner");
  const auto failed = failed_upper(job.context.store, job.step.key);
  Cleanup cleanup(job, failed && *failed ? std::vector<fs::path>{**failed} : std::vector<fs::path>());
  for (const plan::What& what : parts) {
    if (auto done = cleanup.run(what); !done) return job.warn("error-cleanup-provisioner: " + done.error().text());
  }
}

}  // namespace kiln::steps
