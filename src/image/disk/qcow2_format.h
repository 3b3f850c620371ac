// qcow2 version 3: its structures and the arithmetic of its tables. What kiln writes of it: docs/formats/qcow2.md.
// Private to the room.
#pragma once

#include "base/endian.h"
#include "image/disk/disk_writer.h"

namespace kiln::image::qcow2 {

inline constexpr unsigned kClusterBits = 16;
inline constexpr std::uint64_t kCluster = std::uint64_t{1} << kClusterBits;  // bytes
static_assert(kCluster == kChunkBytes);
inline constexpr std::uint64_t kTableEntries = kCluster / 8;       // of an L1, L2 or refcount table's cluster
inline constexpr std::uint64_t kRefcountsPerBlock = kCluster / 2;  // of 16 bits
inline constexpr std::uint64_t kCopied = std::uint64_t{1} << 63;   // refcount is exactly one
inline constexpr std::uint64_t kCompressed = std::uint64_t{1} << 62;
inline constexpr unsigned kSectorsShift = 62 - (kClusterBits - 8);  // of a compressed entry's count of more sectors

enum class Compression : std::uint8_t { deflate = 0, zstd = 1 };

struct Header {
  char magic[4] = {'Q', 'F', 'I', '\xfb'};
  be32 version = 3;
  be64 backing_offset = 0;
  be32 backing_bytes = 0, cluster_bits = kClusterBits;
  be64 bytes = 0;
  be32 encryption = 0, l1_entries = 0;
  be64 l1_offset = 0, refcount_table_offset = 0;
  be32 refcount_table_clusters = 0, snapshots = 0;
  be64 snapshots_offset = 0, incompatible = 0, compatible = 0, autoclear = 0;
  be32 refcount_order = 4, header_bytes = 112;
  std::uint8_t compression = 0;
  std::array<std::uint8_t, 7> padding{};
  be32 last_extension = 0, last_extension_bytes = 0;
};
static_assert(sizeof(Header) == 120);

constexpr std::uint64_t clusters_of(std::uint64_t bytes) {
  return (bytes + kCluster - 1) / kCluster;
}

/// Where the refcounts of a file stand and how many clusters they take.
struct Refcounts {
  std::uint64_t table_clusters = 0, blocks = 0;
  std::uint64_t clusters() const { return table_clusters + blocks; }
};

/// For a file of so many other clusters: the refcounts count themselves too.
Refcounts refcounts_for(std::uint64_t other_clusters);

/// Writes the refcount table, which stands at a cluster, and its blocks behind it. used: clusters of the whole file;
/// counts: of the first of them; the others are used once.
Result<> write_refcounts(const Refcounts& refcounts, std::uint64_t at_cluster, std::uint64_t used,
                         std::span<const std::uint16_t> counts, Sink& out);

struct Places {
  std::uint64_t l1_cluster = 0, refcount_cluster = 0;
};
Header header_of(std::uint64_t disk_bytes, const Refcounts& refcounts, const Places& places, Compression compression);

/// Fills a table up to whole clusters.
std::string whole_clusters(std::string table);

}  // namespace kiln::image::qcow2
