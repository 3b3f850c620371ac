// Decompression of layers that came from outside: gzip (with several members), zstd, xz or none, recognised by the
// first bytes. One layer of compression only; memory, window and output are bounded (hardening section 3).
#pragma once

#include <memory>

#include "base/sink.h"

namespace kiln::image {

enum class Compression : std::uint8_t { none, gzip, zstd, xz };

/// What the first bytes of a stream say; bzip2 is recognised to be refused by name (Errc::corrupt).
Result<Compression> compression_of(std::string_view first_bytes);

/// Bytes that compression_of wants to see (fewer only where the stream is shorter).
inline constexpr std::size_t kMagicBytes = 6;

struct BombLimits {
  std::uint64_t output_bytes = 0;                            // more is Errc::corrupt
  std::uint64_t ratio = 1000;                                // output : input, once ...
  std::uint64_t ratio_from_bytes = std::uint64_t{64} << 20;  // ... so much came out
};

/// The uncompressed stream of `in`, which must outlive it. Its end is the end of `in`: anything after the compressed
/// data is an error.
Result<std::unique_ptr<Source>> open_decompressed(Source& in, const BombLimits& limits);

}  // namespace kiln::image
