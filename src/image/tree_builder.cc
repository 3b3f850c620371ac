#include "image/tree_builder.h"

#include <fcntl.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>

#include "base/endian.h"
#include "base/file.h"
#include "tree/merged.h"

namespace kiln::image {

namespace {

constexpr std::uint64_t kMaxReplaced = 1000;  // entries that replace another one of the same archive

Result<bool> exists_as(int parent, const std::string& name, struct stat& st) {
  if (::fstatat(parent, name.c_str(), &st, AT_SYMLINK_NOFOLLOW) == 0) return true;
  if (errno == ENOENT) return false;
  return sys_error("stat");
}

Result<> set_opaque(int dir) {
  if (::fsetxattr(dir, "trusted.overlay.opaque", "y", 1, 0) != 0) return sys_error("mark directory opaque");
  return {};
}

/// File capabilities of version 2 or 3 with the length that belongs to it.
bool is_capability(std::string_view value) {
  if (value.size() < sizeof(le32)) return false;
  le32 magic;
  std::copy_n(value.data(), sizeof magic, reinterpret_cast<char*>(&magic));
  const std::uint32_t version = magic >> 24;
  return (version == 2 && value.size() == 20) || (version == 3 && value.size() == 24);
}

Result<> set_xattrs(int fd, const std::map<std::string, std::string>& xattrs) {
  for (const auto& [name, value] : xattrs) {
    if (name == "security.capability" && !is_capability(value)) {
      return error(Errc::corrupt, "attribute {} is malformed", name);
    }
    if (::fsetxattr(fd, name.c_str(), value.data(), value.size(), 0) == 0) continue;
    if (errno == EINVAL) return error(Errc::corrupt, "attribute {} is malformed", name);
    return sys_error("set attribute {}", name);
  }
  return {};
}

std::array<timespec, 2> times_of(std::int64_t mtime) {
  const timespec time{static_cast<time_t>(mtime), 0};
  return {time, time};
}

/// Owner and time of something that has no descriptor to write through.
Result<> set_owner_and_time(int parent, const std::string& name, const TarMember& member) {
  if (::fchownat(parent, name.c_str(), member.uid, member.gid, AT_SYMLINK_NOFOLLOW) != 0) return sys_error("chown");
  if (::utimensat(parent, name.c_str(), times_of(member.mtime).data(), AT_SYMLINK_NOFOLLOW) != 0) {
    return sys_error("set time");
  }
  return {};
}

}  // namespace

Result<TreeBuilder> TreeBuilder::create(const fs::path& root, std::uint64_t byte_limit, const Cancel& cancel) {
  Fd dir = TRY(open_dir(root));
  if (!TRY(list_dir(dir.get())).empty()) return error(Errc::io, "{}: not empty", root);
  if (::fchmod(dir.get(), 0755) != 0) return sys_error("chmod {}", root);
  return TreeBuilder(std::move(dir), byte_limit, cancel);
}

/// A missing parent, or one that only a whiteout stands for, becomes a directory as other unpackers make it.
Result<Fd> TreeBuilder::make_parent(int above, const std::string& name, const std::string& path) {
  struct stat st {};
  const bool exists = TRY(exists_as(above, name, st));
  const bool was_whiteout = exists && tree::is_whiteout(st);
  if (exists && !was_whiteout) return error(Errc::corrupt, "its parent '{}' is not a directory", name);
  if (was_whiteout && ::unlinkat(above, name.c_str(), 0) != 0) return sys_error("remove");
  if (::mkdirat(above, name.c_str(), 0755) != 0) return sys_error("make directory");
  Fd made = TRY(open_at(above, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, Resolve::no_symlinks));
  if (::fchmod(made.get(), 0755) != 0) return sys_error("chmod");
  if (was_whiteout) TRY(set_opaque(made.get()));
  directories_.try_emplace(path);
  return made;
}

/// Resolves a directory inside the root, part by part where parts are missing.
Result<Fd> TreeBuilder::open_parent(const std::string& path) {
  constexpr int kFlags = O_PATH | O_DIRECTORY;
  auto found = open_at(root_.get(), path.empty() ? "." : path, kFlags, Resolve::in_root);
  if (found || path.empty()) return found;
  Fd above = TRY(open_at(root_.get(), ".", kFlags, Resolve::in_root));
  for (std::size_t end = 0; end != std::string::npos;) {
    const std::size_t start = end == 0 ? 0 : end + 1;
    end = path.find('/', start);
    auto next = open_at(root_.get(), path.substr(0, end), kFlags, Resolve::in_root);
    if (!next) {
      const std::string name = path.substr(start, end == std::string::npos ? end : end - start);
      next = make_parent(above.get(), name, path.substr(0, end));
    }
    above = TRY(std::move(next));
  }
  return above;
}

Result<TreeBuilder::Place> TreeBuilder::place_of(const std::string& path) {
  const std::size_t cut = path.rfind('/');
  const std::string parent = cut == std::string::npos ? "" : path.substr(0, cut);
  if (!parent_ || is_parent_stale_ || parent != parent_path_) {
    parent_ = TRY(open_parent(parent));
    parent_path_ = parent;
    is_parent_stale_ = false;
  }
  return Place{parent_.get(), cut == std::string::npos ? path : path.substr(cut + 1), path};
}

/// Removes what stands at a place; true when that was a whiteout.
Result<bool> TreeBuilder::clear(const Place& place) {
  struct stat st {};
  if (!TRY(exists_as(place.parent, place.name, st))) return false;
  if (!tree::is_whiteout(st) && ++replaced_ > kMaxReplaced) {
    return error(Errc::corrupt, "more than {} entries replace an earlier one", kMaxReplaced);
  }
  TRY(remove_tree_at(place.parent, place.name));
  is_parent_stale_ = true;  // the parent of a later entry may have been reached through it
  directories_.erase(place.path);
  directories_.erase(directories_.lower_bound(place.path + "/"), directories_.lower_bound(place.path + "0"));
  return tree::is_whiteout(st);
}

Result<> TreeBuilder::add(const TarMember& member, Source& content) {
  TRY(cancel_->check());
  if (member.path.empty()) {
    directories_[""] = {member.mode, member.mtime, member.xattrs};
    if (::fchown(root_.get(), member.uid, member.gid) != 0) return sys_error("chown");
    return {};
  }
  const Place place = TRY(place_of(member.path));
  if (member.type == TarType::directory) return make_directory(place, member);
  // The link's target is resolved before its place is cleared: both may be the same name.
  if (member.type == TarType::hard_link) return make_hard_link(place, member);
  TRY(clear(place));
  switch (member.type) {
    case TarType::file:
      return make_file(place, member, content);
    case TarType::symlink:
      return make_symlink(place, member);
    default:
      return make_node(place, member);
  }
}

Result<> TreeBuilder::make_directory(const Place& place, const TarMember& member) {
  struct stat st {};
  const bool exists = TRY(exists_as(place.parent, place.name, st));
  bool hides_lower = false;
  if (!exists || !S_ISDIR(st.st_mode)) {
    hides_lower = TRY(clear(place));
    if (::mkdirat(place.parent, place.name.c_str(), 0700) != 0) return sys_error("make directory");
  }
  const Fd dir = TRY(open_at(place.parent, place.name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, Resolve::no_symlinks));
  if (hides_lower) TRY(set_opaque(dir.get()));
  if (::fchown(dir.get(), member.uid, member.gid) != 0) return sys_error("chown");
  directories_[member.path] = {member.mode, member.mtime, member.xattrs};
  return {};
}

Result<> TreeBuilder::make_file(const Place& place, const TarMember& member, Source& content) {
  if (member.size > bytes_left_) return error(Errc::corrupt, "its size of {} bytes is over the limit", member.size);
  bytes_left_ -= member.size;
  const int flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
  Fd fd(::openat(place.parent, place.name.c_str(), flags, 0600));
  if (!fd) return sys_error("create");
  TRY(copy_content(fd.get(), member, content));
  if (::fchown(fd.get(), member.uid, member.gid) != 0) return sys_error("chown");
  if (::fchmod(fd.get(), member.mode) != 0) return sys_error("chmod");
  TRY(set_xattrs(fd.get(), member.xattrs));
  if (::futimens(fd.get(), times_of(member.mtime).data()) != 0) return sys_error("set time");
  return fd.close();
}

Result<> TreeBuilder::copy_content(int fd, const TarMember& member, Source& content) {
  std::vector<TarExtent> extents = member.extents;
  if (!member.sparse) extents = {{0, member.size}};
  for (const TarExtent& extent : extents) {
    if (::lseek(fd, static_cast<off_t>(extent.offset), SEEK_SET) < 0) return sys_error("seek");
    for (std::uint64_t left = extent.bytes; left > 0;) {
      TRY(cancel_->check());
      const auto want = static_cast<std::size_t>(std::min<std::uint64_t>(left, buffer_.size()));
      const std::size_t n = TRY(content.read(std::span(buffer_).first(want)));
      if (n == 0) return error(Errc::corrupt, "the archive is cut off");
      TRY(write_full(fd, std::span<const std::byte>(buffer_).first(n)));
      left -= n;
    }
  }
  if (member.sparse && ::ftruncate(fd, static_cast<off_t>(member.size)) != 0) return sys_error("truncate");
  return {};
}

Result<> TreeBuilder::make_hard_link(const Place& place, const TarMember& member) {
  auto target = open_at(root_.get(), member.link, O_PATH | O_NOFOLLOW, Resolve::in_root);
  if (!target) return error(Errc::corrupt, "hard link to '{}', which this archive has not", member.link);
  const struct stat st = TRY(stat_of(target->get()));
  if (!S_ISREG(st.st_mode) && !S_ISLNK(st.st_mode)) {
    return error(Errc::corrupt, "hard link to '{}', which is not a file", member.link);
  }
  struct stat there {};
  const bool exists = TRY(exists_as(place.parent, place.name, there));
  if (exists && there.st_ino == st.st_ino) return {};  // a link to itself
  TRY(clear(place));
  const std::string through = fmt::format("/proc/self/fd/{}", target->get());
  if (::linkat(AT_FDCWD, through.c_str(), place.parent, place.name.c_str(), AT_SYMLINK_FOLLOW) != 0) {
    if (errno == ENOENT) return error(Errc::corrupt, "hard link to '{}', which it replaces", member.link);
    return sys_error("link");
  }
  return {};
}

Result<> TreeBuilder::make_symlink(const Place& place, const TarMember& member) {
  if (::symlinkat(member.link.c_str(), place.parent, place.name.c_str()) != 0) return sys_error("make link");
  return set_owner_and_time(place.parent, place.name, member);
}

Result<> TreeBuilder::make_node(const Place& place, const TarMember& member) {
  const mode_t kind = member.type == TarType::char_device    ? S_IFCHR
                      : member.type == TarType::block_device ? S_IFBLK
                                                             : S_IFIFO;
  const dev_t device = kind == S_IFIFO ? 0 : makedev(member.dev_major, member.dev_minor);
  if (kind == S_IFCHR && device == makedev(0, 0)) return error(Errc::corrupt, "a character device 0:0");
  if (::mknodat(place.parent, place.name.c_str(), kind | 0600, device) != 0) return sys_error("make node");
  TRY(set_owner_and_time(place.parent, place.name, member));
  const Fd made = TRY(open_at(place.parent, place.name, O_PATH | O_NOFOLLOW, Resolve::no_symlinks));
  const std::string through = fmt::format("/proc/self/fd/{}", made.get());
  if (::chmod(through.c_str(), member.mode) != 0) return sys_error("chmod");
  return {};
}

Result<> TreeBuilder::add_whiteout(const std::string& path) {
  const Place place = TRY(place_of(path));
  struct stat st {};
  if (TRY(exists_as(place.parent, place.name, st))) {
    return S_ISDIR(st.st_mode) ? add_opaque(path) : Result<>();  // anything else hides the lower one by itself
  }
  if (::mknodat(place.parent, place.name.c_str(), S_IFCHR, makedev(0, 0)) != 0) return sys_error("make whiteout");
  return {};
}

Result<> TreeBuilder::add_opaque(const std::string& path) {
  if (path.empty()) return set_opaque(root_.get());
  (void)TRY(place_of(path + "/x"));  // makes the directory where only its marker came so far
  const Fd dir = TRY(open_at(root_.get(), path, O_RDONLY | O_DIRECTORY, Resolve::in_root));
  return set_opaque(dir.get());
}

Result<> TreeBuilder::finish() {
  for (auto it = directories_.rbegin(); it != directories_.rend(); ++it) {  // children before parents
    const auto& [path, meta] = *it;
    const std::string name = path.empty() ? "." : path;
    auto dir = open_at(root_.get(), name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, Resolve::in_root);
    if (!dir) continue;  // a later entry replaced it
    if (::fchmod(dir->get(), meta.mode) != 0) return sys_error("chmod");
    TRY(set_xattrs(dir->get(), meta.xattrs).context("entry '{}'", path));
    if (::futimens(dir->get(), times_of(meta.mtime).data()) != 0) return sys_error("set time");
  }
  return {};
}

}  // namespace kiln::image
