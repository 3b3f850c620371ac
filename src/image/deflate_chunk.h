// Deflate with ISA-L, chunk by chunk: a chunk of a gzip stream as blocks that end on a byte and look at no other chunk,
// so that chunks made anywhere join into one stream; and a chunk as a whole stream of its own.
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
  /// Replaces `out` by a chunk as a raw deflate stream (no header, no trailer) that looks back at most 2^window_bits
  /// bytes; leaves it empty where the stream would not be smaller than the chunk.
  void deflate_alone(std::span<const std::byte> chunk, unsigned window_bits, std::vector<std::byte>& out);

 private:
  struct Form {
    unsigned window_bits = 15;
    bool is_whole = false;  // a stream with its end, not a piece of one
  };
  /// Bytes written to out, or 0 when they would not fit.
  std::size_t compress(std::span<const std::byte> bytes, const Form& form, std::span<std::byte> out);
  bool is_worth_it(std::span<const std::byte> chunk);
  std::vector<unsigned char> work_;
  std::vector<std::byte> sample_, packed_sample_;
};

/// CRC-32 as gzip has it, of one chunk.
std::uint32_t gzip_crc(std::span<const std::byte> chunk);

}  // namespace kiln::image
