// The plain qcow2 writer: every place is known from the disk's extents, so the file is written front to back.
#include <algorithm>

#include "image/disk/compose.h"
#include "image/disk/formats.h"
#include "image/disk/qcow2_format.h"

namespace kiln::image {

namespace {

using namespace qcow2;

/// Header, refcount table, refcount blocks, L1, L2 tables, then the data clusters in the order of the disk.
struct Layout {
  std::uint64_t disk_bytes = 0;
  std::vector<Extent> data;              // rounded to clusters
  std::vector<std::uint64_t> l2_tables;  // those there are, by their index in L1
  std::uint64_t l1_entries = 0, data_clusters = 0;
  Refcounts refcounts;

  std::uint64_t refcount_cluster() const { return 1; }
  std::uint64_t l1_cluster() const { return refcount_cluster() + refcounts.clusters(); }
  std::uint64_t l2_cluster() const { return l1_cluster() + clusters_of(l1_entries * 8); }
  std::uint64_t data_cluster() const { return l2_cluster() + l2_tables.size(); }
  std::uint64_t clusters() const { return data_cluster() + data_clusters; }
};

Layout lay_out(const Disk& disk) {
  Layout l;
  l.disk_bytes = disk.image.bytes;
  l.data = chunked(disk);
  l.data_clusters = total_bytes(l.data) / kCluster;
  l.l1_entries = (clusters_of(l.disk_bytes) + kTableEntries - 1) / kTableEntries;
  for (const Extent& e : l.data) {
    const std::uint64_t last = (e.end() - 1) / kCluster / kTableEntries;
    std::uint64_t table = e.offset / kCluster / kTableEntries;
    if (!l.l2_tables.empty()) table = std::max(table, l.l2_tables.back() + 1);
    for (; table <= last; ++table) l.l2_tables.push_back(table);
  }
  l.refcounts = refcounts_for(1 + clusters_of(l.l1_entries * 8) + l.l2_tables.size() + l.data_clusters);
  return l;
}

Result<> write_l1(const Layout& l, Sink& out) {
  std::vector<be64> l1(l.l1_entries);
  for (std::size_t i = 0; i < l.l2_tables.size(); ++i) l1[l.l2_tables[i]] = (l.l2_cluster() + i) * kCluster | kCopied;
  return out.write(whole_clusters(std::string(as_text(std::as_bytes(std::span(l1))))));
}

Result<> write_l2_tables(const Layout& l, Sink& out) {
  std::uint64_t next = l.data_cluster();
  std::size_t extent = 0;
  for (const std::uint64_t index : l.l2_tables) {
    std::vector<be64> table(kTableEntries);
    for (std::uint64_t i = 0; i < kTableEntries; ++i) {
      const std::uint64_t place = (index * kTableEntries + i) * kCluster;
      while (extent < l.data.size() && l.data[extent].end() <= place) ++extent;
      if (extent < l.data.size() && l.data[extent].offset <= place) table[i] = next++ * kCluster | kCopied;
    }
    TRY(out.write(std::as_bytes(std::span(table))));
  }
  return {};
}

class Qcow2Writer : public DiskWriter {
 public:
  Qcow2Writer(const Disk& disk, Sink& out) : layout_(lay_out(disk)), out_(out) {}

  Result<> start() override {
    const Layout& l = layout_;
    const Places places{l.l1_cluster(), l.refcount_cluster()};
    const Header header = header_of(l.disk_bytes, l.refcounts, places, Compression::deflate);
    TRY(out_.write(whole_clusters(std::string(as_text(bytes_of(header))))));
    TRY(write_refcounts(l.refcounts, l.refcount_cluster(), l.clusters(), {}, out_));
    TRY(write_l1(l, out_));
    return write_l2_tables(l, out_);
  }
  Result<> take(const DiskChunk& chunk) override {
    return chunk.is_zero ? out_.zeros(kCluster) : out_.write(chunk.plain);
  }

 private:
  Layout layout_;
  Sink& out_;
};

}  // namespace

Result<std::unique_ptr<DiskWriter>> start_qcow2(const Disk& disk, DiskOutput& out, const DiskWriting& /*how*/) {
  return std::make_unique<Qcow2Writer>(disk, out);
}

}  // namespace kiln::image
