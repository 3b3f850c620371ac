#include "image/disk/block_data.h"

#include <algorithm>

namespace kiln::image {

std::vector<std::uint64_t> blocks_with_data(const Disk& disk, std::uint64_t block_bytes) {
  std::vector<std::uint64_t> blocks;
  for (const Extent& e : disk.image.data) {
    std::uint64_t block = e.offset / block_bytes;
    if (!blocks.empty()) block = std::max(block, blocks.back() + 1);
    for (; block <= (e.end() - 1) / block_bytes; ++block) blocks.push_back(block);
  }
  return blocks;
}

Result<> BlockData::take(const DiskChunk& chunk) {
  if (chunk.offset >= end_) {
    TRY(finish());
    TRY(out_.write(before_));
    position_ = chunk.offset / block_bytes_ * block_bytes_;
    end_ = position_ + block_bytes_;
  }
  TRY(out_.zeros(chunk.offset - position_));
  position_ = chunk.offset + kChunkBytes;
  return data_.put(chunk, kChunkBytes, out_);
}

Result<> BlockData::finish() {
  TRY(out_.zeros(end_ - position_));
  position_ = end_;
  return {};
}

}  // namespace kiln::image
