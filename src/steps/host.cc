// Host steps: shell-local, breakpoint, sleep. They run on this machine, in order, and are never cached.
#include <unistd.h>
#include <algorithm>

#include "base/process.h"
#include "base/text.h"
#include "steps/job.h"

namespace kiln::steps {

namespace {

Result<> run_command(const Job& job, const plan::HostStep& what) {
  const TempDir dir = TRY(TempDir::create(fs::temp_directory_path(), "kiln-shell-local"));
  const fs::path script = dir.path() / "script.sh";
  ProcessSpec spec{.argv = what.argv, .env = job.context.settings.environment, .cwd = job.context.settings.cwd};
  for (const plan::EnvVar& var : what.env) spec.env[var.name] = var.value;
  spec.env["PACKER_RUN_UUID"] = job.context.settings.run_id;
  spec.timeout = what.timeout;
  if (!what.script.empty()) TRY(write_file_quick(script, what.script, 0755));
  for (std::string& word : spec.argv) {
    word = replace_all(std::move(word), "\x01script\x01", script.native());
  }
  const ProcessResult ran = TRY(run_process(spec, job.cancel, [&](std::string_view l, bool e) { job.line(l, e); }));
  if (ran.timed_out) return error(Errc::step_failed, "shell-local did not end within its timeout");
  const auto& valid = what.valid_exit_codes;
  if (std::find(valid.begin(), valid.end(), ran.exit_code) == valid.end()) {
    return error(Errc::step_failed, "shell-local ended with exit status {}", ran.exit_code);
  }
  return {};
}

/// Waits for Enter on the terminal; without one there is nobody to wait for.
Result<> breakpoint(const Job& job, const plan::HostStep& what) {
  job.line(what.note.empty() ? "breakpoint" : "breakpoint: " + what.note);
  if (::isatty(STDIN_FILENO) == 0) {
    job.warn("standard input is not a terminal: the breakpoint does not wait");
    return {};
  }
  job.line("press Enter to go on");
  char c = 0;
  while (::read(STDIN_FILENO, &c, 1) == 1 && c != '\n') {
  }
  return job.cancel.check();
}

}  // namespace

Result<engine::Outcome> run_host(const Job& job, const plan::HostStep& what) {
  for (std::uint32_t attempt = 0;; ++attempt) {
    Result<> done = what.type == "breakpoint" ? breakpoint(job, what)
                    : what.type == "sleep"    ? (job.cancel.sleep(what.duration) ? Result<>() : job.cancel.check())
                                              : run_command(job, what);
    if (done) return engine::Outcome{};
    if (attempt >= what.max_retries || done.error().code() != Errc::step_failed) return std::move(done).error();
    job.warn(done.error().text() + ": trying again");
  }
}

}  // namespace kiln::steps
