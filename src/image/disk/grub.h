// GRUB on a BIOS machine: boot.img as the code of sector 0, core.img in the BIOS boot partition, each told where the
// next piece lies, as grub-bios-setup would do it on a block device. Bytes: docs/formats/disk.md. Private to the room.
#pragma once

#include "image/disk/compose.h"

namespace kiln::image {

struct GrubFiles {
  std::string boot, core;  // contents of boot.img and core.img
};

/// Puts boot.img into a rendered sector 0, around what is in it of a partition table. Errc::corrupt when it is not a
/// boot sector.
Result<> embed_boot_image(const GrubFiles& files, std::uint64_t core_sector, std::string& sector0);

/// core.img as it stands in its partition, padded to whole sectors. Errc::corrupt when it is too short to be one or too
/// long for the memory that it is loaded to or for the partition.
Result<std::string> placed_core_image(const GrubFiles& files, std::uint64_t first_sector, std::uint64_t sectors);

}  // namespace kiln::image
