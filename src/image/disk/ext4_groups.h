// Block groups: bitmaps, descriptors, superblocks, as they follow from a layout. Private to the room.
#pragma once

#include <string>

#include "image/disk/ext4_layout.h"

namespace kiln::image::ext4 {

/// A block each; a bit is set for what is taken and for what is beyond the end.
std::string block_bitmap(const Layout& layout, std::uint32_t group);
std::string inode_bitmap(const Layout& layout, std::uint32_t group);

/// Inodes of a group's table up to the last one in use: what stands behind is never read.
std::uint32_t used_table(const Layout& layout, std::uint32_t group);

/// What groups without a block or an inode of their own in use say, and lack: such bitmaps are not written.
bool has_block_bitmap(const GroupDescriptor& descriptor);
bool has_inode_bitmap(const GroupDescriptor& descriptor);

/// All descriptors, with their checksums.
std::vector<GroupDescriptor> describe_groups(const Layout& layout);

/// The superblock as it stands in a group.
Superblock superblock(const Layout& layout, std::uint32_t group);

}  // namespace kiln::image::ext4
