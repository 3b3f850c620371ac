// Everything of a disk but its root file system: partition tables, GRUB for BIOS, the EFI system partition. Where they
// stand: docs/formats/disk.md. Private to the room.
#pragma once

#include "image/disk.h"
#include "image/disk/fat.h"

namespace kiln::image {

/// Where the root file system stands on a disk of so many bytes (at least 129 MiB).
Extent root_place(std::uint64_t disk_bytes);

/// Puts a root file system of root_place's size into a disk, with what makes it boot. Errors: see lay_out_disk.
Result<Disk> frame_disk(const DiskSpec& spec, std::uint64_t disk_bytes, BlockImage root);

/// What the EFI system partition holds: the files below /boot/efi. Errc::not_found when there is no boot loader where
/// firmware looks, Errc::corrupt for what FAT cannot hold (links, devices).
Result<std::vector<FatFile>> efi_files(const std::vector<fs::path>& layers);

}  // namespace kiln::image
