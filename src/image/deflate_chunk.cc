#include "image/deflate_chunk.h"

#include <fmt/format.h>
#include <isa-l.h>
#include <isa-l/crc.h>
#include <isa-l/igzip_lib.h>
#include <sys/mman.h>

#include <algorithm>
#include <atomic>
#include <cassert>
#include <cerrno>
#include <cstring>
#include <new>

namespace kiln::image {

namespace {

constexpr int kLevel = 1;                   // levels 2 and 3 take twice the time for 2.5 % less (measured on /usr)
constexpr unsigned kWindowBits = 15;        // of a piece of a gzip stream
constexpr std::size_t kStoredMax = 65535;   // bytes of one stored block
constexpr std::size_t kSamples = 8;         // places looked at to judge a chunk ...
constexpr std::size_t kSampleBytes = 4096;  // ... and bytes at each
constexpr std::size_t kWorthPercent = 90;   // a chunk whose sample stays larger than this is stored

std::byte* put_stored(std::byte* to, std::span<const std::byte> block) {
  const auto head = stored_block_head(block.size());
  to = std::copy(head.begin(), head.end(), to);
  std::memcpy(to, block.data(), block.size());
  return to + block.size();
}

void store(std::span<const std::byte> chunk, std::vector<std::byte>& out) {
  const std::size_t blocks = (chunk.size() + kStoredMax - 1) / kStoredMax;
  out.resize(chunk.size() + 5 * blocks);
  std::byte* to = out.data();
  while (!chunk.empty()) {
    const std::size_t n = std::min(chunk.size(), kStoredMax);
    to = put_stored(to, chunk.first(n));
    chunk = chunk.subspan(n);
  }
}

/// Whether the bytes of a chunk are spread so evenly that deflate finds nothing in it: jars, pictures, packed debug
/// files. Eight times cheaper than a try.
bool looks_packed(std::span<const std::byte> chunk) {
  constexpr std::size_t kPieces = 16, kPieceBytes = 512, kLooked = kPieces * kPieceBytes;
  std::array<std::uint32_t, 256> counts{};
  const std::size_t step = (chunk.size() - kPieceBytes) / (kPieces - 1);
  for (std::size_t i = 0; i < kPieces; ++i)
    for (const std::byte b : chunk.subspan(i * step, kPieceBytes)) ++counts[std::to_integer<std::size_t>(b)];
  std::uint64_t squares = 0;
  for (const std::uint64_t n : counts) squares += n * n;
  // Even bytes give kLooked * (kLooked / 256 + 1) on average, and text four times that and more.
  constexpr std::uint64_t kEven = kLooked * (kLooked / 256 + 1);
  return squares < kEven + kEven / 16;
}

/// What ISA-L's level 1 makes of four bytes: their place in its table of 8,192.
std::uint32_t hash_of(std::uint32_t bytes) {
  std::uint32_t crc = bytes;  // CRC-32C, from 0
  for (int bit = 0; bit < 32; ++bit) crc = crc >> 1 ^ ((crc & 1) != 0 ? 0x82F63B78U : 0U);
  return crc & 8191;
}

/// Memory for a stream, at an address that ISA-L hashes like that of every other stream, in every process
/// (docs/decisions/0006-one-address-for-deflate.md). Where addresses start matters to nothing: far from the heap,
/// libraries and stacks, and below the end of a user's half of 47 bits.
isal_zstream* map_stream() {
  constexpr std::uint32_t kFirst = 0x2000'0000, kLast = 0x4000'0000;  // in units of 64 KiB
  static std::atomic<std::uint32_t> next{kFirst};
  for (std::uint32_t unit = next++; unit < kLast; unit = next++) {
    if (hash_of(unit) != 0) continue;
    void* const wanted = reinterpret_cast<void*>(std::uintptr_t{unit} << 16);  // NOLINT(performance-no-int-to-ptr)
    void* const got = mmap(wanted, sizeof(isal_zstream), PROT_READ | PROT_WRITE,
                           MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
    if (got == wanted) return new (got) isal_zstream{};
    if (got != MAP_FAILED) munmap(got, sizeof(isal_zstream));
    if (errno != EEXIST) break;
  }
  throw std::bad_alloc();
}

}  // namespace

void ChunkDeflater::Unmap::operator()(isal_zstream* stream) const {
  munmap(stream, sizeof(isal_zstream));
}

ChunkDeflater::ChunkDeflater()
    : stream_(map_stream()), work_(ISAL_DEF_LVL1_DEFAULT), packed_sample_(2 * kSamples * kSampleBytes) {
  sample_.reserve(kSamples * kSampleBytes);
}

std::size_t ChunkDeflater::compress(std::span<const std::byte> bytes, unsigned window_bits, std::span<std::byte> out) {
  isal_zstream& stream = *stream_;
  isal_deflate_stateless_init(&stream);
  stream.level = kLevel;
  stream.level_buf = work_.data();
  stream.level_buf_size = static_cast<std::uint32_t>(work_.size());
  stream.flush = FULL_FLUSH;
  stream.hist_bits = static_cast<std::uint16_t>(window_bits);
  stream.gzip_flag = IGZIP_DEFLATE;
  stream.next_in = reinterpret_cast<unsigned char*>(const_cast<std::byte*>(bytes.data()));  // C interface, only read
  stream.avail_in = static_cast<std::uint32_t>(bytes.size());
  stream.next_out = reinterpret_cast<unsigned char*>(out.data());
  stream.avail_out = static_cast<std::uint32_t>(out.size());
  if (isal_deflate_stateless(&stream) != COMP_OK || stream.avail_in != 0) return 0;
  return stream.total_out;
}

/// Compresses a few pieces only: jars, wheels and packages cost nearly nothing to recognise.
bool ChunkDeflater::is_worth_it(std::span<const std::byte> chunk) {
  if (chunk.size() <= 2 * kSamples * kSampleBytes) return true;
  sample_.clear();
  const std::size_t step = (chunk.size() - kSampleBytes) / (kSamples - 1);
  for (std::size_t i = 0; i < kSamples; ++i) {
    const auto piece = chunk.subspan(i * step, kSampleBytes);
    sample_.insert(sample_.end(), piece.begin(), piece.end());
  }
  const std::size_t packed = compress(sample_, kWindowBits, packed_sample_);
  return packed != 0 && packed * 100 <= sample_.size() * kWorthPercent;
}

void ChunkDeflater::deflate(std::span<const std::byte> chunk, std::vector<std::byte>& out) {
  assert(chunk.size() <= (4U << 20));
  if (is_worth_it(chunk)) {
    out.resize(chunk.size());
    const std::size_t packed = compress(chunk, kWindowBits, out);
    if (packed != 0 && packed < chunk.size()) {
      out.resize(packed);
      return;
    }
  }
  store(chunk, out);
}

void ChunkDeflater::deflate_piece(std::span<const std::byte> chunk, unsigned window_bits, std::vector<std::byte>& out) {
  assert(chunk.size() >= 8192);
  out.clear();
  if (looks_packed(chunk)) return;
  out.resize(chunk.size());
  const std::size_t packed = compress(chunk, window_bits, out);
  out.resize(packed + kDeflateEnd.size() < chunk.size() ? packed : 0);
}

std::array<std::byte, 5> stored_block_head(std::size_t bytes) {
  const auto size = static_cast<unsigned>(bytes);
  std::array<std::byte, 5> head{};
  const unsigned fields[] = {0, size & 255, size >> 8, ~size & 255, (~size >> 8) & 255};
  std::transform(std::begin(fields), std::end(fields), head.begin(),
                 [](unsigned f) { return static_cast<std::byte>(f); });
  return head;
}

std::string deflate_form() {
  constexpr int kOurs = 2;  // 1: streams anywhere in memory
  return fmt::format("isa-l {}.{}.{}, {}", ISAL_MAJOR_VERSION, ISAL_MINOR_VERSION, ISAL_PATCH_VERSION, kOurs);
}

std::uint32_t gzip_crc(std::span<const std::byte> chunk) {
  return crc32_gzip_refl(0, reinterpret_cast<const unsigned char*>(chunk.data()), chunk.size());
}

std::uint32_t zlib_adler(std::span<const std::byte> chunk) {
  return isal_adler32(1, reinterpret_cast<const unsigned char*>(chunk.data()), chunk.size());
}

}  // namespace kiln::image
