// Names in a FAT directory: each name as its 8.3 alias and, where that is not all of it, as the long-name entries
// before it. Private to the room.
#pragma once

#include <set>
#include <string>

#include "base/endian.h"
#include "base/error.h"

namespace kiln::image {

struct FatShortEntry {
  char name[11];
  std::uint8_t attributes = 0, case_bits = 0, created_centiseconds = 0;
  le16 created_time = 0, created_date = 0, accessed_date = 0, cluster_high = 0, time = 0, date = 0, cluster_low = 0;
  le32 bytes = 0;
};
static_assert(sizeof(FatShortEntry) == 32);

struct FatLongEntry {
  std::uint8_t order = 0;
  std::array<le16, 5> first;
  std::uint8_t attributes = 0x0f, type = 0, checksum = 0;
  std::array<le16, 6> second;
  le16 cluster = 0;
  std::array<le16, 2> third;
};
static_assert(sizeof(FatLongEntry) == 32);

inline constexpr std::size_t kFatEntryBytes = 32;

/// The aliases of one directory, all different.
class FatNames {
 public:
  struct Name {
    std::string alias;               // 11 characters, padded with spaces
    std::vector<FatLongEntry> rest;  // as they stand before the short entry; empty when the alias is the name
    std::size_t entries() const { return rest.size() + 1; }
  };
  /// Errc::corrupt when FAT cannot hold the name, or has it already in another case.
  Result<Name> add(std::string_view name);

 private:
  std::string free_alias(std::string_view name) const;
  std::set<std::string> aliases_, folded_;
};

}  // namespace kiln::image
