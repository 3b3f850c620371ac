// GCE's image archive: a gzip member that holds a tar that holds disk.raw, as a sparse file of the old GNU form. What
// is written of it: docs/formats/gce-archive.md.
#include <zlib.h>

#include "base/endian.h"
#include "base/units.h"
#include "image/deflate_chunk.h"
#include "image/disk/compose.h"
#include "image/disk/formats.h"
#include "image/tar_header.h"

namespace kiln::image {

namespace {

constexpr std::uint64_t kMaxGiB = 2048;  // Compute Engine's limit

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
  if (value <= kMaxTarOctal) {
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

// Method deflate, no flags, time 0, no extra flags, system "unknown": nothing that tells when or where it was made.
constexpr std::string_view kGzipHeader("\x1f\x8b\x08\0\0\0\0\0\0\xff", 10);

/// A gzip member put together from pieces, some of which were deflated before.
class GzipPieces {
 public:
  explicit GzipPieces(Sink& out) : out_(out) { deflater_.deflate(std::vector<std::byte>(kChunkBytes), zeros_); }

  Result<> start() { return out_.write(kGzipHeader); }

  Result<> put(std::span<const std::byte> plain) {
    std::vector<std::byte> packed;
    while (!plain.empty()) {
      const auto piece = plain.first(std::min(plain.size(), kChunkBytes));
      deflater_.deflate(piece, packed);
      TRY(put_made(packed, gzip_crc(piece), piece.size()));
      plain = plain.subspan(piece.size());
    }
    return {};
  }

  Result<> put(const DiskChunk& chunk) {
    if (chunk.is_zero) return put_made(zeros_, chunk.crc, kChunkBytes);
    if (!chunk.deflated.empty()) return put_made(chunk.deflated, chunk.crc, kChunkBytes);
    constexpr std::size_t kHalf = kChunkBytes / 2;  // a stored block holds a byte less than a chunk
    count(chunk.crc, kChunkBytes);
    for (const auto half : {chunk.plain.first(kHalf), chunk.plain.subspan(kHalf)}) {
      TRY(out_.write(stored_block_head(half.size())));
      TRY(out_.write(half));
    }
    return {};
  }

  Result<> finish() {
    struct Trailer {
      le32 crc, bytes;
    };
    TRY(out_.write(kDeflateEnd));
    return out_.write(bytes_of(Trailer{crc_, static_cast<std::uint32_t>(bytes_)}));
  }
  std::uint64_t plain_bytes() const { return bytes_; }

 private:
  void count(std::uint32_t crc, std::size_t bytes) {
    crc_ = static_cast<std::uint32_t>(::crc32_combine(crc_, crc, static_cast<z_off_t>(bytes)));
    bytes_ += bytes;
  }
  Result<> put_made(std::span<const std::byte> packed, std::uint32_t crc, std::size_t bytes) {
    count(crc, bytes);
    return out_.write(packed);
  }

  Sink& out_;
  ChunkDeflater deflater_;
  std::vector<std::byte> zeros_;  // a chunk of them
  std::uint32_t crc_ = 0;
  std::uint64_t bytes_ = 0;
};

class GceWriter : public DiskWriter {
 public:
  GceWriter(const Disk& disk, Sink& out) : disk_(disk), gzip_(out) {}
  ChunkForms forms() const override { return {.deflated = true, .crc = true}; }
  Result<> start() override {
    TRY(gzip_.start());
    return gzip_.put(as_bytes(render_sparse_header(chunked(disk_), disk_.image.bytes)));
  }
  Result<> take(const DiskChunk& chunk) override { return gzip_.put(chunk); }
  Result<> finish() override {
    const std::uint64_t used = gzip_.plain_bytes() + 2 * kTarBlock;
    TRY(gzip_.put(std::vector<std::byte>(2 * kTarBlock + (kTarRecord - used % kTarRecord) % kTarRecord)));
    return gzip_.finish();
  }

 private:
  const Disk& disk_;
  GzipPieces gzip_;
};

}  // namespace

Result<std::unique_ptr<DiskWriter>> start_gce(const Disk& disk, DiskOutput& out, const DiskWriting& /*how*/) {
  TRY(check_size(disk.image.bytes));
  return std::make_unique<GceWriter>(disk, out);
}

}  // namespace kiln::image
