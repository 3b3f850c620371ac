#include "base/fd.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <memory>

namespace kiln {

void Fd::reset(int fd) {
  if (fd_ >= 0) ::close(fd_);
  fd_ = fd;
}

Result<> Fd::close() {
  const int fd = release();
  if (fd >= 0 && ::close(fd) != 0 && errno != EINTR) return sys_error("close");
  return {};
}

Result<Fd> open_read(const fs::path& path) {
  Fd probe(::open(path.c_str(), O_PATH | O_CLOEXEC));
  if (!probe) return sys_error("open {}", path);
  const auto st = TRY(stat_of(probe.get()).context("open {}", path));
  if (!S_ISREG(st.st_mode)) return error(Errc::corrupt, "open {}: not a regular file", path);
  Fd fd(::open(fmt::format("/proc/self/fd/{}", probe.get()).c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY));
  if (!fd) return sys_error("open {}", path);
  return fd;
}

Result<Fd> open_dir(const fs::path& path) {
  Fd fd(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd) return sys_error("open {}", path);
  return fd;
}

Result<Fd> open_at(int dir, const std::string& path, int flags, Resolve how, mode_t mode) {
  open_how request{};
  request.flags = static_cast<std::uint64_t>(flags) | O_CLOEXEC;
  request.mode = (flags & (O_CREAT | O_TMPFILE)) != 0 ? mode : 0;
  request.resolve = RESOLVE_NO_MAGICLINKS;
  if (how == Resolve::in_root) request.resolve |= RESOLVE_IN_ROOT;
  if (how == Resolve::beneath) request.resolve |= RESOLVE_BENEATH;
  if (how == Resolve::no_symlinks) request.resolve |= RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS;
  constexpr int kTries = 128;  // a rename raced with "..": EAGAIN asks for another try
  for (int i = 0; i < kTries; ++i) {
    const long fd = ::syscall(SYS_openat2, dir, path.c_str(), &request, sizeof request);
    if (fd >= 0) return Fd(static_cast<int>(fd));
    if (errno != EAGAIN && errno != EINTR) break;
  }
  return sys_error("open {}", path);
}

Result<struct stat> stat_of(int fd) {
  struct stat st {};
  if (::fstat(fd, &st) != 0) return sys_error("fstat");
  return st;
}

Result<struct stat> stat_at(int dir, const std::string& name) {
  struct stat st {};
  if (::fstatat(dir, name.c_str(), &st, AT_SYMLINK_NOFOLLOW) != 0) return sys_error("stat {}", name);
  return st;
}

Result<std::string> read_link_at(int dir, const std::string& name) {
  std::string target(4096, '\0');
  const ssize_t n = ::readlinkat(dir, name.c_str(), target.data(), target.size());
  if (n < 0) return sys_error("readlink {}", name);
  target.resize(static_cast<std::size_t>(n));
  return target;
}

Result<std::size_t> read_full(int fd, std::span<std::byte> buffer) {
  std::size_t done = 0;
  while (done < buffer.size()) {
    const ssize_t n = ::read(fd, buffer.data() + done, buffer.size() - done);
    if (n == 0) break;
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return sys_error("read");
    done += static_cast<std::size_t>(n);
  }
  return done;
}

Result<std::size_t> pread_full(int fd, std::span<std::byte> buffer, std::uint64_t offset) {
  std::size_t done = 0;
  while (done < buffer.size()) {
    const ssize_t n = ::pread(fd, buffer.data() + done, buffer.size() - done, static_cast<off_t>(offset + done));
    if (n == 0) break;
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return sys_error("read");
    done += static_cast<std::size_t>(n);
  }
  return done;
}

Result<> write_full(int fd, std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const ssize_t n = ::write(fd, bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return sys_error("write");
    bytes = bytes.subspan(static_cast<std::size_t>(n));
  }
  return {};
}

Result<> write_full(int fd, std::string_view text) {
  return write_full(fd, as_bytes(text));
}

Result<std::vector<std::string>> list_dir(int dir) {
  Fd copy(::openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!copy) return sys_error("list directory");
  const std::unique_ptr<DIR, int (*)(DIR*)> stream(::fdopendir(copy.get()), &::closedir);
  if (!stream) return sys_error("list directory");
  (void)copy.release();
  std::vector<std::string> names;
  errno = 0;
  while (const dirent* entry = ::readdir(stream.get())) {
    const std::string_view name = entry->d_name;
    if (name != "." && name != "..") names.emplace_back(name);
    errno = 0;
  }
  if (errno != 0) return sys_error("list directory");
  std::sort(names.begin(), names.end());
  return names;
}

Result<Pipe> make_pipe() {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return sys_error("pipe");
  return Pipe{Fd(ends[0]), Fd(ends[1])};
}

}  // namespace kiln
