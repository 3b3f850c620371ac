// Makes a directory of the tree of an ext4 file system, with the importer that every archive goes through
// (tree_builder.h). Private to the room.
#pragma once

#include "base/cancel.h"
#include "image/disk/ext4_reader.h"
#include "image/image.h"

namespace kiln::image {

/// tree: an empty private directory. stored_bytes: of content at most, for what is stored once and named often is a
/// bomb. Sockets and /lost+found are left out. Returns the number of entries.
Result<std::uint64_t> unpack_ext4(Ext4Reader& from, const fs::path& tree, const Limits& limits,
                                  std::uint64_t stored_bytes, const Cancel& cancel);

}  // namespace kiln::image
