// VHD: the fixed form is the disk and a footer; the dynamic one has the blocks of the disk that hold something, and a
// table of where they are. What is written of it: docs/formats/vhd.md.
#include "image/disk/vhd_format.h"

#include <algorithm>

#include "base/units.h"
#include "image/disk/block_data.h"
#include "image/disk/formats.h"
#include "image/disk/raw.h"

namespace kiln::image {

namespace {

using namespace vhd;

/// Azure takes whole MiB alone.
std::uint64_t size_of(const Disk& disk) {
  return (disk.image.bytes + kMiB - 1) / kMiB * kMiB;
}

Footer footer_for(const Disk& disk, Type type) {
  return footer_of(size_of(disk), type, id_of(disk, "vhd"));
}

class FixedWriter : public DiskWriter {
 public:
  FixedWriter(const Disk& disk, Sink& out) : disk_(disk), out_(out), data_(disk, out) {}
  Result<> take(const DiskChunk& chunk) override { return data_.take(chunk); }
  Result<> finish() override {
    TRY(data_.finish(size_of(disk_)));
    return out_.write(bytes_of(footer_for(disk_, Type::fixed)));
  }

 private:
  const Disk& disk_;
  Sink& out_;
  RawData data_;
};

class DynamicWriter : public DiskWriter {
 public:
  DynamicWriter(const Disk& disk, Sink& out)
      : disk_(disk), out_(out), footer_(footer_for(disk, Type::dynamic)), data_(disk, out, kBlock, kBitmap) {}

  Result<> start() override {
    TRY(out_.write(bytes_of(footer_)));
    TRY(out_.write(bytes_of(header_of(size_of(disk_)))));
    const std::vector<be32> places = table();
    return out_.write(std::as_bytes(std::span(places)));
  }
  Result<> take(const DiskChunk& chunk) override { return data_.take(chunk); }
  Result<> finish() override {
    TRY(data_.finish());
    return out_.write(bytes_of(footer_));
  }

 private:
  /// Of a block: a bit a sector, all of them there.
  inline static const std::string kBitmap = std::string(kBlock / kSector / 8, '\xff');

  /// A sector number for each block of the disk, filled up to whole sectors.
  std::vector<be32> table() const {
    constexpr std::uint64_t kPerSector = kSector / sizeof(be32);
    const std::uint64_t blocks = (size_of(disk_) + kBlock - 1) / kBlock;
    std::vector<be32> table((blocks + kPerSector - 1) / kPerSector * kPerSector, kAbsent);
    std::uint64_t next = kTableOffset / kSector + table.size() / kPerSector;
    for (const std::uint64_t block : blocks_with_data(disk_, kBlock)) {
      table[block] = static_cast<std::uint32_t>(next);
      next += (kBitmap.size() + kBlock) / kSector;
    }
    return table;
  }

  const Disk& disk_;
  Sink& out_;
  Footer footer_;
  BlockData data_;
};

Result<> check_size(const Disk& disk) {
  if (disk.image.bytes <= kMaxVhdBytes) return {};
  return error(Errc::usage, "VHD holds disks up to {} GiB; this one has {}", kMaxVhdBytes / kGiB,
               (disk.image.bytes + kGiB - 1) / kGiB);
}

}  // namespace

Result<std::unique_ptr<DiskWriter>> start_vhd(const Disk& disk, DiskOutput& out, const DiskWriting& /*how*/) {
  TRY(check_size(disk));
  return std::make_unique<FixedWriter>(disk, out);
}

Result<std::unique_ptr<DiskWriter>> start_vhd_dynamic(const Disk& disk, DiskOutput& out, const DiskWriting& /*how*/) {
  TRY(check_size(disk));
  return std::make_unique<DynamicWriter>(disk, out);
}

}  // namespace kiln::image
