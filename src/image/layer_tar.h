// Walks a layer directory and pours it out as its canonical tar. The walk that write_layer_tar, measure_layer and
// compress_layer share. Format: docs/formats/layer-tar.md.
#pragma once

#include "base/cancel.h"
#include "base/sink.h"
#include "image/image.h"

namespace kiln::image {

/// Writes the tar and returns the number of its entries. cancel may be null.
Result<std::uint64_t> pour_layer(const fs::path& tree, Sink& out, const Cancel* cancel);

}  // namespace kiln::image
