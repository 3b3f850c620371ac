#include "image/disk/disk_writer.h"

#include <algorithm>

#include "image/disk/compose.h"

namespace kiln::image {

std::vector<Extent> chunked(const Disk& disk) {
  const std::uint64_t whole = (disk.image.bytes + kChunkBytes - 1) / kChunkBytes * kChunkBytes;
  return rounded(disk.image.data, kChunkBytes, whole);
}

Uuid id_of(const Disk& disk, std::string_view word) {
  std::string facts = fmt::format("disk of {} bytes", disk.image.bytes);
  for (const DiskPartition& p : disk.partitions) facts += " " + p.id.text();
  return derive_uuid(sha256(facts), word);
}

Result<> DataInChunks::put(const DiskChunk& chunk, std::uint64_t bytes, Sink& out) {
  if (chunk.is_zero) return out.zeros(bytes);
  while (next_ < data_.size() && data_[next_].end() <= chunk.offset) ++next_;
  const std::uint64_t end = chunk.offset + bytes;
  std::uint64_t position = chunk.offset;
  for (std::size_t i = next_; i < data_.size() && data_[i].offset < end; ++i) {
    const std::uint64_t from = std::max(data_[i].offset, chunk.offset), to = std::min(data_[i].end(), end);
    TRY(out.zeros(from - position));
    TRY(out.write(chunk.plain.subspan(from - chunk.offset, to - from)));
    position = to;
  }
  return out.zeros(end - position);
}

}  // namespace kiln::image
