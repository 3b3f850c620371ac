// Deflate with ISA-L, chunk by chunk: a chunk of a gzip stream as blocks that end on a byte and look at no other chunk,
// so that chunks made anywhere join into one stream, or stand as streams of their own.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

struct isal_zstream;

namespace kiln::image {

/// Deflates with ISA-L, or stores where that gains nothing. Keeps its work memory between chunks.
class ChunkDeflater {
 public:
  ChunkDeflater();
  /// Replaces `out` by the blocks of a chunk of at most 4 MiB.
  void deflate(std::span<const std::byte> chunk, std::vector<std::byte>& out);
  /// The same of a chunk of at least 8 KiB that looks back at most 2^window_bits bytes; leaves `out` empty where the
  /// blocks and kDeflateEnd would not be smaller than the chunk, as is seen from its bytes alone where it can be.
  void deflate_piece(std::span<const std::byte> chunk, unsigned window_bits, std::vector<std::byte>& out);

 private:
  /// Bytes written to out, or 0 when they would not fit.
  std::size_t compress(std::span<const std::byte> bytes, unsigned window_bits, std::span<std::byte> out);
  bool is_worth_it(std::span<const std::byte> chunk);

  struct Unmap {
    void operator()(isal_zstream* stream) const;
  };
  std::unique_ptr<isal_zstream, Unmap> stream_;
  std::vector<unsigned char> work_;
  std::vector<std::byte> sample_, packed_sample_;
};

/// Ends a raw deflate stream that blocks of this kind were put together to.
inline constexpr std::string_view kDeflateEnd("\x01\0\0\xff\xff", 5);

/// What stands before the bytes of a stored block of at most 65,535 bytes.
std::array<std::byte, 5> stored_block_head(std::size_t bytes);

/// Changes when the bytes do that a chunk becomes: the library's version and ours.
std::string deflate_form();

/// CRC-32 as gzip has it, and Adler-32 as zlib has it, of one chunk.
std::uint32_t gzip_crc(std::span<const std::byte> chunk);
std::uint32_t zlib_adler(std::span<const std::byte> chunk);

}  // namespace kiln::image
