// What kiln tells its init: the operations of the set-up and the action, as a flat run of numbers and texts in a memfd.
// A number is 8 bytes in host order; a text is its length as a number, its bytes and a NUL. Both ends are of one build,
// so there is no version.
#pragma once

#include <cstdint>

namespace kiln::sandbox::wire {

/// Fields in the order in which they follow the operation. Paths without a leading "/" are below the new root.
enum class Op : std::uint64_t {
  end,         // the action follows
  overlay,     // target ("" is the new root, then a host directory follows), host directory, upper, work, n, n lowers
  tmpfs,       // target, options ("mode=755,size=64k"), MOUNT_ATTR flags
  proc,        // target
  devpts,      // target
  read_only,   // path below a proc mount, skipped when it is missing
  mask,        // path below a proc mount, skipped when it is missing
  device,      // name of a node of the host's /dev, target, major, minor
  bind,        // host path, target, 1: read-only
  make_dir,    // path, mode
  write_file,  // path, mode, content; an existing entry is replaced
  script,      // the same, and removed at the end
  symlink,     // text, path
  own_copy,    // path: the init's own program, for the stub commands
  hostname,    // name
  loopback,    // brings lo up
  source,      // host path, kept open for the action (by its number, from 0)
  pivot,       // the new root becomes "/", nothing of the host stays mounted
  max_procs,   // number
};

enum class Action : std::uint64_t {
  exec,      // n, n arguments, directory, n, n variables, uid, gid, n, n groups, 1: terminal
  upload,    // clock, n, n * (source number, destination, base name, 1: contents)
  download,  // n, n * (path, source number)
};
// Between Op::end and the action: 1: no_new_privs; capabilities as a bit set; the seccomp program (array of
// sock_filter) as a text.

// Descriptors that the init starts with, beside 0, 1 and 2.
constexpr int kControlFd = 3;  // SOCK_SEQPACKET; its closing ends the step
constexpr int kSpecFd = 4;
constexpr int kProgramFd = 5;  // the init's own memfd

// Messages of the init: one byte of kind, then a 4-byte number, then text.
constexpr char kFailed = 'E';        // errno, what was being done
constexpr char kExited = 'X';        // exit code, 128 + signal when killed
constexpr char kDisconnected = 'D';  // a stub such as reboot asked for the end
constexpr char kTerminal = 'T';      // comes with the master side of the pty
// Messages to the init.
constexpr char kTerminate = 'T';

constexpr unsigned kMaxMessage = 4096;
constexpr unsigned kMaxSources = 256;
constexpr unsigned kMaxGroups = 64;

}  // namespace kiln::sandbox::wire
