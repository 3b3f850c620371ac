// VMDK's streamOptimized form: its structures, and its writer, which the OVA has inside it. What kiln writes of it:
// docs/formats/vmdk.md. Private to the room.
#pragma once

#include "base/endian.h"
#include "image/disk/disk_writer.h"

namespace kiln::image::vmdk {

inline constexpr std::uint64_t kSector = 512;               // bytes
inline constexpr std::uint64_t kGrain = 128;                // sectors
inline constexpr std::uint64_t kOverhead = 128;             // sectors before the first grain
inline constexpr std::uint64_t kDescriptorSectors = 20;     // from sector 1 on
inline constexpr std::size_t kTableEntries = 512;           // grains of a table
inline constexpr std::uint64_t kAtEnd = ~std::uint64_t{0};  // the directory's place, in the first header
inline constexpr std::uint64_t kMaxBytes = std::uint64_t{2} << 40;
static_assert(kGrain * kSector == kChunkBytes);

struct Header {
  char magic[4] = {'K', 'D', 'M', 'V'};
  le32 version = 3, flags = 0x30001;  // line ends can be tested, grains are compressed, there are markers
  le64 capacity = 0, grain_sectors = kGrain, descriptor_sector = 1, descriptor_sectors = kDescriptorSectors;
  le32 table_entries = kTableEntries;
  le64 second_directory = 0, directory = kAtEnd, overhead = kOverhead;
  std::uint8_t unclean = 0;
  char line_ends[4] = {'\n', ' ', '\r', '\n'};
  le16 compression = 1;
  std::array<std::uint8_t, 433> unused{};
};
static_assert(sizeof(Header) == kSector);

enum class MarkerType : std::uint32_t { end = 0, table = 1, directory = 2, footer = 3 };

struct Marker {
  le64 sectors = 0;
  le32 bytes = 0, type = 0;
  std::array<std::uint8_t, 496> unused{};
};
static_assert(sizeof(Marker) == kSector);

struct GrainHead {
  le64 sector = 0;  // on the disk
  le32 bytes = 0;   // of the zlib stream that follows
};
static_assert(sizeof(GrainHead) == 12);

/// Errc::usage for a disk over 2 TiB.
Result<> check_size(const Disk& disk);

/// What the disk has for VMware: its bytes, whole grains.
std::uint64_t capacity_of(const Disk& disk);

/// Writes front to back and patches nothing.
class Writer : public DiskWriter {
 public:
  /// name: of the file, for its descriptor. All must outlive the writer.
  Writer(const Disk& disk, Sink& out, std::string_view name);
  ChunkForms forms() const override { return {.deflated = true, .adler = true}; }
  Result<> start() override;
  Result<> take(const DiskChunk& chunk) override;
  Result<> finish() override;
  std::uint64_t bytes() const { return position_; }

 private:
  Result<> put(std::span<const std::byte> bytes);
  Result<> pad();
  Result<> put_marker(MarkerType type, std::uint64_t sectors);
  Result<> put_table();
  Result<> put_stored(std::span<const std::byte> plain);

  const Disk& disk_;
  Sink& out_;
  std::string name_;
  Header header_;
  std::uint64_t position_ = 0;  // in the file, bytes
  std::uint64_t table_ = 0;     // the one that is being filled
  std::vector<le32> grains_;    // of it; empty: none yet
  std::vector<le32> directory_;
};

}  // namespace kiln::image::vmdk
