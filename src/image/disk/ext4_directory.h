// The blocks of a directory: one plain block where the names fit, else leaves under a hash index. Private to the room.
#pragma once

#include <string>
#include <vector>

#include "image/disk/ext4_format.h"
#include "image/disk/ext4_hash.h"

namespace kiln::image::ext4 {

struct DirectoryItem {
  std::string_view name;
  std::uint32_t inode = 0;
  std::uint8_t type = 0;  // as entry_type
};

struct DirectoryShape {
  std::uint32_t blocks = 0;
  bool indexed = false;
};

/// How many blocks a directory of such names needs. A lasting directory (lost+found) is plain and has at least four
/// blocks, so that e2fsck needs none. Errc::usage for more names than an index can hold.
Result<DirectoryShape> directory_shape(const std::vector<Ext4Name>& entries, const Uuid& hash_seed, bool lasting);

/// The type that an entry says of an inode's mode.
std::uint8_t entry_type(std::uint32_t mode);

struct DirectoryPlace {
  DirectoryShape shape;
  std::uint32_t self = 0, parent = 0;  // inode numbers
  Uuid hash_seed;
  std::uint32_t checksum_seed = 0;  // of the directory's inode
};

/// The blocks themselves; items as the entries that the shape was made for.
std::string render_directory(const std::vector<DirectoryItem>& items, const DirectoryPlace& place);

}  // namespace kiln::image::ext4
