// File descriptors: their owner, and the opening, reading and walking of files by descriptor. Paths that come from an
// image, an archive or a sandbox are only ever resolved here, by openat2 below a directory (hardening section 2).
#pragma once

#include <sys/stat.h>

#include <cstddef>
#include <functional>
#include <span>
#include <string>
#include <string_view>

#include "base/error.h"

namespace kiln {

/// Owns a descriptor; closes it silently. Where a failing close matters, use close().
class Fd {
 public:
  Fd() = default;
  explicit Fd(int fd) : fd_(fd) {}
  Fd(Fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Fd& operator=(Fd&& other) noexcept {
    if (this != &other) reset(std::exchange(other.fd_, -1));
    return *this;
  }
  ~Fd() { reset(); }
  int get() const { return fd_; }
  explicit operator bool() const { return fd_ >= 0; }
  int release() { return std::exchange(fd_, -1); }
  void reset(int fd = -1);
  /// Closes and reports the error that a write left for close (EIO, ENOSPC, EDQUOT).
  Result<> close();

 private:
  int fd_ = -1;
};

/// Opens a regular file for reading (O_CLOEXEC). Anything else than a regular file is refused with Errc::corrupt before
/// it can block: a FIFO or device never hangs the caller.
Result<Fd> open_read(const fs::path& path);

/// Opens a directory O_PATH or for listing.
Result<Fd> open_dir(const fs::path& path);

/// How openat2 treats a path below a directory.
enum class Resolve : std::uint8_t {
  in_root,      // as if chroot'ed: absolute links and ".." stay inside (image trees)
  beneath,      // escaping is an error (paths that a user gives relative to a root)
  no_symlinks,  // no link is followed at all (our own directories)
};

/// openat2 below dir. Magic links are never followed; EAGAIN is tried again. flags get O_CLOEXEC.
Result<Fd> open_at(int dir, const std::string& path, int flags, Resolve how, mode_t mode = 0);

/// fstat and fstatat (not following a last link).
Result<struct stat> stat_of(int fd);
Result<struct stat> stat_at(int dir, const std::string& name);

/// The text of a symbolic link.
Result<std::string> read_link_at(int dir, const std::string& name);

/// Reads up to buffer.size() bytes; less only at the end of the file. EINTR restarts.
Result<std::size_t> read_full(int fd, std::span<std::byte> buffer);
Result<std::size_t> pread_full(int fd, std::span<std::byte> buffer, std::uint64_t offset);

/// Writes everything; short writes go on, EINTR restarts.
Result<> write_full(int fd, std::span<const std::byte> bytes);
Result<> write_full(int fd, std::string_view text);

/// The names in a directory, without "." and "..", sorted bytewise.
Result<std::vector<std::string>> list_dir(int dir);

/// A pair of connected pipe ends, close-on-exec.
struct Pipe {
  Fd read, write;
};
Result<Pipe> make_pipe();

inline std::span<const std::byte> as_bytes(std::string_view s) {
  return {reinterpret_cast<const std::byte*>(s.data()), s.size()};
}
inline std::string_view as_text(std::span<const std::byte> b) {
  return {reinterpret_cast<const char*>(b.data()), b.size()};
}

}  // namespace kiln
