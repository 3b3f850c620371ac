// Whole files and directories of our own: reading and writing small files, atomic replacement, temporary directories,
// recursive removal. For paths inside images use fd.h.
#pragma once

#include "base/fd.h"

namespace kiln {

/// Reads a regular file of at most limit bytes (Errc::corrupt above that).
Result<std::string> read_file(const fs::path& path, std::uint64_t limit = std::uint64_t{16} << 20);

/// mkdir -p with mode 0755 less the umask; an existing directory is fine.
Result<> make_dirs(const fs::path& path);

/// Removes a tree by descriptor, never following links or crossing mounts; a missing path is fine.
Result<> remove_tree(const fs::path& path);
Result<> remove_tree_at(int dir, const std::string& name);

/// A file written beside its target as NAME.partial and renamed over it by commit(), after fsync, so that a reader sees
/// all or nothing. Destroyed without commit(), it leaves nothing.
class AtomicFile {
 public:
  static Result<AtomicFile> create(const fs::path& target, mode_t mode = 0644);
  AtomicFile(AtomicFile&&) = default;
  AtomicFile& operator=(AtomicFile&&) = delete;
  ~AtomicFile();
  int fd() const { return fd_.get(); }
  Result<> write(std::string_view text) { return write_full(fd_.get(), text); }
  /// fsync, rename, fsync of the directory.
  Result<> commit();

 private:
  AtomicFile(Fd fd, fs::path target, fs::path partial)
      : fd_(std::move(fd)), target_(std::move(target)), partial_(std::move(partial)) {}
  Fd fd_;
  fs::path target_, partial_;
};

/// AtomicFile in one call. Durable: waits for the disk.
Result<> write_file(const fs::path& path, std::string_view text, mode_t mode = 0644);

/// The same without waiting for the disk: for what can be made again.
Result<> write_file_quick(const fs::path& path, std::string_view text, mode_t mode = 0644);

/// A private directory (0700) below parent, removed with all it holds when the owner goes.
class TempDir {
 public:
  static Result<TempDir> create(const fs::path& parent, std::string_view prefix);
  TempDir(TempDir&& other) noexcept : path_(std::exchange(other.path_, {})) {}
  TempDir& operator=(TempDir&&) = delete;
  ~TempDir();
  const fs::path& path() const { return path_; }
  /// The owner no longer removes it.
  fs::path release() { return std::exchange(path_, {}); }

 private:
  explicit TempDir(fs::path path) : path_(std::move(path)) {}
  fs::path path_;
};

}  // namespace kiln
