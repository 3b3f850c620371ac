#include "sandbox/spawn.h"

#include <fcntl.h>
#include <linux/memfd.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <vector>

#include "sandbox/init/wire.h"

namespace kiln::sandbox {

namespace {

Result<Fd> sealed_memfd(const char* name, std::string_view content) {
  constexpr unsigned kExec = 0x0010U;  // MFD_EXEC of Linux 6.3
  Fd fd(::memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING | kExec));
  if (!fd) fd.reset(::memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING));
  if (!fd) return sys_error("memfd {}", name);
  TRY(write_full(fd.get(), content).context("memfd {}", name));
  if (::fcntl(fd.get(), F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE) != 0) {
    return sys_error("seal memfd {}", name);
  }
  return fd;
}

/// Made once: the program never changes, and nothing can write to it.
Result<int> program_fd() {
  static const Result<Fd> program = sealed_memfd("kiln-init", init_program());
  if (!program) return program.error();
  return (*program).get();
}

/// Everything the child needs between clone and exec. It shares our memory until then: system calls only.
struct Plan {
  std::array<int, 6> fds{};  // in the order of their numbers in the init
  int failed = 0;            // errno of the child
};

int child_main(void* argument) {
  Plan& plan = *static_cast<Plan*>(argument);
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  constexpr int kAbove = 16;  // out of the way of the numbers that the init knows
  std::array<int, 6> moved{};
  for (std::size_t i = 0; i < moved.size(); ++i) moved[i] = ::fcntl(plan.fds[i], F_DUPFD_CLOEXEC, kAbove);
  for (std::size_t i = 0; i < moved.size(); ++i) {
    if (moved[i] < 0 || ::dup2(moved[i], static_cast<int>(i)) < 0) {
      plan.failed = errno;
      ::_exit(125);
    }
  }
  char name[] = "kiln-init";
  char empty[] = "";
  char* argv[] = {name, nullptr};
  char* envp[] = {nullptr};
  ::syscall(SYS_execveat, wire::kProgramFd, empty, argv, envp, AT_EMPTY_PATH);
  plan.failed = errno;
  ::_exit(125);
}

/// clone with our memory until exec (like vfork): a fork would copy the page tables of a large process.
pid_t clone_child(Plan& plan, unsigned long flags) {
  constexpr std::size_t kStack = 64 << 10;
  static_assert(kStack % 16 == 0);
  std::vector<char> stack(kStack);
  sigset_t all, before;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  const pid_t pid = ::clone(&child_main, stack.data() + kStack - 64, static_cast<int>(flags | SIGCHLD), &plan);
  const int saved = errno;
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  errno = saved;
  return pid;
}

}  // namespace

Result<Step> Step::start(std::string_view description, const Stdio& stdio, bool new_network) {
  const int program = TRY(program_fd());
  const Fd spec = TRY(sealed_memfd("step", description));
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) return sys_error("socketpair");
  Fd control(ends[0]);
  const Fd theirs(ends[1]);
  Plan plan{.fds = {stdio.in, stdio.out, stdio.err, theirs.get(), spec.get(), program}};
  const unsigned long flags = CLONE_VM | CLONE_VFORK | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWUTS |
                              (new_network ? CLONE_NEWNET : 0UL);
  const pid_t pid = clone_child(plan, flags);
  if (pid < 0) {
    const int problem = errno;
    if (problem == EPERM) {
      return error(Errc::denied,
                   "making namespaces: not permitted; kiln has to run as root, in a container with "
                   "CAP_SYS_ADMIN (docker run --privileged)");
    }
    if (problem == ENOSPC) {
      return error(Errc::denied,
                   "making namespaces: this machine allows no more of them "
                   "(/proc/sys/user/max_mnt_namespaces and the like)");
    }
    return errno_error(problem, "making namespaces");
  }
  Fd pidfd(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
  Step step(pid, std::move(pidfd), std::move(control));
  if (plan.failed != 0) return errno_error(plan.failed, "starting kiln-init");
  if (!step.pidfd_) return sys_error("pidfd_open");
  return step;
}

Step::~Step() {
  if (pid_ < 0) return;
  kill();
  (void)wait();
}

void Step::terminate() const {
  const char message = wire::kTerminate;
  (void)::send(control_.get(), &message, 1, MSG_NOSIGNAL | MSG_DONTWAIT);
}

void Step::kill() const {
  if (pid_ > 0) (void)::kill(pid_, SIGKILL);  // not reaped yet, so the number is still its own
}

int Step::wait() {
  int status = 0;
  while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
  }
  pid_ = -1;
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

std::optional<Message> read_message(int control) {
  std::array<char, wire::kMaxMessage> data{};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> room{};
  iovec part{data.data(), data.size()};
  msghdr header{};
  header.msg_iov = &part;
  header.msg_iovlen = 1;
  header.msg_control = room.data();
  header.msg_controllen = room.size();
  const ssize_t n = ::recvmsg(control, &header, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
  if (n <= 0) return {};
  Message message{.kind = data[0]};
  constexpr std::size_t kHead = 1 + sizeof(int);
  const auto size = static_cast<std::size_t>(n);
  if (size >= kHead) {
    std::memcpy(&message.number, data.data() + 1, sizeof(int));
    message.text.assign(data.data() + kHead, size - kHead);
  }
  const cmsghdr* head = CMSG_FIRSTHDR(&header);
  if (head != nullptr && head->cmsg_type == SCM_RIGHTS) {
    int fd = -1;
    std::memcpy(&fd, CMSG_DATA(head), sizeof fd);
    message.terminal.reset(fd);
  }
  return message;
}

}  // namespace kiln::sandbox
