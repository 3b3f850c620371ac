// UUIDs that follow from what they name: of file systems, partitions and disks. Never random, so that two builds agree.
#pragma once

#include <array>
#include <cstdint>

#include "base/hash.h"

namespace kiln::image {

struct Uuid {
  std::array<std::uint8_t, 16> bytes{};  // in the order of the text (RFC 9562)
  /// "8c1d2e3f-0a1b-8c2d-9e3f-405162738495"
  std::string text() const;
  bool operator==(const Uuid&) const = default;
};

/// The UUID that a word has under a digest: the first 16 bytes of the SHA-256 of "HEX WORD", shaped as version 8 (RFC
/// 9562, section 5.8). Different words give different UUIDs.
Uuid derive_uuid(const Digest& seed, std::string_view word);

/// As GPT and Microsoft's formats have UUIDs: the first three fields little-endian, the rest in the order of the text.
std::array<std::uint8_t, 16> mixed_endian(const Uuid& id);

/// Reads the text form, in either case; anything else is Errc::usage.
Result<Uuid> parse_uuid(std::string_view text);

}  // namespace kiln::image
