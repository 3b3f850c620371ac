// The filter, asked by real system calls of a child that carries it.
#include "sandbox/filter.h"

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "sandbox/test_tree.h"

namespace kiln::sandbox {
namespace {

/// The errno of a call under the filter, 0 when it succeeds, -1 when it killed the process.
int errno_of(const std::function<long()>& call) {
  std::string filter = must(step_filter());
  const pid_t child = ::fork();
  if (child == 0) {
    const sock_fprog program{static_cast<unsigned short>(filter.size() / sizeof(sock_filter)),
                             reinterpret_cast<sock_filter*>(filter.data())};
    ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    if (::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0) ::_exit(255);
    ::_exit(call() < 0 ? errno : 0);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

int errno_of_call(long number, long a = 0, long b = 0, long c = 0) {
  return errno_of([=] { return ::syscall(number, a, b, c); });
}

TEST(FilterTest, RefusesWhatReachesTheMachine) {
  for (const long number : {SYS_mount, SYS_umount2, SYS_pivot_root, SYS_setns, SYS_bpf, SYS_keyctl, SYS_add_key,
                            SYS_io_uring_setup, SYS_ptrace, SYS_init_module, SYS_kexec_load, SYS_reboot,
                            SYS_open_by_handle_at, SYS_perf_event_open, SYS_userfaultfd, SYS_fsopen, SYS_move_mount}) {
    EXPECT_EQ(errno_of_call(number), EPERM) << number;
  }
}

TEST(FilterTest, NewCallsAreUnknown) {
  EXPECT_EQ(errno_of_call(457), ENOSYS);
  EXPECT_EQ(errno_of_call(100'000), ENOSYS);
  EXPECT_EQ(errno_of_call(SYS_clone3), ENOSYS);
}

TEST(FilterTest, NoNewNamespaces) {
  EXPECT_EQ(errno_of_call(SYS_unshare, CLONE_NEWUSER), EPERM);
  EXPECT_EQ(errno_of_call(SYS_unshare, CLONE_FILES), 0);
  EXPECT_EQ(errno_of_call(SYS_clone, CLONE_NEWUSER | SIGCHLD), EPERM);
}

TEST(FilterTest, SocketsOfTheKnownFamiliesOnly) {
  for (const int family : {AF_UNIX, AF_INET, AF_INET6}) {
    EXPECT_NE(errno_of_call(SYS_socket, family, SOCK_STREAM), EAFNOSUPPORT) << family;
  }
  constexpr long kRoute = 0, kAudit = 9;
  EXPECT_EQ(errno_of_call(SYS_socket, AF_NETLINK, SOCK_RAW, kRoute), 0);
  EXPECT_EQ(errno_of_call(SYS_socket, AF_NETLINK, SOCK_RAW, kAudit), EPROTONOSUPPORT);
  for (const int family : {AF_ALG, AF_VSOCK, AF_PACKET}) {
    EXPECT_EQ(errno_of_call(SYS_socket, family, SOCK_RAW), EAFNOSUPPORT) << family;
  }
}

TEST(FilterTest, TerminalInputCannotBeForgedNotEvenWithDirtyHighBits) {
  EXPECT_EQ(errno_of_call(SYS_ioctl, -1, TIOCSTI), EPERM);
  EXPECT_EQ(errno_of_call(SYS_ioctl, -1, TIOCSTI | (1L << 32)), EPERM);
  EXPECT_EQ(errno_of_call(SYS_ioctl, -1, TIOCLINUX), EPERM);
  EXPECT_EQ(errno_of_call(SYS_ioctl, -1, TCGETS), EBADF);
}

TEST(FilterTest, SyncIsAnsweredAtOnce) {
  EXPECT_EQ(errno_of_call(SYS_sync), 0);
  EXPECT_EQ(errno_of_call(SYS_syncfs, -1), 0);
}

TEST(FilterTest, ThirtyTwoBitEntryKills) {
#ifdef __x86_64__
  constexpr long kX32 = 0x40000000;
  EXPECT_EQ(errno_of_call(kX32 | SYS_getpid), -1);
#endif
}

TEST(FilterTest, CapabilitiesAreTheTwelve) {
  EXPECT_EQ(step_capabilities(), 0xa00405fbU);
}

}  // namespace
}  // namespace kiln::sandbox
