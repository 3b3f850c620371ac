// VMDK, the form that is read front to back: grains of 64 KiB, each a zlib stream, each 512 of them followed by their
// table, and the directory at the end. What is written of it: docs/formats/vmdk.md.
#include <algorithm>

#include "base/text.h"
#include "image/deflate_chunk.h"
#include "image/disk/formats.h"
#include "image/disk/vmdk_format.h"

namespace kiln::image::vmdk {

namespace {

constexpr std::string_view kZlibHead("\x78\x01", 2);  // deflate; the window is at most 32 KiB
constexpr std::size_t kHalf = kChunkBytes / 2;        // a stored block holds a byte less than a chunk

std::string descriptor_of(const Disk& disk, std::string_view name) {
  constexpr std::uint64_t kCylinder = std::uint64_t{255} * 63;  // sectors
  const std::uint64_t sectors = capacity_of(disk) / kSector;
  const std::string id = id_of(disk, "vmdk").text();
  return fmt::format(
      "# Disk DescriptorFile\n"
      "version=1\n"
      "CID={}\n"
      "parentCID=ffffffff\n"
      "createType=\"streamOptimized\"\n"
      "\n"
      "# Extent description\n"
      "RW {} SPARSE \"{}\"\n"
      "\n"
      "# The Disk Data Base\n"
      "#DDB\n"
      "\n"
      "ddb.virtualHWVersion = \"13\"\n"
      "ddb.adapterType = \"lsilogic\"\n"
      "ddb.geometry.cylinders = \"{}\"\n"
      "ddb.geometry.heads = \"255\"\n"
      "ddb.geometry.sectors = \"63\"\n",
      id.substr(0, 8), sectors, name, std::clamp<std::uint64_t>(sectors / kCylinder, 1, 65535));
}

std::uint64_t tables_of(const Disk& disk) {
  constexpr std::uint64_t kTableBytes = kTableEntries * kChunkBytes;
  return (disk.image.bytes + kTableBytes - 1) / kTableBytes;
}

}  // namespace

Result<> check_size(const Disk& disk) {
  if (disk.image.bytes <= kMaxBytes) return {};
  return error(Errc::usage, "VMDK holds disks up to {} GiB; this one has {}", kMaxBytes >> 30,
               (disk.image.bytes + (1 << 30) - 1) >> 30);
}

std::uint64_t capacity_of(const Disk& disk) {
  return (disk.image.bytes + kChunkBytes - 1) / kChunkBytes * kChunkBytes;
}

Writer::Writer(const Disk& disk, Sink& out, std::string_view name)
    : disk_(disk), out_(out), name_(name), directory_(tables_of(disk)) {
  header_.capacity = capacity_of(disk) / kSector;
}

Result<> Writer::put(std::span<const std::byte> bytes) {
  position_ += bytes.size();
  return out_.write(bytes);
}

Result<> Writer::pad() {
  static constexpr std::array<std::byte, kSector> kZeros{};
  return put(std::span(kZeros).first((kSector - position_ % kSector) % kSector));
}

Result<> Writer::put_marker(MarkerType type, std::uint64_t sectors) {
  Marker marker;
  marker.sectors = sectors;
  marker.type = static_cast<std::uint32_t>(type);
  return put(bytes_of(marker));
}

Result<> Writer::start() {
  TRY(put(bytes_of(header_)));
  std::string descriptor = descriptor_of(disk_, name_);
  descriptor.resize((kOverhead - 1) * kSector);
  return put(as_bytes(descriptor));
}

Result<> Writer::take(const DiskChunk& chunk) {
  if (chunk.is_zero) return {};
  const std::uint64_t grain = chunk.offset / kChunkBytes;
  if (grain / kTableEntries != table_) TRY(put_table());
  table_ = grain / kTableEntries;
  grains_.resize(kTableEntries);
  grains_[grain % kTableEntries] = static_cast<std::uint32_t>(position_ / kSector);
  const bool stored = chunk.deflated.empty();
  const std::size_t blocks = stored ? kChunkBytes + 2 * 5 : chunk.deflated.size();
  const std::size_t packed = kZlibHead.size() + blocks + kDeflateEnd.size() + sizeof(be32);
  TRY(put(bytes_of(GrainHead{grain * kGrain, static_cast<std::uint32_t>(packed)})));
  TRY(put(as_bytes(kZlibHead)));
  TRY(stored ? put_stored(chunk.plain) : put(chunk.deflated));
  TRY(put(as_bytes(kDeflateEnd)));
  TRY(put(bytes_of(be32(chunk.adler))));
  return pad();
}

Result<> Writer::put_stored(std::span<const std::byte> plain) {
  for (const auto half : {plain.first(kHalf), plain.subspan(kHalf)}) {
    TRY(put(stored_block_head(half.size())));
    TRY(put(half));
  }
  return {};
}

Result<> Writer::put_table() {
  if (grains_.empty()) return {};
  TRY(put_marker(MarkerType::table, kTableEntries * sizeof(le32) / kSector));
  directory_[table_] = static_cast<std::uint32_t>(position_ / kSector);
  TRY(put(std::as_bytes(std::span(grains_))));
  grains_.clear();
  return {};
}

Result<> Writer::finish() {
  TRY(put_table());
  const std::uint64_t bytes = directory_.size() * sizeof(le32);
  TRY(put_marker(MarkerType::directory, (bytes + kSector - 1) / kSector));
  Header footer = header_;
  footer.directory = position_ / kSector;
  TRY(put(std::as_bytes(std::span(directory_))));
  TRY(pad());
  TRY(put_marker(MarkerType::footer, 1));
  TRY(put(bytes_of(footer)));
  return put_marker(MarkerType::end, 0);
}

}  // namespace kiln::image::vmdk

namespace kiln::image {

Result<std::unique_ptr<DiskWriter>> start_vmdk(const Disk& disk, DiskOutput& out, const DiskWriting& /*how*/) {
  TRY(vmdk::check_size(disk));
  return std::make_unique<vmdk::Writer>(disk, out, "disk.vmdk");
}

}  // namespace kiln::image
