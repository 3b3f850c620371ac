// VHDX: the structures of a file that grows and has no parent. What kiln writes of it: docs/formats/vhdx.md. Private to
// the room.
#pragma once

#include "base/endian.h"
#include "base/units.h"
#include "image/disk/uuid.h"

namespace kiln::image::vhdx {

inline constexpr std::uint64_t kSmallestBlock = kMiB;   // bytes
inline constexpr std::uint64_t kMostBlocks = 1 << 20;   // of 1 MiB; larger disks have larger blocks
inline constexpr std::uint64_t kLogicalSector = 512;    // bytes
inline constexpr std::uint32_t kPhysicalSector = 4096;  // bytes
inline constexpr std::uint64_t kMaxVhdxBytes = std::uint64_t{64} << 40;
inline constexpr std::uint64_t kSectorsOfBitmap = std::uint64_t{1} << 23;

// Where everything stands; the blocks follow the table.
inline constexpr std::uint64_t kHeaders = 64 * kKiB, kRegions = 192 * kKiB;  // the second ones 64 KiB on
inline constexpr std::uint64_t kLog = kMiB, kMetadata = 2 * kMiB, kTable = 3 * kMiB;
inline constexpr std::uint64_t kItems = 64 * kKiB;  // from kMetadata on

using Guid = std::array<std::uint8_t, 16>;  // the first three fields little-endian

struct FileId {
  char signature[8] = {'v', 'h', 'd', 'x', 'f', 'i', 'l', 'e'};
  std::array<le16, 256> creator{};
};

struct Header {
  char signature[4] = {'h', 'e', 'a', 'd'};
  le32 checksum = 0;
  le64 sequence = 0;
  Guid file_write{}, data_write{}, log{};
  le16 log_version = 0, version = 1;
  le32 log_bytes = kMiB;
  le64 log_offset = kLog;
  std::array<std::uint8_t, 4016> unused{};
};
static_assert(sizeof(Header) == 4 * kKiB);

struct Region {
  Guid kind{};
  le64 offset = 0;
  le32 bytes = 0, required = 1;
};

struct RegionTable {
  char signature[4] = {'r', 'e', 'g', 'i'};
  le32 checksum = 0, regions = 2, unused = 0;
  std::array<Region, 2> region{};
  std::array<std::uint8_t, 64 * kKiB - 80> more{};
};
static_assert(sizeof(RegionTable) == 64 * kKiB);

struct MetadataItem {
  Guid kind{};
  le32 offset = 0, bytes = 0, flags = 0, unused = 0;
};

struct MetadataTable {
  char signature[8] = {'m', 'e', 't', 'a', 'd', 'a', 't', 'a'};
  le16 unused = 0, items = 5;
  std::array<std::uint8_t, 20> more_unused{};
  std::array<MetadataItem, 5> item{};
};
static_assert(sizeof(MetadataTable) == 32 * 6);

/// The values of the items, one after the other at kItems.
struct MetadataValues {
  le32 block_bytes = 0, file_flags = 0;
  le64 disk_bytes = 0;
  Guid id{};
  le32 logical_sector = kLogicalSector, physical_sector = kPhysicalSector;
};
static_assert(sizeof(MetadataValues) == 40);

inline constexpr std::uint64_t kPresent = 6;  // in an entry of the table, with the block's offset

}  // namespace kiln::image::vhdx
