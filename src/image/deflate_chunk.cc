#include "image/deflate_chunk.h"

#include <isa-l/crc.h>
#include <isa-l/igzip_lib.h>

#include <algorithm>
#include <cassert>
#include <cstring>

namespace kiln::image {

namespace {

constexpr int kLevel = 1;                   // levels 2 and 3 take twice the time for 2.5 % less (measured on /usr)
constexpr std::size_t kStoredMax = 65535;   // bytes of one stored block
constexpr std::size_t kSamples = 8;         // places looked at to judge a chunk ...
constexpr std::size_t kSampleBytes = 4096;  // ... and bytes at each
constexpr std::size_t kWorthPercent = 90;   // a chunk whose sample stays larger than this is stored

std::byte* put_stored(std::byte* to, std::span<const std::byte> block) {
  const auto size = static_cast<unsigned>(block.size());
  const unsigned head[] = {0, size & 255, size >> 8, ~size & 255, (~size >> 8) & 255};
  for (const unsigned b : head) *to++ = static_cast<std::byte>(b);
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

}  // namespace

ChunkDeflater::ChunkDeflater() : work_(ISAL_DEF_LVL1_DEFAULT), packed_sample_(2 * kSamples * kSampleBytes) {
  sample_.reserve(kSamples * kSampleBytes);
}

std::size_t ChunkDeflater::compress(std::span<const std::byte> bytes, const Form& form, std::span<std::byte> out) {
  // The library's state starts as zeros each time: tables left from an earlier chunk change what it finds in this one.
  isal_zstream stream{};
  std::fill(work_.begin(), work_.end(), 0);
  isal_deflate_stateless_init(&stream);
  stream.level = kLevel;
  stream.level_buf = work_.data();
  stream.level_buf_size = static_cast<std::uint32_t>(work_.size());
  stream.flush = form.is_whole ? NO_FLUSH : FULL_FLUSH;
  stream.end_of_stream = form.is_whole ? 1 : 0;
  stream.hist_bits = static_cast<std::uint16_t>(form.window_bits);
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
  const std::size_t packed = compress(sample_, {}, packed_sample_);
  return packed != 0 && packed * 100 <= sample_.size() * kWorthPercent;
}

void ChunkDeflater::deflate(std::span<const std::byte> chunk, std::vector<std::byte>& out) {
  assert(chunk.size() <= (4U << 20));
  if (is_worth_it(chunk)) {
    out.resize(chunk.size());
    const std::size_t packed = compress(chunk, {}, out);
    if (packed != 0 && packed < chunk.size()) {
      out.resize(packed);
      return;
    }
  }
  store(chunk, out);
}

void ChunkDeflater::deflate_alone(std::span<const std::byte> chunk, unsigned window_bits, std::vector<std::byte>& out) {
  out.clear();
  if (!is_worth_it(chunk)) return;
  out.resize(chunk.size());
  const std::size_t packed = compress(chunk, {window_bits, true}, out);
  out.resize(packed < chunk.size() ? packed : 0);
}

std::uint32_t gzip_crc(std::span<const std::byte> chunk) {
  return crc32_gzip_refl(0, reinterpret_cast<const unsigned char*>(chunk.data()), chunk.size());
}

}  // namespace kiln::image
