// Which blocks of a file are holes: a function of its content, never of how the layer's file system keeps it. Private
// to the room.
#pragma once

#include <optional>

#include "base/fd.h"
#include "image/disk/block_image.h"

namespace kiln::image::ext4 {

inline constexpr std::uint64_t kSparseFileBytes = 1 << 20;  // smaller files have no holes
inline constexpr std::uint64_t kSampleBlocks = 8;           // evenly spread; one that is zero makes us read the file
inline constexpr std::uint64_t kHoleBlocks = 8;             // the shortest hole

/// What is no hole, in whole blocks, sorted; empty optional: the file has no holes.
Result<std::optional<std::vector<Extent>>> find_holes(int fd, std::uint64_t bytes);

}  // namespace kiln::image::ext4
