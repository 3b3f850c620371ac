// POSIX ACLs as ext4 keeps them. The writer's side is in ext4_attributes.cc; docs/formats/ext4.md. Private to the room.
#pragma once

#include <string>
#include <string_view>

#include "base/error.h"

namespace kiln::image {

/// From ext4's form to that of the system calls. Errc::corrupt for what is not one.
Result<std::string> acl_from_disk(std::string_view disk);

}  // namespace kiln::image
