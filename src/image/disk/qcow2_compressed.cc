// The compressing qcow2 writers. How large a cluster gets is known only when it is compressed, so tables come after the
// data, and the header, which says where they are, is put in its place at the end.
#include <algorithm>
#include <map>

#include "image/deflate_chunk.h"
#include "image/disk/chunk_pipe.h"
#include "image/disk/compose.h"
#include "image/disk/formats.h"
#include "image/disk/qcow2_format.h"
#include "image/disk/zstd_chunk.h"

namespace kiln::image {

namespace {

using namespace qcow2;

constexpr unsigned kWindowBits = 12;  // what QEMU inflates with
constexpr std::size_t kHeldClusters =
    64;  // whole clusters are written together: each lot may cost one cluster of padding

bool is_zero(std::span<const std::byte> bytes) {
  return bytes.front() == std::byte{0} && std::equal(bytes.begin() + 1, bytes.end(), bytes.begin());
}

/// What a worker makes of a cluster: nothing when it is zero, its compressed form, or a whole cluster's size (of
/// whatever content) when it shall stay as it is.
template <class Compress>
ChunkPipe::Work cluster_work(Compress compress) {
  return [compress](std::span<const std::byte> cluster, std::vector<std::byte>& made) {
    made.clear();
    if (is_zero(cluster)) return;
    compress(cluster, made);
    if (made.empty()) made.resize(kCluster);
  };
}

ChunkPipe::Work deflate_work() {
  return cluster_work([deflater = std::make_shared<ChunkDeflater>()](auto cluster, auto& made) {
    deflater->deflate_alone(cluster, kWindowBits, made);
  });
}

ChunkPipe::Work zstd_work() {
  return cluster_work(
      [zstd = std::make_shared<ZstdChunk>()](auto cluster, auto& made) { zstd->compress(cluster, made); });
}

class CompressedFile {
 public:
  CompressedFile(const std::vector<Extent>& data, DiskOutput& out) : data_(data), out_(out) {}

  /// Leaves room for the header.
  Result<> start() {
    counts_.push_back(1);
    position_ = kCluster;
    return out_.zeros(kCluster);
  }

  Result<> take(std::span<const std::byte> cluster, std::span<const std::byte> made) {
    const std::uint64_t guest = next_guest();
    if (made.empty()) return {};
    if (made.size() < kCluster) return put_compressed(guest, made);
    held_guests_.push_back(guest);
    held_.insert(held_.end(), cluster.begin(), cluster.end());
    return held_guests_.size() < kHeldClusters ? Result<>() : put_held();
  }

  Result<> finish(std::uint64_t disk_bytes, Compression compression) {
    TRY(put_held());
    const std::uint64_t l1_cluster = TRY(put_tables(disk_bytes));
    const std::uint64_t other = position_ / kCluster;
    const Refcounts refcounts = refcounts_for(other);
    TRY(write_refcounts(refcounts, other, other + refcounts.clusters(), counts_, out_));
    const Header header = header_of(disk_bytes, refcounts, {l1_cluster, other}, compression);
    return out_.patch(0, bytes_of(header));
  }

 private:
  /// The place on the disk, in clusters, of what comes next.
  std::uint64_t next_guest() {
    if (in_extent_ == data_[extent_].bytes) {
      ++extent_;
      in_extent_ = 0;
    }
    const std::uint64_t guest = (data_[extent_].offset + in_extent_) / kCluster;
    in_extent_ += kCluster;
    return guest;
  }

  void set_entry(std::uint64_t guest, std::uint64_t entry) {
    std::vector<be64>& table = l2_[guest / kTableEntries];
    table.resize(kTableEntries);
    table[guest % kTableEntries] = entry;
  }

  Result<> put_compressed(std::uint64_t guest, std::span<const std::byte> made) {
    const std::uint64_t last = position_ + made.size() - 1;
    const std::uint64_t more_sectors = last / kSectorBytes - position_ / kSectorBytes;
    set_entry(guest, kCompressed | more_sectors << kSectorsShift | position_);
    counts_.resize(last / kCluster + 1);
    for (std::uint64_t i = position_ / kCluster; i <= last / kCluster; ++i) ++counts_[i];
    position_ += made.size();
    return out_.write(made);
  }

  Result<> pad() {
    const std::uint64_t end = clusters_of(position_) * kCluster;
    TRY(out_.zeros(end - position_));
    position_ = end;
    return {};
  }

  Result<> put_held() {
    TRY(pad());
    for (const std::uint64_t guest : held_guests_) {
      set_entry(guest, kCopied | position_);
      counts_.push_back(1);
      position_ += kCluster;
    }
    TRY(out_.write(std::span<const std::byte>(held_)));
    held_guests_.clear();
    held_.clear();
    return {};
  }

  /// L2 tables and then L1; the cluster where L1 stands.
  Result<std::uint64_t> put_tables(std::uint64_t disk_bytes) {
    std::vector<be64> l1((clusters_of(disk_bytes) + kTableEntries - 1) / kTableEntries);
    for (const auto& [index, table] : l2_) {
      l1[index] = kCopied | position_;
      TRY(out_.write(std::as_bytes(std::span(table))));
      position_ += kCluster;
    }
    const std::uint64_t l1_cluster = position_ / kCluster;
    const std::string bytes = whole_clusters(std::string(as_text(std::as_bytes(std::span(l1)))));
    TRY(out_.write(bytes));
    position_ += bytes.size();
    return l1_cluster;
  }

  const std::vector<Extent>& data_;
  DiskOutput& out_;
  std::size_t extent_ = 0;
  std::uint64_t in_extent_ = 0, position_ = 0;
  std::map<std::uint64_t, std::vector<be64>> l2_;  // by index in L1: 8 bytes for each 64 KiB of data
  std::vector<std::uint16_t> counts_;              // of the clusters written; those without a count are used once
  std::vector<std::uint64_t> held_guests_;
  std::vector<std::byte> held_;
};

Result<> write_compressed(const Disk& disk, DiskOutput& out, const DiskWriting& how, ChunkPipe::Work (*new_work)(),
                          Compression compression) {
  const std::uint64_t whole = clusters_of(disk.image.bytes) * kCluster;
  const std::vector<Extent> data = rounded(disk.image.data, kCluster, whole);
  CompressedFile file(data, out);
  TRY(file.start());
  const auto pipe = TRY(ChunkPipe::start(kCluster, how.threads, new_work,
                                         [&file](auto cluster, auto made) { return file.take(cluster, made); }));
  RangeSink ranges(data, *pipe, how.progress);
  TRY(disk.image.pour(ranges, how.cancel));
  TRY(ranges.zeros(whole - disk.image.bytes));
  TRY(pipe->finish());
  return file.finish(disk.image.bytes, compression);
}

}  // namespace

Result<> write_qcow2_zlib(const Disk& disk, DiskOutput& out, const DiskWriting& how) {
  return write_compressed(disk, out, how, deflate_work, Compression::deflate);
}

Result<> write_qcow2_zstd(const Disk& disk, DiskOutput& out, const DiskWriting& how) {
  return write_compressed(disk, out, how, zstd_work, Compression::zstd);
}

}  // namespace kiln::image
