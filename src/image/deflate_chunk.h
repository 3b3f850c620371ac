// One chunk of a gzip stream as deflate blocks that end on a byte and look at no other chunk, so that chunks made
// anywhere join into one stream.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace kiln::image {

/// Deflates with ISA-L, or stores where that gains nothing. Keeps its work memory between chunks.
class ChunkDeflater {
 public:
  ChunkDeflater();
  /// Replaces `out` by the blocks of a chunk of at most 4 MiB.
  void deflate(std::span<const std::byte> chunk, std::vector<std::byte>& out);

 private:
  /// Bytes written to out, or 0 when they would not fit.
  std::size_t compress(std::span<const std::byte> bytes, std::span<std::byte> out);
  bool is_worth_it(std::span<const std::byte> chunk);
  std::vector<unsigned char> work_;
  std::vector<std::byte> sample_, packed_sample_;
};

/// CRC-32 as gzip has it, of one chunk.
std::uint32_t gzip_crc(std::span<const std::byte> chunk);

}  // namespace kiln::image
