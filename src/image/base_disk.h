// Disks as bases: from a stranger's disk image to a tree. The door to the readers in image/disk/, as disk.h is to its
// writers. No root, no loop device, no mount. What is read: docs/formats/disk-bases.md.
#pragma once

#include "image/image.h"

namespace kiln::image {

struct DiskRoot {
  std::uint64_t entries = 0;
  std::vector<std::string>
      notes;  // for people: which partition is the root, what was damaged and could be done without
};

/// Unpacks the root file system of a disk image into an empty private directory, as unpack_rootfs does an archive: raw
/// or qcow2, GPT, MBR or no table, ext2 to ext4. Errc::corrupt for damage, Errc::bad_template ("not supported yet") for
/// what is not read.
Result<DiskRoot> unpack_disk(const fs::path& file, const fs::path& tree, const Limits& limits, const Cancel& cancel);

}  // namespace kiln::image
