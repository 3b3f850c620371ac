// Run steps: a shell script in the sandbox, as Packer's shell provisioner runs it.
#include <algorithm>

#include "base/text.h"
#include "plan/shell.h"
#include "steps/job.h"

namespace kiln::steps {

namespace {

/// Packer's words for an exit code that is not valid.
Error bad_exit(const plan::RunStep& what, const sandbox::RunResult& ran) {
  std::vector<std::string> allowed;
  for (const int code : what.valid_exit_codes) allowed.push_back(std::to_string(code));
  return error(Errc::step_failed, "Script exited with non-zero exit status: {}. Allowed exit codes are: [{}]",
               ran.exit_code, join(allowed, " "));
}

Result<> judge(const plan::RunStep& what, const sandbox::RunResult& ran) {
  if (ran.timed_out) {
    return error(Errc::step_failed, "{} did not end within its timeout of {}", what.script_name,
                 human_duration(static_cast<std::uint64_t>(what.timeout.count())));
  }
  if (ran.disconnected) {
    if (what.expect_disconnect) return {};
    return error(Errc::step_failed,
                 "{} asked the machine to reboot or shut down; set expect_disconnect = true if that is meant",
                 what.script_name);
  }
  const auto& valid = what.valid_exit_codes;
  if (std::find(valid.begin(), valid.end(), ran.exit_code) == valid.end()) return bad_exit(what, ran);
  return {};
}

}  // namespace

Result<plan::RunStep> with_script(plan::RunStep what) {
  if (what.late_script.empty()) return what;
  what.script = TRY(read_file(what.late_script));
  if (!what.binary) what.script = replace_all(std::move(what.script), "\r\n", "\n");
  return what;
}

void fill_script(const Job& job, const plan::RunStep& what, sandbox::RunSpec& spec) {
  const plan::RenderedCommand command = plan::render_command(what);
  spec.scripts.push_back({what.remote_path, what.script, 0755});
  if (!command.env_file_path.empty()) spec.scripts.push_back({command.env_file_path, command.env_file, 0600});
  const std::string user = what.user.empty() ? json_string(job.from.base, "user") : what.user;
  const std::string cwd = json_string(job.from.base, "working_dir", "/");
  spec.action = sandbox::Exec{{"/bin/sh", "-c", command.text}, cwd.empty() ? "/" : cwd, user};
  spec.timeout = what.timeout;
}

Result<engine::Outcome> run_script(const Job& job, const plan::RunStep& planned) {
  const plan::RunStep what = TRY(with_script(planned));
  for (std::uint32_t attempt = 0;; ++attempt) {
    auto outcome = make_layer(
        job, [&](sandbox::RunSpec& spec) { fill_script(job, what, spec); },
        [&](const sandbox::RunResult& ran) { return judge(what, ran); });
    if (outcome || attempt >= what.max_retries || outcome.error().code() != Errc::step_failed) return outcome;
    job.warn(fmt::format("{}: trying again, {} left", outcome.error().text(), what.max_retries - attempt));
  }
}

}  // namespace kiln::steps
