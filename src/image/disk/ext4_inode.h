// The 256 bytes of an inode, as they follow from a layout. Private to the room.
#pragma once

#include "image/disk/ext4_layout.h"

namespace kiln::image::ext4 {

/// Any inode by number; zeros for those that are not used.
Inode inode_of(const Layout& layout, std::uint32_t number);

Inode journal_inode(const Layout& layout);

}  // namespace kiln::image::ext4
