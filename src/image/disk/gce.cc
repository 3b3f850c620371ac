// GCE's image archive: a gzip member that holds a tar that holds disk.raw, as a sparse file of the old GNU form. What
// is written of it: docs/formats/gce-archive.md.
#include <cassert>

#include "base/endian.h"
#include "image/disk/compose.h"
#include "image/disk/formats.h"
#include "image/gzip_sink.h"
#include "image/tar_header.h"

namespace kiln::image {

namespace {

constexpr std::uint64_t kGiB = std::uint64_t{1} << 30;
constexpr std::uint64_t kMaxGiB = 2048;            // Compute Engine's limit
constexpr std::uint64_t kMapBlock = 4096;          // a shorter hole is not worth a map entry
constexpr std::uint64_t kRecord = 20 * kTarBlock;  // a tar ends with a whole record
constexpr std::uint64_t kMaxOctal = 077777777777;

struct SparseEntry {
  char offset[12] = {}, bytes[12] = {};
};

struct OldGnuHeader {
  char name[100] = "disk.raw";
  char mode[8] = "0000644", uid[8] = "0000000", gid[8] = "0000000";
  char size[12] = {}, mtime[12] = "00000000000";
  char checksum[8] = {};
  char type = 'S';
  char link[100] = {};
  char magic[8] = {'u', 's', 't', 'a', 'r', ' ', ' ', '\0'};
  char uname[32] = {}, gname[32] = {}, dev_major[8] = {}, dev_minor[8] = {};
  char atime[12] = {}, ctime[12] = {}, offset[12] = {}, long_names[4] = {}, unused = '\0';
  std::array<SparseEntry, 4> map{};
  char is_extended = 0;
  char real_size[12] = {};
  char padding[17] = {};
};
static_assert(sizeof(OldGnuHeader) == kTarBlock && offsetof(OldGnuHeader, map) == 386 &&
              offsetof(OldGnuHeader, real_size) == 483);

struct OldGnuExtension {
  std::array<SparseEntry, 21> map{};
  char is_extended = 0;
  char padding[7] = {};
};
static_assert(sizeof(OldGnuExtension) == kTarBlock);

/// 11 octal digits and NUL, or from 8 GiB on 0x80 and the number in base 256.
void put_number(char (&field)[12], std::uint64_t value) {
  if (value <= kMaxOctal) {
    for (std::size_t i = 11; i-- > 0; value >>= 3) field[i] = static_cast<char>('0' + (value & 7));
    field[11] = '\0';
    return;
  }
  field[0] = '\x80';
  for (std::size_t i = 12; i-- > 1; value >>= 8) field[i] = static_cast<char>(value & 0xff);
}

/// Takes what an array of entries holds from the front of a map; whether something is left.
template <std::size_t N>
bool fill(std::array<SparseEntry, N>& entries, std::span<const Extent>& map) {
  for (std::size_t i = 0; i < N && !map.empty(); ++i, map = map.subspan(1)) {
    put_number(entries[i].offset, map.front().offset);
    put_number(entries[i].bytes, map.front().bytes);
  }
  return !map.empty();
}

void seal(OldGnuHeader& header) {
  std::fill(std::begin(header.checksum), std::end(header.checksum), ' ');
  std::uint32_t sum = 0;
  for (const std::byte b : bytes_of(header)) sum += std::to_integer<std::uint32_t>(b);
  fmt::format("{:06o}", sum).copy(header.checksum, 6);
  header.checksum[6] = '\0';
}

/// The blocks before the data. A map that does not reach the end gets an empty entry there: it says how long the file
/// is.
std::string render_sparse_header(std::vector<Extent> map, std::uint64_t disk_bytes) {
  OldGnuHeader header;
  put_number(header.size, total_bytes(map));
  put_number(header.real_size, disk_bytes);
  if (map.empty() || map.back().end() != disk_bytes) map.push_back({disk_bytes, 0});
  std::span<const Extent> left(map);
  bool more = fill(header.map, left);
  header.is_extended = more ? 1 : 0;
  seal(header);
  std::string blocks(as_text(bytes_of(header)));
  while (more) {
    OldGnuExtension extension;
    more = fill(extension.map, left);
    extension.is_extended = more ? 1 : 0;
    blocks += as_text(bytes_of(extension));
  }
  return blocks;
}

Result<> check_size(std::uint64_t bytes) {
  if (bytes % kGiB != 0)
    return error(Errc::usage, "Compute Engine takes disks of whole GiB; this one has {} bytes", bytes);
  if (bytes / kGiB > kMaxGiB)
    return error(Errc::usage, "Compute Engine takes disks up to {} GiB; this one has {}", kMaxGiB, bytes / kGiB);
  return {};
}

}  // namespace

Result<> write_gce(const Disk& disk, DiskOutput& out, const DiskWriting& how) {
  TRY(check_size(disk.image.bytes));
  const std::vector<Extent> map = rounded(disk.image.data, kMapBlock, disk.image.bytes);
  const std::string header = render_sparse_header(map, disk.image.bytes);
  const auto gzip = TRY(GzipSink::start(out, how.threads));
  TRY(gzip->write(as_bytes(header)));
  RangeSink ranges(map, *gzip, how.progress);
  TRY(disk.image.pour(ranges, how.cancel));
  const std::uint64_t used = header.size() + total_bytes(map) + 2 * kTarBlock;
  TRY(gzip->zeros(2 * kTarBlock + (kRecord - used % kRecord) % kRecord));
  TRY(gzip->finish());
  return {};
}

}  // namespace kiln::image
