// GPT partition tables with their protective MBR: both tables as bytes. Does not touch what is in the partitions.
// Format: UEFI specification 2.10, chapter 5; what kiln writes of it: docs/formats/disk.md. Private to the room.
#pragma once

#include "image/disk/compose.h"

namespace kiln::image {

/// Types of partitions.
inline constexpr std::string_view kBiosBootType = "21686148-6449-6e6f-744e-656564454649";
inline constexpr std::string_view kEfiSystemType = "c12a7328-f81f-11d2-ba4b-00a0c93ec93b";
inline constexpr std::string_view kLinuxRootType = "4f68bce3-e8cd-4db1-96e7-fbcaf984b709";  // x86-64

inline constexpr std::uint64_t kGptSectors = 33;  // a header and 128 entries; the same again at the end of the disk
inline constexpr std::size_t kMbrCodeBytes = 440;

struct GptSpec {
  std::uint64_t disk_sectors = 0;
  Uuid disk_id;
  std::vector<DiskPartition> partitions;
};

/// Sectors 0 to 33: the protective MBR (boot code zero), the header, the entries. Partitions must lie inside the usable
/// sectors, apart, with numbers from 1 to 128 (asserted).
std::string render_primary_gpt(const GptSpec& spec);

/// The last 33 sectors: the entries, the backup header.
std::string render_backup_gpt(const GptSpec& spec);

}  // namespace kiln::image
