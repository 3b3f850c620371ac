// kiln-init: sets a step's namespaces up, is PID 1 in them, starts the action, reaps, and reports how it ended. Started
// by kiln only, from a sealed memfd, with the descriptors of wire.h. When it ends, the kernel kills the rest of the
// step.
#include <grp.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/keyctl.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <termios.h>

#include "sandbox/init/sys.h"

namespace kiln::sandbox::init {

void send_message(char kind, int number, std::initializer_list<const char*> text) {
  char message[wire::kMaxMessage];
  message[0] = kind;
  std::memcpy(message + 1, &number, sizeof number);
  std::size_t size = 1 + sizeof number;
  for (const char* part : text) {
    while (*part != '\0' && size < sizeof message) message[size++] = *part++;
  }
  (void)::send(wire::kControlFd, message, size, MSG_NOSIGNAL);
}

void fail_with(int error, std::initializer_list<const char*> what) {
  send_message(wire::kFailed, error, what);
  ::_exit(125);
}

void fail(std::initializer_list<const char*> what) {
  fail_with(errno, what);
}

bool write_all(int fd, const char* data, std::size_t size) {
  while (size > 0) {
    const ssize_t n = ::write(fd, data, size);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return false;
    data += n;
    size -= static_cast<std::size_t>(n);
  }
  return true;
}

namespace {

/// What rt_sigaction reads on x86-64; zeros are the default action.
struct KernelAction {
  void (*handler)(int);
  std::uint64_t flags;
  void (*restorer)();
  std::uint64_t mask;
};

constexpr unsigned kMaxArguments = 1 << 16;  // pointers, for arguments and variables together
char* pointers[kMaxArguments];               // NOLINT: static so that PID 1 allocates nothing

/// All 64, by the kernel's own call: the C library keeps two real-time signals for itself and does not touch them.
void default_signals() {
  const KernelAction plain{};
  for (int s = 1; s <= 64; ++s) (void)::syscall(SYS_rt_sigaction, s, &plain, nullptr, sizeof plain.mask);
}

void forget_the_host() {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  pollfd control{wire::kControlFd, 0, 0};
  if (::poll(&control, 1, 0) != 0) ::_exit(125);  // kiln died before the line above
  ::prctl(PR_SET_DUMPABLE, 0);
  (void)::close_range(wire::kProgramFd + 1, ~0U, 0);
  for (const int fd : {wire::kControlFd, wire::kSpecFd, wire::kProgramFd}) (void)::fcntl(fd, F_SETFD, FD_CLOEXEC);
  ::setsid();
  ::umask(0);
  (void)::syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, nullptr);
  default_signals();
  sigset_t all;
  ::sigfillset(&all);
  ::sigprocmask(SIG_SETMASK, &all, nullptr);
  if (::mount(nullptr, "/", nullptr, MS_REC | MS_SLAVE, nullptr) != 0) fail({"make mounts private"});
}

void limit(__rlimit_resource resource, rlim_t soft, bool also_hard) {
  rlimit now{};
  if (::getrlimit(resource, &now) != 0) return;
  now.rlim_cur = soft < now.rlim_max ? soft : now.rlim_max;
  if (also_hard) now.rlim_max = now.rlim_cur;
  (void)::setrlimit(resource, &now);  // a machine that forbids it is no reason to stop
}

struct Guard {  // what holds a step, beside its namespaces
  bool no_new_privs;
  std::uint64_t capabilities;
  const char* filter;
  std::size_t filter_size;
};

Guard read_guard(Reader& in) {
  Guard guard{};
  guard.no_new_privs = in.number() != 0;
  guard.capabilities = in.number();
  guard.filter = in.text(&guard.filter_size);
  return guard;
}

void bound_capabilities(const Guard& guard) {
  ::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
  for (unsigned c = 0; c < 64; ++c) {
    if ((guard.capabilities >> c & 1) != 0) continue;
    if (::prctl(PR_CAPBSET_DROP, c, 0, 0, 0) != 0 && errno != EINVAL) fail({"drop a capability"});
  }
}

void keep_capabilities(std::uint64_t wanted) {
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct data[2] = {};
  if (::syscall(SYS_capget, &header, data) != 0) fail({"read capabilities"});
  for (unsigned half = 0; half < 2; ++half) {
    const auto bits = static_cast<std::uint32_t>(wanted >> (32 * half)) & data[half].permitted;
    data[half] = {bits, bits, 0};
  }
  if (::syscall(SYS_capset, &header, data) != 0) fail({"set capabilities"});
}

void load_filter(const Guard& guard) {
  constexpr std::size_t kMost = 4096;
  static sock_filter program[kMost];
  const std::size_t count = guard.filter_size / sizeof(sock_filter);
  if (count == 0) return;
  if (count > kMost) fail_with(E2BIG, {"load the system call filter"});
  std::memcpy(program, guard.filter, guard.filter_size);
  const sock_fprog loaded{static_cast<unsigned short>(count), program};
  if (::syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &loaded) != 0) fail({"load the system call filter"});
}

struct Exec {
  char** argv;
  char** envp;
  const char* directory;
  uid_t uid;
  gid_t gid;
  std::size_t group_count;
  gid_t groups[wire::kMaxGroups];
  bool terminal;
};

char** read_list(Reader& in, unsigned& used) {
  const std::uint64_t n = in.number();
  if (used + n + 1 > kMaxArguments) fail_with(E2BIG, {"arguments and environment"});
  char** list = pointers + used;
  for (std::uint64_t i = 0; i < n; ++i) list[i] = const_cast<char*>(in.text());
  list[n] = nullptr;
  used += static_cast<unsigned>(n) + 1;
  return list;
}

Exec read_exec(Reader& in) {
  Exec exec{};
  unsigned used = 0;
  exec.argv = read_list(in, used);
  exec.directory = in.text();
  exec.envp = read_list(in, used);
  exec.uid = static_cast<uid_t>(in.number());
  exec.gid = static_cast<gid_t>(in.number());
  exec.group_count = in.number();
  if (exec.group_count > wire::kMaxGroups) fail_with(E2BIG, {"supplementary groups"});
  for (std::size_t i = 0; i < exec.group_count; ++i) exec.groups[i] = static_cast<gid_t>(in.number());
  exec.terminal = in.number() != 0;
  return exec;
}

/// Opens a pty in the step's own /dev/pts, hands its master to kiln, and yields the name of its slave.
void make_terminal(char* slave, std::size_t size) {
  const int master = ::open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC);
  int unlocked = 0;
  unsigned number = 0;
  if (master < 0 || ::ioctl(master, TIOCSPTLCK, &unlocked) != 0 || ::ioctl(master, TIOCGPTN, &number) != 0) {
    fail({"make a terminal"});
  }
  const FdPath digits(static_cast<int>(number));
  const char* tail = digits.text + sizeof("/proc/self/fd/") - 1;
  if (size < 32) ::_exit(125);
  std::strcpy(slave, "/dev/pts/");
  std::strcat(slave, tail);
  char kind = wire::kTerminal;
  iovec part{&kind, 1};
  alignas(cmsghdr) char room[CMSG_SPACE(sizeof(int))] = {};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = room;
  message.msg_controllen = sizeof room;
  cmsghdr* head = CMSG_FIRSTHDR(&message);
  head->cmsg_level = SOL_SOCKET;
  head->cmsg_type = SCM_RIGHTS;
  head->cmsg_len = CMSG_LEN(sizeof(int));
  std::memcpy(CMSG_DATA(head), &master, sizeof master);
  if (::sendmsg(wire::kControlFd, &message, MSG_NOSIGNAL) < 0) fail({"hand the terminal over"});
  ::close(master);
}

void take_terminal(const char* slave) {
  const int fd = ::open(slave, O_RDWR | O_CLOEXEC);
  if (fd < 0 || ::ioctl(fd, TIOCSCTTY, 0) != 0) fail({"take the terminal"});
  for (int i = 0; i < 3; ++i) {
    if (::dup2(fd, i) < 0) fail({"take the terminal"});
  }
}

void become(const Exec& exec) {
  if (::setgroups(exec.group_count, exec.groups) != 0) fail({"set groups"});
  if (::setresgid(exec.gid, exec.gid, exec.gid) != 0) fail({"set group"});
  if (::setresuid(exec.uid, exec.uid, exec.uid) != 0) fail({"set user"});
}

const char* value_of(char** envp, const char* name) {
  const std::size_t n = std::strlen(name);
  for (; *envp != nullptr; ++envp) {
    if (std::strncmp(*envp, name, n) == 0 && (*envp)[n] == '=') return *envp + n + 1;
  }
  return nullptr;
}

[[noreturn]] void execute(const Exec& exec) {
  const char* program = exec.argv[0];
  if (program == nullptr) fail_with(EINVAL, {"there is no program to start"});
  int reason = ENOENT;
  if (std::strchr(program, '/') != nullptr) {
    ::execve(program, exec.argv, exec.envp);
    reason = errno;
  } else {
    const char* path = value_of(exec.envp, "PATH");
    if (path == nullptr) path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
    char candidate[4096];
    while (*path != '\0') {
      const std::size_t n = std::strcspn(path, ":");
      if (n + std::strlen(program) + 2 <= sizeof candidate) {
        std::memcpy(candidate, path, n);
        candidate[n] = '/';
        std::strcpy(candidate + n + 1, program);
        ::execve(candidate, exec.argv, exec.envp);
        if (errno != ENOENT && errno != ENOTDIR) reason = errno;
      }
      path += n + (path[n] == ':' ? 1 : 0);
    }
  }
  fail_with(reason, {"start ", program});
}

/// The main process, from fork to its work.
[[noreturn]] void act(const State& state, Reader in, wire::Action action, const Exec& exec, const Guard& guard,
                      const char* terminal) {
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  ::setsid();
  if (exec.terminal) take_terminal(terminal);
  ::umask(022);
  if (guard.no_new_privs) ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  load_filter(guard);
  if (action == wire::Action::exec) {
    become(exec);
    if (exec.uid == 0) keep_capabilities(guard.capabilities);
    char here[4096];
    if (::chdir(exec.directory) != 0) fail({"enter directory ", exec.directory});
    if (::syscall(SYS_getcwd, here, sizeof here) < 0 || here[0] != '/') fail({"enter directory ", exec.directory});
    execute(exec);
  }
  keep_capabilities(guard.capabilities);
  if (action == wire::Action::upload) upload(state, in);
  download(state, in);
}

/// Scripts go, unless the step has put something else in their place.
void remove_scripts(const State& state) {
  for (unsigned i = 0; i < state.script_count; ++i) {
    char path[4096];
    const auto& script = state.scripts[i];
    if (std::strlen(script.path) + 2 > sizeof path) continue;
    path[0] = '/';
    std::strcpy(path + 1, script.path);
    struct stat st {};
    if (::lstat(path, &st) == 0 && st.st_dev == script.device && st.st_ino == script.inode) ::unlink(path);
  }
}

[[noreturn]] void finish(const State& state, char kind, int number) {
  remove_scripts(state);
  send_message(kind, number, {});
  ::_exit(0);
}

void reap(const State& state, pid_t main_process) {
  int status = 0;
  pid_t pid = 0;
  while ((pid = ::waitpid(-1, &status, WNOHANG)) > 0) {
    if (pid != main_process) continue;
    finish(state, wire::kExited, WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
  }
}

[[noreturn]] void supervise(const State& state, pid_t main_process) {
  sigset_t all;
  ::sigfillset(&all);
  const int signals = ::signalfd(-1, &all, SFD_CLOEXEC | SFD_NONBLOCK);
  if (signals < 0) fail({"watch signals"});
  for (;;) {
    pollfd fds[2] = {{signals, POLLIN, 0}, {wire::kControlFd, POLLIN, 0}};
    if (::poll(fds, 2, -1) < 0 && errno != EINTR) fail({"wait"});
    signalfd_siginfo signal{};
    while (::read(signals, &signal, sizeof signal) == sizeof signal) {
      const bool asks_for_end = signal.ssi_signo == SIGTERM || signal.ssi_signo == SIGINT ||
                                signal.ssi_signo == SIGUSR1 || signal.ssi_signo == SIGUSR2;
      if (asks_for_end) finish(state, wire::kDisconnected, 0);
    }
    reap(state, main_process);  // after the signals: who asks for the end may end at once
    if (fds[1].revents == 0) continue;
    char message = 0;
    if (::recv(wire::kControlFd, &message, 1, MSG_DONTWAIT) <= 0) {
      if (errno != EAGAIN || (fds[1].revents & POLLHUP) != 0) ::_exit(125);  // kiln is gone
      continue;
    }
    if (message == wire::kTerminate) (void)::kill(-main_process, SIGTERM);
  }
}

[[noreturn]] void run() {
  forget_the_host();
  struct stat st {};
  if (::fstat(wire::kSpecFd, &st) != 0) fail({"read the description of the step"});
  const auto size = static_cast<std::size_t>(st.st_size);
  void* mapped = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, wire::kSpecFd, 0);
  if (mapped == MAP_FAILED) fail({"read the description of the step"});
  Reader in(static_cast<const char*>(mapped), size);
  static State state;
  set_up(state, in);
  const Guard guard = read_guard(in);
  const auto action = static_cast<wire::Action>(in.number());
  Exec exec{};
  if (action == wire::Action::exec) exec = read_exec(in);
  limit(RLIMIT_CORE, 0, true);
  limit(RLIMIT_NOFILE, 1024, false);
  limit(RLIMIT_STACK, rlim_t{8} << 20, false);
  bound_capabilities(guard);
  char terminal[32] = "";
  if (exec.terminal) make_terminal(terminal, sizeof terminal);
  const pid_t main_process = ::fork();
  if (main_process < 0) fail({"start the main process"});
  if (main_process == 0) act(state, in, action, exec, guard, terminal);
  for (int fd = 0; fd < 3; ++fd) ::close(fd);
  for (unsigned i = 0; i < state.source_count; ++i) ::close(state.sources[i]);
  keep_capabilities(guard.capabilities);
  ::umask(022);
  supervise(state, main_process);
}

}  // namespace

int stub_command(const char* name, int argc, char** argv) {
  for (int i = 1; i < argc; ++i) {
    if (std::strcmp(argv[i], "--help") == 0 || std::strcmp(argv[i], "-c") == 0) return 0;
  }
  if (::kill(1, SIGTERM) != 0) {
    constexpr char kText[] = ": must be superuser\n";
    (void)write_all(2, name, std::strlen(name));
    (void)write_all(2, kText, sizeof kText - 1);
    return 1;
  }
  ::pause();  // the step ends here
  return 0;
}

}  // namespace kiln::sandbox::init

int main(int argc, char** argv) {
  using namespace kiln::sandbox::init;
  const char* name = argc > 0 ? argv[0] : "";
  if (const char* slash = std::strrchr(name, '/')) name = slash + 1;
  for (const char* stub : {"reboot", "shutdown", "poweroff", "halt"}) {
    if (std::strcmp(name, stub) == 0) return stub_command(name, argc, argv);
  }
  if (::getpid() != 1 || std::strcmp(name, "kiln-init") != 0) return 64;
  run();
}
