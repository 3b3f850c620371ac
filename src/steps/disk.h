// What the boot layer and the disk made of it have in common: the ids by which the one names the other.
#pragma once

#include "image/disk.h"
#include "steps/job.h"

namespace kiln::steps {

/// Ids of a disk. They come from the tree below its boot layer, since the boot layer names them.
struct BootIds {
  Digest seed;       // of all others
  image::Uuid root;  // of the root file system
  std::string esp;   // of the EFI system partition's file system
};
BootIds boot_ids(const engine::Tree& below);

/// Pack steps of disks: ec2, gce, disk, qemu.
Result<engine::Outcome> write_disks(const Job& job, const plan::PackStep& what);

}  // namespace kiln::steps
