// The two hashes of ext4: CRC-32C over its metadata, and the hash that orders the names of an indexed directory.
// Private to the room.
#pragma once

#include <span>
#include <string_view>

#include "base/endian.h"
#include "image/disk/uuid.h"

namespace kiln::image::ext4 {

/// CRC-32C (Castagnoli, reflected), begun at `seed` and not inverted at the end, as ext4 has it.
std::uint32_t crc32c(std::uint32_t seed, std::span<const std::byte> bytes);
inline std::uint32_t crc32c(std::uint32_t seed, le32 number) {
  return crc32c(seed, bytes_of(number));
}

/// "half MD4" of a name, bytes taken as signed: the place of the name in a directory's index, by major, then minor.
struct NameHash {
  std::uint32_t major = 0, minor = 0;  // major is even: its lowest bit says "goes on" in an index
  auto operator<=>(const NameHash&) const = default;
};
NameHash hash_name(std::string_view name, const Uuid& seed);

}  // namespace kiln::image::ext4
