// FAT32 file systems for EFI system partitions, with long names, laid out without gaps in the order of the names.
// Format: Microsoft's "FAT: General Overview of On-Disk Format" 1.03; what kiln writes of it: docs/formats/disk.md.
// Private to the room.
#pragma once

#include "image/disk/compose.h"

namespace kiln::image {

struct FatFile {
  std::string path;  // "EFI/BOOT/BOOTX64.EFI": parents are made
  bool is_dir = false;
  std::uint64_t bytes = 0;
  std::function<Result<std::unique_ptr<Source>>()> open;  // of a file; may be called from several threads
};

struct FatSpec {
  std::uint64_t bytes = 0;  // of the partition; 34 MiB to 128 GiB
  std::uint64_t first_sector = 0;
  std::uint32_t volume_id = 0;
  std::string label;       // at most 11 upper-case letters, digits, spaces
  std::int64_t clock = 0;  // of every time in it; FAT's begin in 1980
};

/// Errors: Errc::no_space when the files do not fit (says how much they are), Errc::corrupt for names that FAT cannot
/// hold, for two that differ by case alone and for files of 4 GiB or more.
Result<BlockImage> lay_out_fat(const FatSpec& spec, const std::vector<FatFile>& files);

}  // namespace kiln::image
