// main: takes the process's state over from whoever started it, reads the environment once, catches signals in a thread
// of their own, and runs the command line.
#include <fcntl.h>
#include <pwd.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <system_error>
#include <thread>

#include "cli/cli.h"

namespace {

using namespace kiln;

/// Descriptors 0 to 2 exist, no core dump can hold a secret, files get modes of our own. SIGTERM ends kiln and SIGCHLD
/// tells how a child ended, whatever the parent ignored; an ignored SIGINT or SIGHUP stays so (`&`, nohup).
void settle_process() {
  for (int fd = 0; fd < 3; ++fd) {
    if (::fcntl(fd, F_GETFD) < 0) (void)::open("/dev/null", O_RDWR);
  }
  ::prctl(PR_SET_DUMPABLE, 0);
  const rlimit none{0, 0};
  (void)::setrlimit(RLIMIT_CORE, &none);
  ::umask(022);
  (void)::signal(SIGPIPE, SIG_IGN);
  for (const int s : {SIGTERM, SIGCHLD}) (void)::signal(s, SIG_DFL);
}

sigset_t stop_signals() {
  sigset_t set;
  ::sigemptyset(&set);
  for (const int s : {SIGINT, SIGTERM, SIGHUP}) ::sigaddset(&set, s);
  return set;
}

/// The first signal asks to stop; the second ends the process: its children die with it, the next run cleans the store.
void watch_signals(int fd, kiln::Cancel& cancel) {
  signalfd_siginfo info{};
  for (int count = 1; ::read(fd, &info, sizeof info) == static_cast<ssize_t>(sizeof info); ++count) {
    if (count > 1) ::_exit(cli::kFailed);
    cancel.cancel();
  }
}

cli::Environment read_environment() {
  cli::Environment environment;
  for (char** p = environ; p != nullptr && *p != nullptr; ++p) {
    const std::string_view entry(*p);
    if (const std::size_t at = entry.find('='); at != std::string_view::npos && at > 0) {
      environment.variables[std::string(entry.substr(0, at))] = std::string(entry.substr(at + 1));
    }
  }
  if (environment.get("HOME").empty()) {
    if (const passwd* user = ::getpwuid(::geteuid())) environment.variables["HOME"] = user->pw_dir;
  }
  std::error_code ec;
  environment.cwd = fs::current_path(ec);
  environment.stdout_is_terminal = ::isatty(STDOUT_FILENO) == 1;
  return environment;
}

/// Whether what was printed has arrived. A reader that has gone, as in `kiln plan | head`, is no failure.
bool output_arrived() {
  if (std::fflush(stdout) == 0 && std::ferror(stdout) == 0) return true;
  if (errno == EPIPE) return true;
  std::fprintf(stderr, "kiln: writing the output: %s\n", std::strerror(errno));
  return false;
}

}  // namespace

int main(int argc, char** argv) {
  settle_process();
  Cancel cancel;
  const sigset_t signals = stop_signals();
  ::pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  const int signal_fd = ::signalfd(-1, &signals, SFD_CLOEXEC);
  std::thread([signal_fd, &cancel] { watch_signals(signal_fd, cancel); }).detach();
  int code = cli::kFailed;
  try {
    code = cli::run_command_line({argv + 1, argv + argc}, read_environment(), cancel);
  } catch (const std::system_error& e) {  // printing failed
    if (e.code().value() == EPIPE) ::_exit(cli::kOk);
    std::fprintf(stderr, "kiln: %s\n", e.what());
  } catch (const std::exception& e) {
    std::fprintf(stderr, "kiln: internal error: %s\n", e.what());
  }
  if (!output_arrived() && code == cli::kOk) code = cli::kFailed;
  ::_exit(code);  // the signal thread still waits; everything else is done
}
