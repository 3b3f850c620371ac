// Makes the files of one archive or file system below a directory, by descriptor only: no entry can reach outside it,
// whatever links came before. The rules: hardening section 2, extraction 1 to 8.
#pragma once

#include <functional>
#include <map>

#include "base/cancel.h"
#include "base/sink.h"
#include "image/tar_header.h"

namespace kiln::image {

class TreeBuilder {
 public:
  /// root must be an empty directory that no other user can enter.
  static Result<TreeBuilder> create(const fs::path& root, std::uint64_t byte_limit, const Cancel& cancel);

  /// Makes one entry; a file's stored bytes come from `content`, those of a sparse one extent after extent. What the
  /// archive made before under that name is replaced, but a directory by a directory keeps its entries.
  Result<> add(const TarMember& member, Source& content);

  /// The name is removed from lower layers (a character device 0:0); what this layer has under it stays visible.
  Result<> add_whiteout(const std::string& path);

  /// Nothing of lower layers shows through this directory.
  Result<> add_opaque(const std::string& path);

  /// Directories' modes, times and attributes, which their entries would have changed.
  Result<> finish();

 private:
  TreeBuilder(Fd root, std::uint64_t byte_limit, const Cancel& cancel)
      : root_(std::move(root)), bytes_left_(byte_limit), cancel_(&cancel), buffer_(256 << 10) {}
  struct Place {
    int parent = -1;  // valid until the next place_of
    std::string name, path;
  };
  struct DirMeta {
    std::uint32_t mode = 0755;
    std::int64_t mtime = 0;
    std::map<std::string, std::string> xattrs;  // a default ACL would go over to entries made later
  };
  Result<Place> place_of(const std::string& path);
  Result<Fd> open_parent(const std::string& path);
  Result<Fd> make_parent(int above, const std::string& name, const std::string& path);
  Result<bool> clear(const Place& place);
  Result<> make_directory(const Place& place, const TarMember& member);
  Result<> make_file(const Place& place, const TarMember& member, Source& content);
  Result<> make_hard_link(const Place& place, const TarMember& member);
  Result<> make_symlink(const Place& place, const TarMember& member);
  Result<> make_node(const Place& place, const TarMember& member);
  Result<> copy_content(int fd, const TarMember& member, Source& content);

  Fd root_;
  std::uint64_t bytes_left_;
  const Cancel* cancel_;
  std::vector<std::byte> buffer_;
  std::map<std::string, DirMeta> directories_;
  std::string parent_path_;  // of parent_, which saves resolving it again for each of its entries
  Fd parent_;
  bool is_parent_stale_ = false;
  std::uint64_t replaced_ = 0;
};

}  // namespace kiln::image
