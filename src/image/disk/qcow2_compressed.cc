// The compressing qcow2 writers. How large a cluster gets is known only when it is compressed, so tables come after the
// data, and the header, which says where they are, is put in its place at the end.
#include <map>

#include "image/deflate_chunk.h"
#include "image/disk/compose.h"
#include "image/disk/formats.h"
#include "image/disk/qcow2_format.h"

namespace kiln::image {

namespace {

using namespace qcow2;

// Whole clusters are written together: each lot may cost one cluster of padding.
constexpr std::size_t kHeldClusters = 64;

class CompressedWriter : public DiskWriter {
 public:
  CompressedWriter(const Disk& disk, DiskOutput& out, Compression compression)
      : disk_bytes_(disk.image.bytes), out_(out), compression_(compression) {}

  ChunkForms forms() const override {
    return compression_ == Compression::zstd ? ChunkForms{.zstd = true} : ChunkForms{.deflated = true};
  }

  /// Leaves room for the header.
  Result<> start() override {
    counts_.push_back(1);
    position_ = kCluster;
    return out_.zeros(kCluster);
  }

  Result<> take(const DiskChunk& chunk) override {
    if (chunk.is_zero) return {};
    const std::uint64_t guest = chunk.offset / kCluster;
    const bool zstd = compression_ == Compression::zstd;
    const std::span<const std::byte> made = zstd ? chunk.zstd : chunk.deflated;
    if (!made.empty()) return put_compressed(guest, made, zstd ? std::string_view() : kDeflateEnd);
    held_guests_.push_back(guest);
    held_.insert(held_.end(), chunk.plain.begin(), chunk.plain.end());
    return held_guests_.size() < kHeldClusters ? Result<>() : put_held();
  }

  Result<> finish() override {
    TRY(put_held());
    const std::uint64_t l1_cluster = TRY(put_tables());
    const std::uint64_t other = position_ / kCluster;
    const Refcounts refcounts = refcounts_for(other);
    TRY(write_refcounts(refcounts, other, other + refcounts.clusters(), counts_, out_));
    const Header header = header_of(disk_bytes_, refcounts, {l1_cluster, other}, compression_);
    return out_.patch(0, bytes_of(header));
  }

 private:
  void set_entry(std::uint64_t guest, std::uint64_t entry) {
    std::vector<be64>& table = l2_[guest / kTableEntries];
    table.resize(kTableEntries);
    table[guest % kTableEntries] = entry;
  }

  Result<> put_compressed(std::uint64_t guest, std::span<const std::byte> made, std::string_view end) {
    const std::uint64_t bytes = made.size() + end.size(), last = position_ + bytes - 1;
    const std::uint64_t more_sectors = last / kSectorBytes - position_ / kSectorBytes;
    set_entry(guest, kCompressed | more_sectors << kSectorsShift | position_);
    counts_.resize(last / kCluster + 1);
    for (std::uint64_t i = position_ / kCluster; i <= last / kCluster; ++i) ++counts_[i];
    position_ += bytes;
    TRY(out_.write(made));
    return out_.write(end);
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
  Result<std::uint64_t> put_tables() {
    std::vector<be64> l1((clusters_of(disk_bytes_) + kTableEntries - 1) / kTableEntries);
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

  std::uint64_t disk_bytes_;
  DiskOutput& out_;
  Compression compression_;
  std::uint64_t position_ = 0;
  std::map<std::uint64_t, std::vector<be64>> l2_;  // by index in L1: 8 bytes for each 64 KiB of data
  std::vector<std::uint16_t> counts_;              // of the clusters written; those without a count are used once
  std::vector<std::uint64_t> held_guests_;
  std::vector<std::byte> held_;
};

}  // namespace

Result<std::unique_ptr<DiskWriter>> start_qcow2_zlib(const Disk& disk, DiskOutput& out, const DiskWriting& /*how*/) {
  return std::make_unique<CompressedWriter>(disk, out, Compression::deflate);
}

Result<std::unique_ptr<DiskWriter>> start_qcow2_zstd(const Disk& disk, DiskOutput& out, const DiskWriting& /*how*/) {
  return std::make_unique<CompressedWriter>(disk, out, Compression::zstd);
}

}  // namespace kiln::image
