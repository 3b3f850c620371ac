// VHD: the structures of both forms. What kiln writes of it: docs/formats/vhd.md. Private to the room.
#pragma once

#include "base/endian.h"
#include "base/units.h"
#include "image/disk/uuid.h"

namespace kiln::image::vhd {

inline constexpr std::uint64_t kMaxVhdBytes = 2040 * 1024 * kMiB;  // what the format's programs take
inline constexpr std::uint64_t kSector = 512;                      // bytes
inline constexpr std::uint64_t kBlock = 2 * kMiB;                  // of the dynamic form
inline constexpr std::uint32_t kAbsent = 0xFFFFFFFF;               // in the table of blocks

enum class Type : std::uint32_t { fixed = 2, dynamic = 3 };

struct Footer {
  char cookie[8] = {'c', 'o', 'n', 'e', 'c', 't', 'i', 'x'};
  be32 features = 2, version = 0x00010000;
  be64 header_offset = ~std::uint64_t{0};
  be32 time = 0;  // seconds since 2000
  char creator[4] = {'k', 'i', 'l', 'n'};
  be32 creator_version = 0x00010000;
  char creator_system[4] = {'W', 'i', '2', 'k'};
  be64 original_bytes = 0, bytes = 0;
  be16 cylinders = 0;
  std::uint8_t heads = 0, sectors = 0;
  be32 type = 0, checksum = 0;
  std::array<std::uint8_t, 16> id{};
  std::array<std::uint8_t, 428> unused{};
};
static_assert(sizeof(Footer) == kSector);

struct DynamicHeader {
  char cookie[8] = {'c', 'x', 's', 'p', 'a', 'r', 's', 'e'};
  be64 data_offset = ~std::uint64_t{0}, table_offset = 0;
  be32 version = 0x00010000, blocks = 0, block_bytes = kBlock, checksum = 0;
  std::array<std::uint8_t, 16> parent_id{};
  std::array<std::uint8_t, 968> unused{};
};
static_assert(sizeof(DynamicHeader) == 2 * kSector);

/// In the dynamic form, of the table of blocks.
inline constexpr std::uint64_t kTableOffset = sizeof(Footer) + sizeof(DynamicHeader);

/// Both with their checksum: the complement of the sum of their bytes. bytes: of the disk.
Footer footer_of(std::uint64_t bytes, Type type, const Uuid& id);
DynamicHeader header_of(std::uint64_t bytes);

}  // namespace kiln::image::vhd
