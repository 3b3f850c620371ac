#include "base/lock.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/text.h"

namespace kiln {

namespace {

/// Whether the locked file still has its name (a lock on a deleted file protects nothing).
bool still_named(int fd, const fs::path& path) {
  struct stat a {};
  struct stat b {};
  return ::fstat(fd, &a) == 0 && ::stat(path.c_str(), &b) == 0 && a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

}  // namespace

Result<std::optional<LockFile>> LockFile::try_lock(const fs::path& path, LockKind kind) {
  for (;;) {
    Fd fd(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
    if (!fd) return sys_error("lock {}", path);
    struct flock request {};
    request.l_type = static_cast<short>(kind == LockKind::exclusive ? F_WRLCK : F_RDLCK);
    request.l_whence = SEEK_SET;
    if (::fcntl(fd.get(), F_OFD_SETLK, &request) != 0) {
      if (errno == EAGAIN || errno == EACCES) return std::optional<LockFile>();
      if (errno == EINTR) continue;
      return sys_error("lock {}", path);
    }
    if (still_named(fd.get(), path)) return std::optional<LockFile>(LockFile(std::move(fd)));
  }
}

Result<LockFile> LockFile::lock(const fs::path& path, LockKind kind, const Cancel& cancel,
                                const std::function<void(const std::string&)>& on_wait) {
  constexpr Duration kNotice{10'000};
  auto next_notice = Clock::now();
  Duration pause{1};
  for (;;) {
    auto held = TRY(try_lock(path, kind));
    if (held) return std::move(*held);
    if (on_wait && Clock::now() >= next_notice) {
      auto holder = read_file(path, 4096);
      on_wait(holder ? visible(*holder) : std::string());
      next_notice = Clock::now() + kNotice;
    }
    if (!cancel.sleep(pause)) return error(Errc::interrupted, "interrupted while waiting for {}", path);
    pause = std::min(pause * 2, Duration(50));
  }
}

Result<> LockFile::note(std::string_view text) {
  if (::ftruncate(fd_.get(), 0) != 0) return sys_error("lock note");
  if (::pwrite(fd_.get(), text.data(), text.size(), 0) < 0) return sys_error("lock note");
  return {};
}

}  // namespace kiln
