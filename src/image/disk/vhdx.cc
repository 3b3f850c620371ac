// VHDX: the blocks of the disk that hold something, and a table of where they are, behind 3 MiB of headers. What is
// written of it: docs/formats/vhdx.md.
#include <algorithm>
#include <cassert>

#include "image/disk/block_data.h"
#include "image/disk/ext4_hash.h"
#include "image/disk/formats.h"
#include "image/disk/vhdx_format.h"

namespace kiln::image {

namespace {

using namespace vhdx;

constexpr std::string_view kTableRegion = "2dc27766-f623-4200-9d64-115e9bfd4a08";
constexpr std::string_view kMetadataRegion = "8b7ca206-4790-4b9a-b8fe-575f050f886e";

Guid guid_of(std::string_view text) {
  const auto id = parse_uuid(text);
  assert(id);
  return mixed_endian(*id);
}

/// With its checksum: CRC-32C with the field itself zero.
template <class T>
T sealed(T table) {
  table.checksum = 0;
  table.checksum = ~ext4::crc32c(~0U, bytes_of(table));
  return table;
}

/// The arithmetic of a file for a disk.
struct Shape {
  std::uint64_t disk_bytes = 0;  // whole sectors
  std::uint64_t block = kSmallestBlock;

  explicit Shape(const Disk& disk)
      : disk_bytes((disk.image.bytes + kLogicalSector - 1) / kLogicalSector * kLogicalSector) {
    while (blocks() > kMostBlocks) block *= 2;
  }
  std::uint64_t blocks() const { return std::max<std::uint64_t>(1, (disk_bytes + block - 1) / block); }
  /// After so many blocks the table has an entry for their bitmap.
  std::uint64_t ratio() const { return kSectorsOfBitmap * kLogicalSector / block; }
  std::uint64_t entries() const { return blocks() + (blocks() - 1) / ratio(); }
  std::uint64_t table_bytes() const { return (entries() * sizeof(le64) + kMiB - 1) / kMiB * kMiB; }
  std::uint64_t data() const { return kTable + table_bytes(); }
};

Header header_of(const Disk& disk, std::uint64_t sequence) {
  Header header;
  header.sequence = sequence;
  header.file_write = mixed_endian(id_of(disk, "vhdx file"));
  header.data_write = mixed_endian(id_of(disk, "vhdx data"));
  return sealed(header);
}

RegionTable regions_of(const Shape& shape) {
  RegionTable table;
  table.region[0] = {guid_of(kTableRegion), kTable, static_cast<std::uint32_t>(shape.table_bytes())};
  table.region[1] = {guid_of(kMetadataRegion), kMetadata, static_cast<std::uint32_t>(kMiB)};
  return sealed(table);
}

MetadataTable metadata_table() {
  constexpr std::uint32_t kOfDisk = 2, kRequired = 4;
  constexpr auto at = [](std::size_t offset) { return static_cast<std::uint32_t>(kItems + offset); };
  MetadataTable table;
  table.item = {{
      {guid_of("caa16737-fa36-4d43-b3b6-33f0aa44e76b"), at(0), 8, kRequired},              // block size
      {guid_of("2fa54224-cd1b-4876-b211-5dbed83bf4b8"), at(8), 8, kOfDisk | kRequired},    // bytes
      {guid_of("beca12ab-b2e6-4523-93ef-c309e000c746"), at(16), 16, kOfDisk | kRequired},  // id
      {guid_of("8141bf1d-a96f-4709-ba47-f233a8faab5f"), at(32), 4, kOfDisk | kRequired},   // logical sector
      {guid_of("cda348c7-445d-4471-9cc9-e9885251c556"), at(36), 4, kOfDisk | kRequired},   // physical sector
  }};
  return table;
}

class VhdxWriter : public DiskWriter {
 public:
  VhdxWriter(const Disk& disk, Sink& out) : disk_(disk), out_(out), shape_(disk), data_(disk, out, shape_.block) {}

  Result<> start() override {
    TRY(put_headers());
    TRY(put(kMetadata, bytes_of(metadata_table())));
    MetadataValues values;
    values.block_bytes = static_cast<std::uint32_t>(shape_.block);
    values.disk_bytes = shape_.disk_bytes;
    values.id = mixed_endian(id_of(disk_, "vhdx disk"));
    TRY(put(kMetadata + kItems, bytes_of(values)));
    const std::vector<le64> entries = table();
    TRY(put(kTable, std::as_bytes(std::span(entries))));
    return put(shape_.data(), {});
  }
  Result<> take(const DiskChunk& chunk) override { return data_.take(chunk); }
  Result<> finish() override { return data_.finish(); }

 private:
  /// Zeros up to a place, then what stands there.
  Result<> put(std::uint64_t offset, std::span<const std::byte> bytes) {
    TRY(out_.zeros(offset - position_));
    position_ = offset + bytes.size();
    return out_.write(bytes);
  }

  Result<> put_headers() {
    FileId id;
    std::copy_n("kiln", 4, id.creator.begin());
    TRY(put(0, bytes_of(id)));
    for (std::uint64_t i = 0; i < 2; ++i) TRY(put(kHeaders + i * 64 * kKiB, bytes_of(header_of(disk_, i + 1))));
    const RegionTable regions = regions_of(shape_);
    for (std::uint64_t i = 0; i < 2; ++i) TRY(put(kRegions + i * 64 * kKiB, bytes_of(regions)));
    return {};
  }

  std::vector<le64> table() const {
    std::vector<le64> entries(shape_.entries());
    std::uint64_t next = shape_.data();
    for (const std::uint64_t block : blocks_with_data(disk_, shape_.block)) {
      entries[block + block / shape_.ratio()] = next | kPresent;
      next += shape_.block;
    }
    return entries;
  }

  const Disk& disk_;
  Sink& out_;
  Shape shape_;
  BlockData data_;
  std::uint64_t position_ = 0;
};

}  // namespace

Result<std::unique_ptr<DiskWriter>> start_vhdx(const Disk& disk, DiskOutput& out, const DiskWriting& /*how*/) {
  if (disk.image.bytes <= kMaxVhdxBytes) return std::make_unique<VhdxWriter>(disk, out);
  return error(Errc::usage, "VHDX holds disks up to {} GiB; this one has {}", kMaxVhdxBytes >> 30,
               (disk.image.bytes + (1 << 30) - 1) >> 30);
}

}  // namespace kiln::image
