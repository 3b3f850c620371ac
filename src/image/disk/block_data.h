// A disk's data in the order of the disk, in blocks larger than a chunk: what the growing forms of VHD and VHDX hold
// behind their tables. Private to the room.
#pragma once

#include "image/disk/disk_writer.h"

namespace kiln::image {

/// Indexes of the blocks of so many bytes that a disk has data in, ascending.
std::vector<std::uint64_t> blocks_with_data(const Disk& disk, std::uint64_t block_bytes);

/// Writes these blocks one after the other, each of them whole, with some bytes before each.
class BlockData {
 public:
  /// block_bytes: a multiple of a chunk. disk and out must outlive this.
  BlockData(const Disk& disk, Sink& out, std::uint64_t block_bytes, std::string before_each = {})
      : out_(out), block_bytes_(block_bytes), before_(std::move(before_each)), data_(disk.image.data) {}
  Result<> take(const DiskChunk& chunk);
  Result<> finish();

 private:
  Sink& out_;
  std::uint64_t block_bytes_;
  std::string before_;
  DataInChunks data_;
  std::uint64_t end_ = 0;       // of the block that is being written, on the disk
  std::uint64_t position_ = 0;  // on the disk
};

}  // namespace kiln::image
