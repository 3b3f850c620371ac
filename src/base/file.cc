#include "base/file.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

namespace kiln {

Result<std::string> read_file(const fs::path& path, std::uint64_t limit) {
  const Fd fd = TRY(open_read(path));
  std::string text;
  std::byte buffer[64 << 10];
  for (;;) {
    const std::size_t n = TRY(read_full(fd.get(), buffer).context("reading {}", path));
    if (text.size() + n > limit) return error(Errc::corrupt, "reading {}: larger than {} bytes", path, limit);
    text.append(reinterpret_cast<const char*>(buffer), n);
    if (n < sizeof buffer) return text;
  }
}

Result<> make_dirs(const fs::path& path) {
  std::error_code ec;
  fs::create_directories(path, ec);
  if (ec) return errno_error(ec.value(), fmt::format("make directory {}", path));
  return {};
}

namespace {

/// Whether a directory is where a file system or a bind mount begins: what lies below belongs to somebody else.
Result<bool> is_mount_root(int dir) {
  struct statx st {};
  if (::statx(dir, "", AT_EMPTY_PATH, STATX_TYPE, &st) != 0) return sys_error("statx");
  return (st.stx_attributes & STATX_ATTR_MOUNT_ROOT) != 0;
}

Result<> empty_dir(int dir, int depth) {
  constexpr int kMaxDepth = 4096;
  if (depth > kMaxDepth) return error(Errc::io, "remove: directories nested deeper than {}", kMaxDepth);
  (void)::fchmod(dir, 0700);  // a tree may hold directories of mode 0000
  for (const std::string& name : TRY(list_dir(dir))) {
    if (::unlinkat(dir, name.c_str(), 0) == 0 || errno == ENOENT) continue;
    if (errno != EISDIR && errno != EPERM) return sys_error("remove {}", name);
    Fd path_fd(::openat(dir, name.c_str(), O_PATH | O_NOFOLLOW | O_DIRECTORY | O_CLOEXEC));
    if (!path_fd) return sys_error("remove {}", name);
    if (TRY(is_mount_root(path_fd.get()))) return error(Errc::io, "remove {}: something is mounted there", name);
    const struct stat st = TRY(stat_of(path_fd.get()));
    if ((st.st_mode & 0700) != 0700) (void)::fchmodat(dir, name.c_str(), 0700, 0);
    Fd child(::openat(dir, name.c_str(), O_RDONLY | O_NOFOLLOW | O_DIRECTORY | O_CLOEXEC));
    if (!child) return sys_error("remove {}", name);
    TRY(empty_dir(child.get(), depth + 1).context("remove {}", name));
    if (::unlinkat(dir, name.c_str(), AT_REMOVEDIR) != 0 && errno != ENOENT) return sys_error("remove {}", name);
  }
  return {};
}

fs::path parent_of(const fs::path& path) {
  const fs::path parent = path.parent_path();
  return parent.empty() ? fs::path(".") : parent;
}

Result<> sync_dir(const fs::path& path) {
  const Fd dir = TRY(open_dir(path));
  if (::fsync(dir.get()) != 0) return sys_error("sync {}", path);
  return {};
}

}  // namespace

Result<> remove_tree_at(int dir, const std::string& name) {
  if (::unlinkat(dir, name.c_str(), 0) == 0 || errno == ENOENT) return {};
  if (errno != EISDIR && errno != EPERM) return sys_error("remove {}", name);
  Fd child(::openat(dir, name.c_str(), O_RDONLY | O_NOFOLLOW | O_DIRECTORY | O_CLOEXEC));
  if (!child && errno == EACCES) {
    (void)::fchmodat(dir, name.c_str(), 0700, 0);
    child.reset(::openat(dir, name.c_str(), O_RDONLY | O_NOFOLLOW | O_DIRECTORY | O_CLOEXEC));
  }
  if (!child) return sys_error("remove {}", name);
  if (TRY(is_mount_root(child.get()))) return error(Errc::io, "remove {}: something is mounted there", name);
  TRY(empty_dir(child.get(), 0).context("remove {}", name));
  if (::unlinkat(dir, name.c_str(), AT_REMOVEDIR) != 0 && errno != ENOENT) return sys_error("remove {}", name);
  return {};
}

Result<> remove_tree(const fs::path& path) {
  auto dir = open_dir(parent_of(path));
  if (!dir) {
    if (dir.error().code() == Errc::not_found) return {};
    return std::move(dir).error();
  }
  return remove_tree_at(dir->get(), path.filename().string()).context("remove {}", path);
}

Result<AtomicFile> AtomicFile::create(const fs::path& target, mode_t mode) {
  fs::path partial = target;
  partial += ".partial";
  if (::unlink(partial.c_str()) != 0 && errno != ENOENT) return sys_error("create {}", partial);
  Fd fd(::open(partial.c_str(), O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode));
  if (!fd) return sys_error("create {}", partial);
  if (::fchmod(fd.get(), mode) != 0) return sys_error("create {}", partial);
  return AtomicFile(std::move(fd), target, std::move(partial));
}

AtomicFile::~AtomicFile() {
  if (fd_) (void)::unlink(partial_.c_str());
}

Result<> AtomicFile::commit() {
  if (::fsync(fd_.get()) != 0) return sys_error("sync {}", partial_);
  if (::rename(partial_.c_str(), target_.c_str()) != 0) return sys_error("rename {}", target_);
  TRY(fd_.close().context("close {}", target_));
  return sync_dir(parent_of(target_));
}

Result<> write_file(const fs::path& path, std::string_view text, mode_t mode) {
  auto file = TRY(AtomicFile::create(path, mode));
  TRY(file.write(text).context("writing {}", path));
  return file.commit();
}

Result<> write_file_quick(const fs::path& path, std::string_view text, mode_t mode) {
  std::string partial = path.native() + ".XXXXXX";
  Fd fd(::mkostemp(partial.data(), O_CLOEXEC));
  if (!fd) return sys_error("create {}", path);
  Result<> written = write_full(fd.get(), text);
  if (written && ::fchmod(fd.get(), mode) != 0) written = sys_error("chmod");
  if (written && ::rename(partial.c_str(), path.c_str()) != 0) written = sys_error("rename");
  if (!written) (void)::unlink(partial.c_str());
  return std::move(written).context("writing {}", path);
}

Result<TempDir> TempDir::create(const fs::path& parent, std::string_view prefix) {
  std::string name = fmt::format("{}/{}.XXXXXX", parent, prefix);
  if (::mkdtemp(name.data()) == nullptr) return sys_error("make temporary directory in {}", parent);
  return TempDir(fs::path(name));
}

TempDir::~TempDir() {
  if (!path_.empty()) (void)remove_tree(path_);
}

}  // namespace kiln
