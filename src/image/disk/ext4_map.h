// The block map of an image: which inode and which blocks each path has, kept for the next image of the same thing,
// which leaves there what did not change. Format: docs/formats/ext4.md. Private to the room.
#pragma once

#include <string>

#include "image/disk/ext4_layout.h"

namespace kiln::image::ext4 {

std::string render_block_map(const Layout& layout);

/// Nothing for a text that is no block map of this version.
std::optional<BlockMap> parse_block_map(std::string_view text);

/// What paths of a map have that is free (in `free`, sorted): where deleted files and shrunk ones were. Sorted.
std::vector<Range> freed_of(const BlockMap& map, const std::vector<Range>& free);

}  // namespace kiln::image::ext4
