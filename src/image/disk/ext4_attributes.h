// Extended attributes as ext4 keeps them: in what an inode has left over, then in one block of their own. POSIX ACLs in
// ext4's form. Private to the room.
#pragma once

#include <string>

#include "image/disk/ext4_format.h"
#include "tree/tree.h"

namespace kiln::image::ext4 {

struct AttributeImage {
  std::string in_inode;  // empty, or what stands after the inode's fields
  std::string block;     // empty, or a block that lacks only its checksum
};

/// Errc::usage when they do not fit, Errc::corrupt for an ACL that is none; the error names the attribute.
Result<AttributeImage> attribute_image(const tree::Attributes& attributes);

/// The checksum that an attribute block has at its place.
std::string checked_block(const std::string& block, std::uint64_t place, std::uint32_t seed);

}  // namespace kiln::image::ext4
