// Reads an ext2, ext3 or ext4 file system of a stranger's disk: inodes, where their content lies, directories and
// attributes. The structures are read by libext2fs; what could make it run in circles (trees of extents, of block
// numbers, of directories) is walked here, within limits. Nothing is written. Private to the room; what is read:
// docs/formats/disk-bases.md.
#pragma once

#include <functional>
#include <map>
#include <optional>

#include "image/disk/block_reader.h"

struct struct_ext2_filsys;  // of libext2fs

namespace kiln::image {

struct Ext4Inode {
  std::uint32_t number = 0;
  std::uint32_t mode = 0;  // with the type, as st_mode
  std::uint32_t uid = 0, gid = 0, links = 0;
  std::uint64_t size = 0;  // bytes
  std::int64_t mtime = 0;  // whole seconds since 1970, as layers have them
  std::uint32_t dev_major = 0, dev_minor = 0;
};

/// Bytes of a file that are stored; what no run covers is a hole.
struct Ext4Run {
  std::uint64_t offset = 0;       // in the file
  std::uint64_t disk_offset = 0;  // in the file system
  std::uint64_t bytes = 0;
};

class Ext4Reader {
 public:
  static constexpr std::uint32_t kRoot = 2, kFirstInode = 11;

  /// The disk (a partition) must outlive it. Errc::corrupt for damage and for a file system that was not unmounted;
  /// Errc::bad_template for features that are not read.
  static Result<std::unique_ptr<Ext4Reader>> open(BlockReader& disk);
  Ext4Reader(const Ext4Reader&) = delete;
  Ext4Reader& operator=(const Ext4Reader&) = delete;
  ~Ext4Reader();

  Result<Ext4Inode> inode(std::uint32_t number);
  /// Ascending, inside the file's size, inside the file system.
  Result<std::vector<Ext4Run>> runs(const Ext4Inode& of);
  /// Target of a symbolic link.
  Result<std::string> link_text(const Ext4Inode& link);
  /// Of those that a layer carries (is_layer_xattr), as the system calls have them.
  Result<std::map<std::string, std::string>> attributes(const Ext4Inode& of);
  /// Calls for every entry but "." and ".."; names are without "/" and NUL and not empty. The inode may be anything.
  Result<> list(const Ext4Inode& directory,
                const std::function<Result<>(std::string_view name, std::uint32_t inode)>& visit);
  /// The inode that a directory has under a name.
  Result<std::optional<std::uint32_t>> find(std::uint32_t directory, std::string_view name);
  BlockReader& disk() { return disk_; }

 private:
  explicit Ext4Reader(BlockReader& disk) : disk_(disk) {}
  Result<> start();
  Error failed(long code, std::string_view what) const;
  Result<> step();
  Result<> add_run(const Ext4Inode& of, std::uint64_t logical, std::uint64_t physical, std::uint64_t blocks,
                   std::vector<Ext4Run>& runs) const;
  Result<> walk_extents(const Ext4Inode& of, std::vector<Ext4Run>& runs);
  Result<> walk_map(const Ext4Inode& of, std::uint32_t block, int level, std::uint64_t& logical,
                    std::vector<Ext4Run>& runs);

  BlockReader& disk_;
  struct_ext2_filsys* fs_ = nullptr;
  std::uint64_t block_bytes_ = 0, steps_ = 0;
};

}  // namespace kiln::image
