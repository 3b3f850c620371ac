#include "image/disk/qcow2_format.h"

#include <algorithm>

namespace kiln::image::qcow2 {

Refcounts refcounts_for(std::uint64_t other_clusters) {
  Refcounts r{1, 1};
  for (;;) {
    const std::uint64_t blocks = (other_clusters + r.clusters() + kRefcountsPerBlock - 1) / kRefcountsPerBlock;
    const std::uint64_t tables = (blocks + kTableEntries - 1) / kTableEntries;
    if (blocks <= r.blocks && tables <= r.table_clusters) return r;
    r = {tables, blocks};
  }
}

Result<> write_refcounts(const Refcounts& refcounts, std::uint64_t at_cluster, std::uint64_t used,
                         std::span<const std::uint16_t> counts, Sink& out) {
  std::string table;
  for (std::uint64_t i = 0; i < refcounts.blocks; ++i) {
    table += as_text(bytes_of(be64((at_cluster + refcounts.table_clusters + i) * kCluster)));
  }
  TRY(out.write(whole_clusters(std::move(table))));
  for (std::uint64_t i = 0; i < refcounts.blocks; ++i) {
    std::vector<be16> block(kRefcountsPerBlock);
    const std::uint64_t first = i * kRefcountsPerBlock;
    for (std::uint64_t k = first; k < std::min(used, first + kRefcountsPerBlock); ++k) {
      block[k - first] = k < counts.size() ? counts[k] : std::uint16_t{1};
    }
    TRY(out.write(std::as_bytes(std::span(block))));
  }
  return {};
}

Header header_of(std::uint64_t disk_bytes, const Refcounts& refcounts, const Places& places, Compression compression) {
  constexpr std::uint64_t kNeedsCompressionType = 1 << 3;
  Header header;
  header.bytes = disk_bytes;
  header.l1_entries = static_cast<std::uint32_t>((clusters_of(disk_bytes) + kTableEntries - 1) / kTableEntries);
  header.l1_offset = places.l1_cluster * kCluster;
  header.refcount_table_offset = places.refcount_cluster * kCluster;
  header.refcount_table_clusters = static_cast<std::uint32_t>(refcounts.table_clusters);
  header.compression = static_cast<std::uint8_t>(compression);
  if (compression != Compression::deflate) header.incompatible = kNeedsCompressionType;
  return header;
}

std::string whole_clusters(std::string table) {
  table.resize(clusters_of(table.size()) * kCluster, '\0');
  return table;
}

}  // namespace kiln::image::qcow2
