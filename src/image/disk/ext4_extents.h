// The extent tree of a file: which of its blocks are where. Up to four extents stand in the inode, more in blocks of
// their own. Private to the room.
#pragma once

#include "image/disk/ext4_layout.h"

namespace kiln::image::ext4 {

/// How many extents runs become: one covers at most 128 MiB.
std::uint64_t extents_of(std::span<const Run> runs);

/// How many blocks of its own a tree of so many extents needs.
std::uint32_t extent_blocks_for(std::uint64_t extents);

struct ExtentTree {
  std::array<std::uint8_t, 60> root{};  // as in the inode
  std::string blocks;                   // in the order of the addresses
};

/// blocks: the addresses of as many blocks as the runs need; seed: of the inode's checksums.
ExtentTree render_extents(std::span<const Run> runs, std::span<const std::uint64_t> blocks, std::uint32_t seed);

}  // namespace kiln::image::ext4
