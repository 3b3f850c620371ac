// What the writers of disk formats have in common: all of them are handed the disk in the same chunks, so that several
// formats come from one pass and share what was compressed. Private to the room.
#pragma once

#include "image/disk.h"

namespace kiln::image {

inline constexpr std::size_t kChunkBytes = 1 << 16;

/// 64 KiB of a disk that has data in them, at a multiple of 64 KiB. Behind the disk's end there are zeros.
struct DiskChunk {
  std::uint64_t offset = 0;  // on the disk, in bytes
  std::span<const std::byte> plain;
  bool is_zero = false;
  // What a writer asked for. Empty forms: for a chunk that is zero, or that would not shrink.
  std::span<const std::byte> deflated;  // as ChunkDeflater::deflate_piece leaves it
  std::span<const std::byte> zstd;      // a frame
  std::uint32_t crc = 0;                // CRC-32, as gzip has it
  std::uint32_t adler = 0;              // Adler-32, as zlib has it
};

/// What shall be made of each chunk, once for all writers.
struct ChunkForms {
  bool deflated = false, zstd = false, crc = false, adler = false;
};

/// Writes a disk in one format. Calls come one after the other, take() perhaps from another thread than the rest.
class DiskWriter {
 public:
  virtual ~DiskWriter() = default;
  virtual ChunkForms forms() const { return {}; }
  /// False for formats that hold the tree, not the disk: these write all in finish().
  virtual bool takes_chunks() const { return true; }
  /// What stands before the data.
  virtual Result<> start() { return {}; }
  /// Chunks come in the order of the disk; those that the disk has no data in do not come.
  virtual Result<> take(const DiskChunk& /*chunk*/) { return {}; }
  virtual Result<> finish() { return {}; }
};

/// The disk's data in whole chunks; the last may reach behind its end.
std::vector<Extent> chunked(const Disk& disk);

/// An id for the disk as a whole, of the kind that the word names: follows from its size and its partitions' ids.
Uuid id_of(const Disk& disk, std::string_view word);

/// Finds in chunks what the disk has as data, so that holes smaller than a chunk stay holes.
class DataInChunks {
 public:
  /// data: a disk's; must outlive this.
  explicit DataInChunks(const std::vector<Extent>& data) : data_(data) {}
  /// Writes `bytes` bytes of a chunk from its front: data as data, the rest by zeros(). Chunks come in order.
  Result<> put(const DiskChunk& chunk, std::uint64_t bytes, Sink& out);

 private:
  const std::vector<Extent>& data_;
  std::size_t next_ = 0;  // the first extent that may reach into the next chunk
};

}  // namespace kiln::image
