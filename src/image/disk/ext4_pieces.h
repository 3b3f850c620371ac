// A layout as a list of what stands on the disk, front to back, and the bytes of each piece that is not a file's
// content. Private to the room.
#pragma once

#include <string>

#include "image/disk/ext4_layout.h"

namespace kiln::image::ext4 {

enum class PieceKind : std::uint8_t {
  superblock,      // subject: group
  descriptors,     // the table of groups
  reserved_table,  // blocks that the table may grow into: addresses of the same ones in the copies
  resize_block,
  block_bitmap,  // subject: group
  inode_bitmap,  // subject: group
  inode_table,   // subject: group
  journal,       // its first block; the rest is zero
  journal_index,
  directory,  // subject: node, as of all that follow
  attributes,
  link_text,
  extents,
  content,
};

struct Piece {
  std::uint64_t block = 0;  // on the disk
  std::uint32_t blocks = 0;
  std::uint32_t subject = 0;
  std::uint32_t from = 0;  // first block in what it is a part of
  PieceKind kind{};
};

/// Sorted by place, disjoint.
std::vector<Piece> pieces_of(const Layout& layout);

/// The bytes of a piece that is no content, in one or several parts, front to back.
Result<> render(const Layout& layout, const Piece& piece, const std::function<Result<>(std::string_view)>& out);

}  // namespace kiln::image::ext4
