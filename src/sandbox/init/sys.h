// What the parts of the init share: reporting, reading the description, and system calls that glibc does not wrap.
// No exceptions, no allocation, no locale: this program is PID 1 of a step and does nothing but system calls.
#pragma once

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <initializer_list>

#include "sandbox/init/wire.h"

namespace kiln::sandbox::init {

/// Sends a message over the control socket.
void send_message(char kind, int number, std::initializer_list<const char*> text);

/// Reports errno and what was being done, and ends the process.
[[noreturn]] void fail(std::initializer_list<const char*> what);
[[noreturn]] void fail_with(int error, std::initializer_list<const char*> what);

/// Walks the description. Texts point into it and end with a NUL.
class Reader {
 public:
  Reader(const char* begin, std::size_t size) : at_(begin), end_(begin + size) {}
  std::uint64_t number() {
    std::uint64_t value = 0;
    if (static_cast<std::size_t>(end_ - at_) < sizeof value)
      fail_with(EBADMSG, {"reading the description of the step"});
    std::memcpy(&value, at_, sizeof value);
    at_ += sizeof value;
    return value;
  }
  const char* text(std::size_t* size = nullptr) {
    const std::uint64_t n = number();
    if (n >= static_cast<std::uint64_t>(end_ - at_)) fail_with(EBADMSG, {"reading the description of the step"});
    const char* begin = at_;
    at_ += n + 1;
    if (size != nullptr) *size = n;
    return begin;
  }

 private:
  const char* at_;
  const char* end_;
};

inline int open_below(int dir, const char* path, int flags, std::uint64_t resolve, mode_t mode = 0) {
  open_how how{};
  how.flags = static_cast<std::uint64_t>(flags) | O_CLOEXEC;
  how.mode = mode;
  how.resolve = resolve | RESOLVE_NO_MAGICLINKS;
  for (int tries = 0; tries < 128; ++tries) {
    const long fd = ::syscall(SYS_openat2, dir, path, &how, sizeof how);
    if (fd >= 0 || (errno != EAGAIN && errno != EINTR)) return static_cast<int>(fd);
  }
  return -1;
}

/// "/proc/self/fd/N".
struct FdPath {
  explicit FdPath(int fd) {
    char digits[12];
    int n = 0;
    do digits[n++] = static_cast<char>('0' + fd % 10);
    while ((fd /= 10) > 0);
    std::memcpy(text, "/proc/self/fd/", 14);
    for (int i = 0; i < n; ++i) text[14 + i] = digits[n - 1 - i];
    text[14 + n] = '\0';
  }
  char text[32];
};

/// Writes all of it; false with errno set otherwise.
bool write_all(int fd, const char* data, std::size_t size);

/// What the set-up leaves for the action.
struct State {
  int root = -1;   // the new root
  int links = -1;  // a detached tmpfs that holds short links to layers
  unsigned link_count = 0;
  int proc = -1;                   // the mount of the new /proc
  int sources[wire::kMaxSources];  // trees and files of the host that the action copies from or to
  unsigned source_count = 0;
  struct Script {
    const char* path;
    dev_t device;
    ino_t inode;
  } scripts[64];
  unsigned script_count = 0;
};

/// Carries out the operations up to Op::end.
void set_up(State& state, Reader& in);

/// Operations of files.cc.
void make_dir(State& state, Reader& in);
void write_file(State& state, Reader& in, bool is_script);
void symlink(State& state, Reader& in);
void own_copy(State& state, Reader& in);

/// Copies an action's files; ends the process with exit code 0, or reports.
[[noreturn]] void upload(const State& state, Reader& in);
[[noreturn]] void download(const State& state, Reader& in);

/// The program's other face: reboot, shutdown, poweroff, halt inside a step.
int stub_command(const char* name, int argc, char** argv);

}  // namespace kiln::sandbox::init
