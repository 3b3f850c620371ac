// Random access to the bytes of a disk that is a stranger's file, raw or qcow2: every place asked for and every number
// read is checked. Nothing is written; one thread at a time. Private to the room; docs/formats/disk-bases.md.
#pragma once

#include <memory>

#include "base/fd.h"

namespace kiln::image {

class BlockReader {
 public:
  virtual ~BlockReader() = default;
  /// Size of the disk.
  virtual std::uint64_t bytes() const = 0;
  /// Fills the buffer with the bytes from offset on. Errc::corrupt when they do not all lie on the disk, or when what
  /// says where they lie is damaged.
  Result<> read(std::uint64_t offset, std::span<std::byte> out);

 private:
  virtual Result<> fill(std::uint64_t offset, std::span<std::byte> out) = 0;
};

/// A struct of a disk format, as it stands at an offset.
template <class T>
requires std::is_trivially_copyable_v<T> Result<T> read_struct(BlockReader& disk, std::uint64_t offset) {
  T value;
  TRY(disk.read(offset, std::as_writable_bytes(std::span<T, 1>(&value, 1))));
  return value;
}

/// A disk image's file: qcow2 by its magic, else raw. Errc::bad_template names what to do for formats that are known
/// and not read, and for qcow2 files that are no whole disk by themselves.
Result<std::unique_ptr<BlockReader>> open_disk_file(const fs::path& file);

/// A part of a disk, which must outlive it and hold all of it.
std::unique_ptr<BlockReader> part_of(BlockReader& disk, std::uint64_t offset, std::uint64_t bytes);

}  // namespace kiln::image
