// The sizes that follow from a file system's own size and from how many inodes it must have: as mke2fs chooses them.
// Private to the room.
#pragma once

#include "image/disk/ext4_format.h"
#include "image/disk/ext4_space.h"

namespace kiln::image::ext4 {

inline constexpr std::uint64_t kMinBytes = std::uint64_t{8} << 20, kMaxBytes = std::uint64_t{16} << 40;
inline constexpr std::uint64_t kBytesPerInode = 16384;

struct Geometry {
  std::uint64_t blocks = 0;
  std::uint32_t groups = 0;
  std::uint32_t descriptor_blocks = 0;  // the table of groups
  std::uint32_t reserved_blocks = 0;    // for it to grow into
  std::uint32_t group_inodes = 0;       // inodes a group
  std::uint64_t journal_blocks = 0;

  std::uint32_t inodes() const { return group_inodes * groups; }
  std::uint32_t table_blocks() const { return group_inodes / kInodesPerBlock; }
  std::uint64_t group_start(std::uint32_t group) const { return std::uint64_t{group} * kGroupBlocks; }
  std::uint64_t group_end(std::uint32_t group) const;
  /// sparse_super: groups 0, 1 and the powers of 3, 5 and 7 have a superblock and the table of groups.
  static bool has_superblock(std::uint32_t group);
  /// How many blocks of a group those take.
  std::uint64_t base_blocks(std::uint32_t group) const;
};

/// inodes: all that are needed, with those that ext4 reserves. Errc::no_space when a file system of that size has no
/// room even for its own tables, or for so many inodes; Errc::usage outside 8 MiB to 16 TiB.
Result<Geometry> geometry_for(std::uint64_t bytes, std::uint64_t inodes);

}  // namespace kiln::image::ext4
