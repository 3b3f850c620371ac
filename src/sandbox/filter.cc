#include "sandbox/filter.h"

#include <linux/audit.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <seccomp.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <memory>
#include <set>
#include <string>

#include "base/fd.h"

namespace kiln::sandbox {

namespace {

// Newest call of the profile (futex_requeue, Linux 6.7). Above it every number is ENOSYS, so that libraries fall back.
constexpr int kNewest = 456;
constexpr int kX32 = 0x40000000;

// Refused with EPERM. Everything else up to kNewest is allowed, some of it with conditions below.
constexpr const char* kDenied[] = {
    // mounts and namespaces
    "mount", "umount2", "pivot_root", "move_mount", "open_tree", "fsopen", "fsconfig", "fsmount", "fspick",
    "mount_setattr", "setns",
    // the machine
    "swapon", "swapoff", "reboot", "kexec_load", "kexec_file_load", "init_module", "finit_module", "delete_module",
    "create_module", "get_kernel_syms", "query_module", "acct", "syslog", "settimeofday", "clock_settime", "iopl",
    "ioperm", "vhangup", "quotactl", "quotactl_fd", "nfsservctl", "lookup_dcookie", "uselib", "_sysctl", "sysfs",
    "ustat", "vserver",
    // large surfaces of the kernel
    "bpf", "perf_event_open", "userfaultfd", "io_uring_setup", "io_uring_enter", "io_uring_register", "fanotify_init",
    "fanotify_mark",
    // ways around directories and process boundaries
    "open_by_handle_at", "name_to_handle_at", "ptrace", "process_vm_readv", "process_vm_writev", "pidfd_getfd", "kcmp",
    "keyctl", "add_key", "request_key"};

struct Release {
  void operator()(void* context) const { seccomp_release(context); }
};
using Context = std::unique_ptr<void, Release>;

Result<> add(const Context& context, std::uint32_t action, const char* name,
             std::initializer_list<scmp_arg_cmp> conditions = {}) {
  const int number = seccomp_syscall_resolve_name(name);
  if (number < 0) return {};  // not on this architecture
  const int rc = seccomp_rule_add_array(context.get(), action, number, static_cast<unsigned>(conditions.size()),
                                        conditions.begin());
  if (rc != 0) return errno_error(-rc, fmt::format("system call filter: {}", name));
  return {};
}

constexpr std::uint64_t kNewNamespaces = CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER |
                                         CLONE_NEWPID | CLONE_NEWNET | 0x80U /* CLONE_NEWTIME */;

/// Calls that are neither plainly allowed nor plainly refused; ioctl and socket are in the prefix.
Result<> add_conditional(const Context& context) {
  // CLONE_NEWTIME lies in clone's signal byte, where it means something else; unshare alone knows it.
  TRY(add(context, SCMP_ACT_ALLOW, "clone", {SCMP_A0(SCMP_CMP_MASKED_EQ, kNewNamespaces & ~0xFFULL, 0)}));
  TRY(add(context, SCMP_ACT_ALLOW, "unshare", {SCMP_A0(SCMP_CMP_MASKED_EQ, kNewNamespaces, 0)}));
  TRY(add(context, SCMP_ACT_ERRNO(ENOSYS), "clone3"));  // its flags are behind a pointer
  for (const std::uint64_t plain : {0x0ULL, 0x8ULL, 0x20000ULL, 0x20008ULL, 0xffffffffULL}) {
    TRY(add(context, SCMP_ACT_ALLOW, "personality", {SCMP_A0(SCMP_CMP_EQ, plain)}));
  }
  // A step that dies is thrown away, and one that succeeds is synced by its store: no need to wait for the host's
  // disks.
  TRY(add(context, SCMP_ACT_ERRNO(0), "sync"));
  return add(context, SCMP_ACT_ERRNO(0), "syncfs");
}

Result<> add_plain(const Context& context) {
  std::set<int> apart;
  for (const char* name : kDenied) apart.insert(seccomp_syscall_resolve_name(name));
  for (const char* name : {"clone", "unshare", "clone3", "personality", "sync", "syncfs"}) {
    apart.insert(seccomp_syscall_resolve_name(name));
  }
  for (int number = 0; number <= kNewest; ++number) {
    constexpr int kGapBegin = 335, kGapEnd = 424;  // numbers that x86-64 never used
    if (apart.contains(number) || (number >= kGapBegin && number < kGapEnd)) continue;
    const int rc = seccomp_rule_add_array(context.get(), SCMP_ACT_ALLOW, number, 0, nullptr);
    if (rc != 0) return errno_error(-rc, fmt::format("system call filter: number {}", number));
  }
  return {};
}

constexpr std::uint32_t kRefuse = SECCOMP_RET_ERRNO;

/// What libseccomp cannot say: a bound on numbers, low halves of arguments, an errno for what no rule matches. Falls
/// through to libseccomp's program.
std::string prefix() {
  constexpr std::uint32_t kNr = offsetof(seccomp_data, nr), kArch = offsetof(seccomp_data, arch);
  constexpr std::uint32_t kArg0 = offsetof(seccomp_data, args), kArg1 = kArg0 + 8, kArg2 = kArg0 + 16;
  const auto load = [](std::uint32_t at) { return sock_filter(BPF_STMT(BPF_LD | BPF_W | BPF_ABS, at)); };
  const auto answer = [](std::uint32_t value) { return sock_filter(BPF_STMT(BPF_RET | BPF_K, value)); };
  const auto equal = [](std::uint32_t value, std::uint8_t yes, std::uint8_t no) {
    return sock_filter(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, yes, no));
  };
  const auto at_least = [](std::uint32_t value, std::uint8_t yes, std::uint8_t no) {
    return sock_filter(BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, value, yes, no));
  };
  const auto ioctl_number = static_cast<std::uint32_t>(SCMP_SYS(ioctl));
  const auto socket_number = static_cast<std::uint32_t>(SCMP_SYS(socket));
  const sock_filter program[] = {
      load(kArch),
      equal(AUDIT_ARCH_X86_64, 0, 19),  // another architecture: libseccomp's program kills it
      load(kNr),
      at_least(kX32, 17, 0),  // x32: the same
      at_least(kNewest + 1, 0, 1),
      answer(kRefuse | ENOSYS),
      equal(ioctl_number, 0, 4),
      load(kArg1),
      equal(TIOCSTI, 1, 0),
      equal(TIOCLINUX, 0, 11),
      answer(kRefuse | EPERM),
      equal(socket_number, 0, 9),
      load(kArg0),
      equal(AF_UNIX, 7, 0),
      equal(AF_INET, 6, 0),
      equal(AF_INET6, 5, 0),
      equal(AF_NETLINK, 1, 0),
      answer(kRefuse | EAFNOSUPPORT),
      load(kArg2),
      equal(0 /* NETLINK_ROUTE */, 1, 0),
      answer(kRefuse | EPROTONOSUPPORT),  // what libaudit takes for "no audit here"
  };
  return std::string(reinterpret_cast<const char*>(program), sizeof program);
}

Result<std::string> exported(const Context& context) {
  const Fd file(::memfd_create("filter", MFD_CLOEXEC));
  if (!file) return sys_error("system call filter");
  const int rc = seccomp_export_bpf(context.get(), file.get());
  if (rc != 0) return errno_error(-rc, "system call filter");
  const struct stat st = TRY(stat_of(file.get()));
  std::string program(static_cast<std::size_t>(st.st_size), '\0');
  TRY(pread_full(file.get(), std::as_writable_bytes(std::span(program)), 0));
  return program;
}

Result<std::string> make_filter() {
  const Context context(seccomp_init(SCMP_ACT_ERRNO(EPERM)));
  if (!context) return error(Errc::io, "system call filter: libseccomp refused");
  (void)seccomp_attr_set(context.get(), SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
  (void)seccomp_attr_set(context.get(), SCMP_FLTATR_CTL_OPTIMIZE, 2);  // a tree instead of a list
  TRY(add_plain(context));
  TRY(add_conditional(context));
  const std::string rest = TRY(exported(context));
  return prefix() + rest;
}

}  // namespace

std::uint64_t step_capabilities() {
  std::uint64_t bits = 0;
  for (const unsigned capability :
       {CAP_CHOWN, CAP_DAC_OVERRIDE, CAP_FOWNER, CAP_FSETID, CAP_SETUID, CAP_SETGID, CAP_SETPCAP, CAP_SETFCAP, CAP_KILL,
        CAP_SYS_CHROOT, CAP_NET_BIND_SERVICE, CAP_AUDIT_WRITE}) {
    bits |= std::uint64_t{1} << capability;
  }
  return bits;
}

Result<std::string> step_filter() {
  static const Result<std::string> filter = make_filter();
  return filter;
}

}  // namespace kiln::sandbox
