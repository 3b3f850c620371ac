// Host steps: shell-local, breakpoint, sleep. They run on this machine, in order, and are never cached. What they say
// is what Packer says.
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>

#include "base/process.h"
#include "base/text.h"
#include "plan/shell.h"
#include "steps/job.h"

namespace kiln::steps {

namespace {

/// Go's text of a duration: "10s", "1m30s", "1h0m0s", "300ms".
std::string go_duration(Duration d) {
  const auto ms = static_cast<std::uint64_t>(d.count());
  if (ms < 1000) return ms == 0 ? "0s" : fmt::format("{}ms", ms);
  std::string seconds = std::to_string(ms / 1000 % 60);
  if (ms % 1000 != 0) {
    seconds += fmt::format(".{:03}", ms % 1000);
    seconds.erase(seconds.find_last_not_of('0') + 1);
  }
  const std::uint64_t minutes = ms / 60'000;
  if (minutes == 0) return seconds + "s";
  return minutes < 60 ? fmt::format("{}m{}s", minutes, seconds)
                      : fmt::format("{}h{}m{}s", minutes / 60, minutes % 60, seconds);
}

/// The file that a script stands in: its own, or a new one that the owner removes.
class ScriptFile {
 public:
  static Result<ScriptFile> create(const Job& job, const plan::HostStep& what, const plan::HostScript& script) {
    if (!script.written.empty()) return ScriptFile(script.written, job.context.settings.cwd / script.written, {});
    std::string path = (fs::temp_directory_path() / "packer-shell").native() + "XXXXXX" + what.temp_extension;
    const Fd fd(::mkostemps(path.data(), static_cast<int>(what.temp_extension.size()), O_CLOEXEC));
    if (!fd) return sys_error("create {}", path);
    ScriptFile file(path, path, path);
    TRY(write_full(fd.get(), script.text));
    if (::fchmod(fd.get(), 0700) != 0) return sys_error("chmod {}", path);
    return file;
  }
  ScriptFile(ScriptFile&& other) noexcept
      : shown_(std::move(other.shown_)), path_(std::move(other.path_)), made_(std::exchange(other.made_, {})) {}
  ScriptFile& operator=(ScriptFile&&) = delete;
  ~ScriptFile() {
    if (!made_.empty()) (void)::unlink(made_.c_str());
  }
  const std::string& shown() const { return shown_; }
  const std::string& path() const { return path_; }

 private:
  ScriptFile(std::string shown, std::string path, std::string made)
      : shown_(std::move(shown)), path_(std::move(path)), made_(std::move(made)) {}
  std::string shown_, path_, made_;
};

Result<> run_one(const Job& job, const plan::HostStep& what, const plan::HostScript& script, Duration left) {
  const ScriptFile file = TRY(ScriptFile::create(job, what, script));
  job.line("Running local shell script: " + file.shown());
  ProcessSpec spec{.argv = plan::render_host_command(what, file.path()),
                   .env = job.context.settings.environment,
                   .cwd = job.context.settings.cwd};
  for (const plan::EnvVar& var : what.env) spec.env[var.name] = var.value;
  spec.env["PACKER_RUN_UUID"] = job.context.settings.run_id;
  spec.timeout = left;
  const ProcessResult ran = TRY(run_process(spec, job.cancel, [&](std::string_view l, bool e) { job.line(l, e); }));
  if (ran.timed_out) {
    job.line("Cancelling provisioner after a timeout...");
    return error(Errc::step_failed, "Error executing script: {}\n\nPlease see output above for more information.",
                 file.shown());
  }
  const auto& valid = what.valid_exit_codes;
  if (std::find(valid.begin(), valid.end(), ran.exit_code) != valid.end()) return {};
  std::string codes;
  for (const int code : valid) codes += (codes.empty() ? "" : " ") + std::to_string(code);
  return error(Errc::step_failed, "Script exited with non-zero exit status: {}.Allowed exit codes are: [{}]",
               ran.exit_code, codes);
}

/// All scripts within one timeout.
Result<> run_scripts(const Job& job, const plan::HostStep& what) {
  const auto& systems = what.only_on;
  if (!systems.empty() && std::find(systems.begin(), systems.end(), "linux") == systems.end()) {
    job.line("Skipping shell-local due to runtime OS");
    return {};
  }
  const auto started = Clock::now();
  for (const plan::HostScript& script : what.scripts) {
    const Duration used(ms_since(started));
    const Duration left = what.timeout.count() == 0 ? Duration(0) : std::max(what.timeout - used, Duration(1));
    TRY(run_one(job, what, script, left));
  }
  return {};
}

/// Waits for Enter; where nobody can press it, at the end of input.
Result<> breakpoint(const Job& job, const plan::HostStep& what) {
  const std::string note = what.note.empty() ? "" : fmt::format(" with note \"{}\"", what.note);
  if (what.disabled) {
    job.line(fmt::format("Breakpoint provisioner{} disabled; continuing...", note));
    return {};
  }
  job.line(fmt::format("Pausing at breakpoint provisioner{}.", note));
  if (::isatty(STDIN_FILENO) == 0) {
    job.warn("standard input is not a terminal: the breakpoint does not wait");
    return {};
  }
  job.line("Press enter to continue.");
  char c = 0;
  while (::read(STDIN_FILENO, &c, 1) == 1 && c != '\n') {
  }
  return job.cancel.check();
}

Result<> run_type(const Job& job, const plan::HostStep& what) {
  if (what.type == "breakpoint") return breakpoint(job, what);
  if (what.type == "sleep") return job.cancel.sleep(what.duration) ? Result<>() : job.cancel.check();
  return run_scripts(job, what);
}

Result<> attempt(const Job& job, const plan::HostStep& what) {
  if (what.pause_before.count() > 0) {
    job.line(fmt::format("Pausing {} before the next provisioner...", go_duration(what.pause_before)));
    if (!job.cancel.sleep(what.pause_before)) return job.cancel.check();
  }
  if (what.timeout.count() > 0)
    job.line(fmt::format("Setting a {} timeout for the next provisioner...", go_duration(what.timeout)));
  return run_type(job, what);
}

}  // namespace

Result<engine::Outcome> run_host(const Job& job, const plan::HostStep& what) {
  for (std::uint32_t left = what.max_retries;; --left) {
    Result<> done = attempt(job, what);
    if (done) return engine::Outcome{};
    if (left == 0 || done.error().code() != Errc::step_failed) return std::move(done).error();
    job.line(fmt::format("Provisioner failed with \"{}\", retrying with {} trie(s) left",
                         replace_all(done.error().text(), "\n", "\\n"), left));
  }
}

}  // namespace kiln::steps
