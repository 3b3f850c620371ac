// A blob that proves itself while it is read: size, first bytes and digest must be what its descriptor says.
#pragma once

#include <memory>
#include <optional>

#include "base/sink.h"
#include "image/decompress.h"

namespace kiln::image {

struct ExpectedBlob {
  Digest digest;
  std::uint64_t bytes = 0;
  std::optional<Compression> compression;  // what the first bytes must say
};

/// Reading fails with Errc::corrupt as soon as the blob differs; what was read is good only once the end was read.
std::unique_ptr<Source> verified(std::unique_ptr<Source> in, ExpectedBlob expected);

}  // namespace kiln::image
