// The structs of GPT and MBR partition tables as they stand on disk. Private to the room. Format: UEFI
// specification 2.10, chapter 5; docs/formats/disk.md has what kiln writes of it, docs/formats/disk-bases.md what it
// reads.
#pragma once

#include <array>

#include "base/endian.h"

namespace kiln::image {

struct GptHeader {
  char signature[8] = {'E', 'F', 'I', ' ', 'P', 'A', 'R', 'T'};
  le32 revision = 0x00010000, header_bytes = 92, header_crc = 0, reserved = 0;
  le64 own_sector = 0, other_sector = 0, first_usable = 0, last_usable = 0;
  std::array<std::uint8_t, 16> disk_id{};
  le64 entries_sector = 0;
  le32 entry_count = 0, entry_bytes = 0, entries_crc = 0;
};
static_assert(sizeof(GptHeader) == 92);

struct GptEntry {
  std::array<std::uint8_t, 16> type{}, id{};
  le64 first_sector = 0, last_sector = 0, attributes = 0;
  std::array<le16, 36> name{};
};
static_assert(sizeof(GptEntry) == 128);

struct MbrPartition {
  std::uint8_t status = 0;
  std::array<std::uint8_t, 3> first_chs{};
  std::uint8_t type = 0;
  std::array<std::uint8_t, 3> last_chs{};
  le32 first_sector = 0, sectors = 0;
};
static_assert(sizeof(MbrPartition) == 16);

inline constexpr std::size_t kMbrPartitionAt = 446, kMbrPartitions = 4;

/// CRC-32 as GPT has it.
std::uint32_t gpt_crc(std::span<const std::byte> bytes);

}  // namespace kiln::image
