#include "store/lease.h"

#include <fcntl.h>
#include <unistd.h>

#include "base/text.h"

namespace kiln::store {

namespace {

constexpr std::size_t kHexDigits = 64;

/// fcntl with an open file description lock over the whole file; EINTR restarts.
bool file_lock(int fd, int command, short type, struct flock& request) {
  request = {};
  request.l_type = type;
  request.l_whence = SEEK_SET;
  while (::fcntl(fd, command, &request) != 0) {
    if (errno != EINTR) return false;
  }
  return true;
}

}  // namespace

Leases::~Leases() {
  if (file_) (void)::unlink(path_.c_str());
}

Result<> Leases::start() {
  if (!gate_) {
    gate_.reset(::openat(home_.dir.get(), "locks/gc", O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600));
    if (!gate_) return sys_error("open {}/locks/gc", home_.root);
  }
  while (!file_) {
    const fs::path path = home_.root / "leases" / fmt::format("{}-{}", ::getpid(), to_hex(random_bytes(6)));
    auto lock = TRY(LockFile::try_lock(path, LockKind::exclusive));
    if (!lock) continue;  // a sweep looks at the new file: take another name
    file_.reset(::open(path.c_str(), O_WRONLY | O_APPEND | O_NOFOLLOW | O_CLOEXEC));
    if (!file_) return sys_error("open {}", path);
    path_ = path;
    lock_ = std::move(lock);
  }
  return {};
}

Result<> Leases::append(const std::string& line) {
  TRY(start());
  Result<> written = write_full(file_.get(), line);
  if (written) {
    size_ += line.size();
  } else {
    (void)::ftruncate(file_.get(), static_cast<off_t>(size_));  // no half line before the next one
  }
  return std::move(written).context("writing {}", path_);
}

/// A collector holds locks/gc exclusively from before it reads the leases until it has renamed what goes. When we see
/// it free after writing ours, every later collector reads ours; when not, we wait until this one is done. Asking costs
/// one call and takes no lock.
Result<> Leases::wait_for_collector() {
  struct flock request {};
  if (!file_lock(gate_.get(), F_OFD_GETLK, F_RDLCK, request)) return sys_error("lock {}/locks/gc", home_.root);
  if (request.l_type == F_UNLCK) return {};
  if (!file_lock(gate_.get(), F_OFD_SETLKW, F_RDLCK, request)) return sys_error("lock {}/locks/gc", home_.root);
  if (!file_lock(gate_.get(), F_OFD_SETLK, F_UNLCK, request)) return sys_error("unlock {}/locks/gc", home_.root);
  return {};
}

Result<> Leases::add(const Digest& digest) {
  const std::lock_guard guard(mutex_);
  if (digest.empty() || gate_shut_ || !held_.insert(digest.hex()).second) return {};
  Result<> written = append(digest.hex() + "\n");
  if (written) return wait_for_collector();
  held_.erase(digest.hex());
  if (written.error().code() != Errc::no_space || !gate_) return written;
  struct flock request {};  // a full disk must not keep a build from what it has: keep all collectors out instead
  if (!file_lock(gate_.get(), F_OFD_SETLKW, F_RDLCK, request)) return written;
  gate_shut_ = true;
  return {};
}

Result<std::set<std::string>> living_leases(const fs::path& root) {
  std::set<std::string> held;
  const Fd dir = TRY(open_dir(root / "leases"));
  for (const std::string& name : TRY(list_dir(dir.get()))) {
    const fs::path path = root / "leases" / name;
    const auto dead = TRY(LockFile::try_lock(path, LockKind::exclusive));
    if (dead) {
      (void)::unlink(path.c_str());
      continue;
    }
    auto text = read_file(path, std::uint64_t{1} << 30);
    if (!text && text.error().code() == Errc::not_found) continue;
    if (!text) return std::move(text).error();
    for (std::string& line : split(*text, '\n')) {
      if (line.size() == kHexDigits) held.insert(std::move(line));
    }
  }
  return held;
}

}  // namespace kiln::store
