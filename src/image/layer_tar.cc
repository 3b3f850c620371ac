#include "image/layer_tar.h"

#include <fcntl.h>
#include <linux/limits.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/text.h"
#include "image/tar_header.h"
#include "tree/merged.h"

namespace kiln::image {

namespace {

constexpr std::size_t kCopyBytes = 256 << 10;

/// The attributes of an open file or directory that a layer carries.
Result<std::map<std::string, std::string>> layer_xattrs(int fd) {
  std::map<std::string, std::string> found;
  const ssize_t room = ::flistxattr(fd, nullptr, 0);
  if (room == 0 || (room < 0 && errno == ENOTSUP)) return found;
  if (room < 0) return sys_error("list attributes");
  std::string names(static_cast<std::size_t>(room), '\0');
  const ssize_t listed = ::flistxattr(fd, names.data(), names.size());
  if (listed < 0) return sys_error("list attributes");
  names.resize(static_cast<std::size_t>(listed));
  for (std::size_t at = 0; at < names.size();) {
    const std::string name = names.c_str() + at;
    at += name.size() + 1;
    if (!is_layer_xattr(name)) continue;
    std::string value(XATTR_SIZE_MAX, '\0');
    const ssize_t size = ::fgetxattr(fd, name.c_str(), value.data(), value.size());
    if (size < 0) return sys_error("read attribute {}", name);
    found[name] = value.substr(0, static_cast<std::size_t>(size));
  }
  return found;
}

/// Whether a directory of an overlay layer hides what lower layers have under its name.
bool is_opaque(int dir) {
  for (const char* name : {"trusted.overlay.opaque", "user.overlay.opaque"}) {
    char value = 0;
    if (::fgetxattr(dir, name, &value, 1) == 1 && value == 'y') return true;
  }
  return false;
}

class LayerWriter {
 public:
  LayerWriter(Sink& out, const Cancel* cancel) : out_(out), cancel_(cancel), buffer_(kCopyBytes) {}

  Result<> write(const fs::path& tree) {
    const Fd root = TRY(open_dir(tree));
    const struct stat st = TRY(stat_of(root.get()));
    device_ = st.st_dev;
    TRY(write_root(root.get(), st));
    TRY(write_children(root.get(), "", 0));
    const std::string end(2 * kTarBlock, '\0');
    return out_.write(end);
  }
  std::uint64_t entries() const { return entries_; }

 private:
  Result<> put(const TarMember& member) {
    ++entries_;
    return out_.write(render_tar_header(member));
  }

  /// The root stands in the tar only when it is not the plain directory that every unpacker makes by itself. Its time
  /// is not carried: it says when an entry was last added, which is no part of the content.
  Result<> write_root(int dir, const struct stat& st) {
    TarMember root = described("", st);
    root.mtime = 0;
    root.xattrs = TRY(layer_xattrs(dir).context("layer root"));
    if (root.mode == 0755 && root.uid == 0 && root.gid == 0 && root.xattrs.empty()) return {};
    root.type = TarType::directory;
    return put(root);
  }

  Result<> write_children(int dir, const std::string& path, int depth) {
    if (depth > tree::kMaxDepth)
      return error(Errc::corrupt, "{}: deeper than {} directories", visible(path), tree::kMaxDepth);
    const std::string prefix = path.empty() ? "" : path + "/";
    if (is_opaque(dir)) TRY(put(TarMember{.path = prefix + std::string(kOpaqueName)}));
    for (const std::string& name : TRY(list_dir(dir).context("{}", visible(path)))) {
      TRY(write_entry(dir, name, prefix + name, depth).context("{}", visible(prefix + name)));
    }
    return {};
  }

  Result<> write_entry(int parent, const std::string& name, const std::string& path, int depth) {
    if (cancel_ != nullptr) TRY(cancel_->check());
    const struct stat st = TRY(stat_at(parent, name));
    if (st.st_dev != device_) return error(Errc::io, "another file system is mounted there");
    if (name.starts_with(kWhiteoutPrefix)) {
      return error(Errc::corrupt, "names that begin with .wh. mean removals in an image layer; rename or remove it");
    }
    if (tree::is_whiteout(st)) {
      const std::size_t cut = path.size() - name.size();
      return put(TarMember{.path = path.substr(0, cut) + std::string(kWhiteoutPrefix) + name});
    }
    switch (st.st_mode & S_IFMT) {
      case S_IFDIR:
        return write_directory(parent, name, path, st, depth);
      case S_IFREG:
        return write_file(parent, name, path, st);
      case S_IFLNK:
        return write_symlink(parent, name, path, st);
      case S_IFSOCK:
        return {};  // means nothing without the process that listens
      default:
        return write_special(path, st);
    }
  }

  static TarMember described(const std::string& path, const struct stat& st) {
    TarMember member{.path = path, .mode = st.st_mode & 07777U, .uid = st.st_uid, .gid = st.st_gid};
    member.mtime = st.st_mtim.tv_sec;
    return member;
  }

  /// Opens what stat_at saw, or refuses: nobody may change a layer while it is read.
  static Result<Fd> open_same(int parent, const std::string& name, int flags, const struct stat& seen) {
    Fd fd(::openat(parent, name.c_str(), flags | O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
    if (!fd) return sys_error("open");
    const struct stat st = TRY(stat_of(fd.get()));
    if (st.st_ino != seen.st_ino || st.st_dev != seen.st_dev) return error(Errc::io, "changed while it was read");
    return fd;
  }

  Result<> write_directory(int parent, const std::string& name, const std::string& path, const struct stat& st,
                           int depth) {
    const Fd dir = TRY(open_same(parent, name, O_DIRECTORY, st));
    TarMember member = described(path, st);
    member.type = TarType::directory;
    member.xattrs = TRY(layer_xattrs(dir.get()));
    TRY(put(member));
    return write_children(dir.get(), path, depth + 1);
  }

  /// The first name of an inode is the file, later ones link to it. Yields that first name for later ones.
  const std::string* first_name(const std::string& path, const struct stat& st) {
    if (st.st_nlink < 2) return nullptr;
    const auto [it, is_new] = first_names_.emplace(st.st_ino, path);
    return is_new ? nullptr : &it->second;
  }

  Result<> write_link(const std::string& path, const std::string& first, const struct stat& st) {
    TarMember member = described(path, st);
    member.type = TarType::hard_link;
    member.link = first;
    return put(member);
  }

  Result<> write_file(int parent, const std::string& name, const std::string& path, const struct stat& st) {
    if (const std::string* first = first_name(path, st)) return write_link(path, *first, st);
    const Fd fd = TRY(open_same(parent, name, 0, st));
    TarMember member = described(path, st);
    member.size = static_cast<std::uint64_t>(st.st_size);
    member.xattrs = TRY(layer_xattrs(fd.get()));
    TRY(put(member));
    std::uint64_t left = member.size;
    while (left > 0) {
      if (cancel_ != nullptr) TRY(cancel_->check());
      const auto want = static_cast<std::size_t>(std::min<std::uint64_t>(left, buffer_.size()));
      if (TRY(read_full(fd.get(), std::span(buffer_).first(want))) != want) {
        return error(Errc::io, "became shorter while it was read");
      }
      TRY(out_.write(std::span<const std::byte>(buffer_).first(want)));
      left -= want;
    }
    return out_.zeros(tar_padding(member.size));
  }

  Result<> write_symlink(int parent, const std::string& name, const std::string& path, const struct stat& st) {
    if (const std::string* first = first_name(path, st)) return write_link(path, *first, st);
    TarMember member = described(path, st);
    member.type = TarType::symlink;
    member.mode = 0777;
    member.link = TRY(read_link_at(parent, name));
    return put(member);
  }

  Result<> write_special(const std::string& path, const struct stat& st) {
    TarMember member = described(path, st);
    member.type = tar_type_of(st.st_mode);
    if (!S_ISFIFO(st.st_mode)) {
      member.dev_major = major(st.st_rdev);
      member.dev_minor = minor(st.st_rdev);
    }
    return put(member);
  }

  Sink& out_;
  const Cancel* cancel_;
  std::vector<std::byte> buffer_;
  dev_t device_ = 0;
  std::uint64_t entries_ = 0;
  std::map<ino_t, std::string> first_names_;  // only of inodes with several names
};

}  // namespace

Result<std::uint64_t> pour_layer(const fs::path& tree, Sink& out, const Cancel* cancel) {
  LayerWriter writer(out, cancel);
  TRY(writer.write(tree).context("layer {}", tree));
  return writer.entries();
}

namespace {

Result<TarFacts> pour_and_measure(const fs::path& tree, Sink* out) {
  HashSink hash(out);
  TarFacts facts;
  facts.entries = TRY(pour_layer(tree, hash, nullptr));
  facts.bytes = hash.bytes();
  facts.diff_id = hash.digest();
  return facts;
}

}  // namespace

Result<TarFacts> write_layer_tar(const fs::path& tree, Sink& out) {
  return pour_and_measure(tree, &out);
}

Result<TarFacts> measure_layer(const fs::path& tree) {
  return pour_and_measure(tree, nullptr);
}

}  // namespace kiln::image
