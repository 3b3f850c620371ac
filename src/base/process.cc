#include "base/process.h"

#include <fcntl.h>
#include <linux/close_range.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>

#include "base/text.h"

namespace kiln {

namespace {

/// Everything the child needs between fork and exec, prepared beforehand: it may not allocate.
struct ChildPlan {
  std::vector<char*> argv, envp;
  std::vector<std::string> paths;  // candidates for argv[0]
  const char* cwd;
  int in, out, err, report;
};

[[noreturn]] void child_main(const ChildPlan& plan) {
  const auto give_up = [&](int stage) {
    const int message[2] = {stage, errno};
    [[maybe_unused]] const ssize_t n = ::write(plan.report, message, sizeof message);
    ::_exit(127);
  };
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  ::setpgid(0, 0);
  // By the kernel's own call, as the C library keeps two real-time signals for itself; zeros are the default action.
  constexpr std::uint64_t kDefault[4] = {};
  for (int s = 1; s <= 64; ++s) (void)::syscall(SYS_rt_sigaction, s, kDefault, nullptr, sizeof kDefault[3]);
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  if (::dup2(plan.in, 0) < 0 || ::dup2(plan.out, 1) < 0 || ::dup2(plan.err, 2) < 0) give_up(1);
  (void)::syscall(SYS_close_range, 3U, ~0U, CLOSE_RANGE_CLOEXEC);  // also what kiln itself inherited
  if (::chdir(plan.cwd) != 0) give_up(2);
  ::umask(022);
  for (const std::string& path : plan.paths) {
    ::execve(path.c_str(), plan.argv.data(), plan.envp.data());
    if (errno != ENOENT && errno != ENOTDIR && errno != EACCES) break;
  }
  give_up(3);
  ::_exit(127);
}

std::vector<std::string> candidates(const ProcessSpec& spec) {
  const std::string& program = spec.argv.front();
  if (program.find('/') != std::string::npos) return {program};
  const auto path = spec.env.find("PATH");
  std::vector<std::string> all;
  for (const std::string& dir : split(path != spec.env.end() ? path->second : "/usr/sbin:/usr/bin:/sbin:/bin", ':')) {
    all.push_back(fmt::format("{}/{}", dir, program));
  }
  return all;
}

struct Streams {
  Pipe out, err;
};

/// Reads both streams until they end and the child is gone; kills on cancel or timeout.
class Watcher {
 public:
  Watcher(const ProcessSpec& spec, const Cancel& cancel, pid_t pid, int pidfd)
      : spec_(spec), cancel_(cancel), pid_(pid), pidfd_(pidfd) {}

  bool timed_out() const { return timed_out_; }

  void watch(Streams& streams, const OutputLine& on_line) {
    const auto start = Clock::now();
    std::array<LineSplitter, 2> splitters;
    std::array<Fd*, 2> ends = {&streams.out.read, &streams.err.read};
    bool alive = true;
    while (alive || *ends[0] || *ends[1]) {
      std::array<pollfd, 4> fds = {pollfd{ends[0]->get(), POLLIN, 0}, pollfd{ends[1]->get(), POLLIN, 0},
                                   pollfd{alive ? pidfd_ : -1, POLLIN, 0},
                                   pollfd{told_to_stop_ ? -1 : cancel_.fd(), POLLIN, 0}};
      const int ready = ::poll(fds.data(), fds.size(), alive ? 100 : 1000);
      for (std::size_t i = 0; i < 2; ++i) {
        if (fds[i].revents != 0) read_some(*ends[i], splitters[i], on_line, i == 1);
      }
      if ((fds[2].revents & POLLIN) != 0) alive = false;
      if (!alive && ready == 0) break;  // a grandchild keeps the pipe open: it does not count
      stop_if_due(start);
    }
    for (std::size_t i = 0; i < 2; ++i) splitters[i].finish([&](std::string_view l) { on_line(l, i == 1); });
  }

 private:
  static void read_some(Fd& end, LineSplitter& splitter, const OutputLine& on_line, bool is_stderr) {
    char buffer[16 << 10];
    const ssize_t n = ::read(end.get(), buffer, sizeof buffer);
    if (n < 0 && errno == EINTR) return;
    if (n <= 0) return end.reset();
    splitter.feed({buffer, static_cast<std::size_t>(n)}, [&](std::string_view l) { on_line(l, is_stderr); });
  }

  void stop_if_due(Clock::time_point start) {
    const auto now = Clock::now();
    const bool too_long = spec_.timeout.count() > 0 && now - start > spec_.timeout;
    if (!told_to_stop_ && (too_long || cancel_.cancelled())) {
      timed_out_ = too_long;
      told_to_stop_ = true;
      told_at_ = now;
      (void)::kill(-pid_, SIGTERM);
    }
    if (told_to_stop_ && now - told_at_ > spec_.grace) (void)::kill(-pid_, SIGKILL);
  }

  const ProcessSpec& spec_;
  const Cancel& cancel_;
  pid_t pid_;
  int pidfd_;
  bool told_to_stop_ = false, timed_out_ = false;
  Clock::time_point told_at_;
};

std::vector<std::string> environment_lines(const ProcessSpec& spec) {
  std::vector<std::string> lines;
  for (const auto& [name, value] : spec.env) lines.push_back(fmt::format("{}={}", name, value));
  return lines;
}

std::vector<char*> pointers(const std::vector<std::string>& strings) {
  std::vector<char*> all;
  all.reserve(strings.size() + 1);
  for (const std::string& s : strings) all.push_back(const_cast<char*>(s.c_str()));
  all.push_back(nullptr);
  return all;
}

}  // namespace

Result<ProcessResult> run_process(const ProcessSpec& spec, const Cancel& cancel, const OutputLine& on_line) {
  TRY(cancel.check());
  Streams streams;
  streams.out = TRY(make_pipe());
  streams.err = TRY(make_pipe());
  Pipe report = TRY(make_pipe());
  const Fd null(::open("/dev/null", O_RDWR | O_CLOEXEC));
  const std::vector<std::string> env = environment_lines(spec);
  const ChildPlan plan{.argv = pointers(spec.argv),
                       .envp = pointers(env),
                       .paths = candidates(spec),
                       .cwd = spec.cwd.c_str(),
                       .in = spec.stdin_fd >= 0 ? spec.stdin_fd : null.get(),
                       .out = streams.out.write.get(),
                       .err = streams.err.write.get(),
                       .report = report.write.get()};
  const pid_t pid = ::fork();
  if (pid < 0) return sys_error("start {}", spec.argv.front());
  if (pid == 0) child_main(plan);
  streams.out.write.reset();
  streams.err.write.reset();
  report.write.reset();
  (void)::setpgid(pid, pid);
  const Fd pidfd(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
  int problem[2] = {0, 0};
  const bool started = ::read(report.read.get(), problem, sizeof problem) <= 0;
  Watcher watcher(spec, cancel, pid, pidfd.get());
  if (started) watcher.watch(streams, on_line);
  (void)::kill(-pid, SIGKILL);
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0) {
    if (errno != EINTR) return sys_error("waiting for {}", spec.argv.front());  // SIGCHLD is ignored: no exit code
  }
  if (!started) return errno_error(problem[1], fmt::format("start {}", spec.argv.front()));
  if (cancel.cancelled()) return error(Errc::interrupted, "{} was interrupted", spec.argv.front());
  return ProcessResult{WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status), watcher.timed_out()};
}

}  // namespace kiln
