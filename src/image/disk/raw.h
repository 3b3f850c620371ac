// A disk's bytes as they are: all of the raw format, and the data of VHD's fixed form. Private to the room.
#pragma once

#include "image/disk/disk_writer.h"

namespace kiln::image {

class RawData {
 public:
  /// Both must outlive this.
  RawData(const Disk& disk, Sink& out) : disk_(disk), out_(out), data_(disk.image.data) {}
  Result<> take(const DiskChunk& chunk);
  /// Zeros to the end. bytes: of the whole, not less than the disk's.
  Result<> finish(std::uint64_t bytes);

 private:
  const Disk& disk_;
  Sink& out_;
  DataInChunks data_;
  std::uint64_t position_ = 0;
};

}  // namespace kiln::image
