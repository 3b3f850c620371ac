// The disk itself as a file. What is zero becomes holes.
#include <algorithm>

#include "image/disk/formats.h"
#include "image/disk/raw.h"

namespace kiln::image {

Result<> RawData::take(const DiskChunk& chunk) {
  TRY(out_.zeros(chunk.offset - position_));
  const std::uint64_t bytes = std::min<std::uint64_t>(kChunkBytes, disk_.image.bytes - chunk.offset);
  position_ = chunk.offset + bytes;
  return data_.put(chunk, bytes, out_);
}

Result<> RawData::finish(std::uint64_t bytes) {
  return out_.zeros(bytes - position_);
}

namespace {

class RawWriter : public DiskWriter {
 public:
  RawWriter(const Disk& disk, Sink& out) : bytes_(disk.image.bytes), data_(disk, out) {}
  Result<> take(const DiskChunk& chunk) override { return data_.take(chunk); }
  Result<> finish() override { return data_.finish(bytes_); }

 private:
  std::uint64_t bytes_;
  RawData data_;
};

}  // namespace

Result<std::unique_ptr<DiskWriter>> start_raw(const Disk& disk, DiskOutput& out, const DiskWriting& /*how*/) {
  return std::make_unique<RawWriter>(disk, out);
}

}  // namespace kiln::image
