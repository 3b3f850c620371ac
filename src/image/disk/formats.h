// The writers of disk formats, one file each; their table is formats.cc. Private to the room.
#pragma once

#include "image/disk.h"

namespace kiln::image {

/// The disk as it is; what is zero becomes holes.
Result<> write_raw(const Disk& disk, DiskOutput& out, const DiskWriting& how);

}  // namespace kiln::image
