// One chunk as a whole zstd frame. Private to the room.
#pragma once

#include <memory>
#include <span>
#include <vector>

namespace kiln::image {

/// Keeps its work memory between chunks.
class ZstdChunk {
 public:
  ZstdChunk();
  ~ZstdChunk();
  ZstdChunk(const ZstdChunk&) = delete;
  ZstdChunk& operator=(const ZstdChunk&) = delete;
  /// Replaces `out` by the frame; leaves it empty where the frame would not be smaller than the chunk.
  void compress(std::span<const std::byte> chunk, std::vector<std::byte>& out);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace kiln::image
