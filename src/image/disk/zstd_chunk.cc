#include "image/disk/zstd_chunk.h"

#include <zstd.h>

#include <cassert>

namespace kiln::image {

namespace {

constexpr int kZstdLevel = 3;

}  // namespace

struct ZstdChunk::State {
  ZSTD_CCtx* context = ZSTD_createCCtx();
  State() { assert(context != nullptr); }
  ~State() { ZSTD_freeCCtx(context); }
};

ZstdChunk::ZstdChunk() : state_(std::make_unique<State>()) {}

ZstdChunk::~ZstdChunk() = default;

void ZstdChunk::compress(std::span<const std::byte> chunk, std::vector<std::byte>& out) {
  out.resize(chunk.size());
  const std::size_t packed =
      ZSTD_compressCCtx(state_->context, out.data(), out.size() - 1, chunk.data(), chunk.size(), kZstdLevel);
  out.resize(ZSTD_isError(packed) != 0 ? 0 : packed);
}

}  // namespace kiln::image
