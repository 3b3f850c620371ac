// Where the files of an outer archive (docker-archive, oci-archive) lie, found by reading its headers once and
// unpacking nothing: the archive is as hostile as the layers in it.
#pragma once

#include <map>

#include "base/sink.h"

namespace kiln::image {

/// A part of an open file.
struct FileRange {
  std::shared_ptr<const Fd> fd;
  std::uint64_t offset = 0, bytes = 0;
};

class ArchiveIndex {
 public:
  static Result<ArchiveIndex> open(const fs::path& file);
  /// A regular file of the archive. Symbolic links of the archive (old `docker save` has them for layers that two
  /// images share) lead to other files of it only.
  Result<FileRange> find(const std::string& path) const;

 private:
  struct Place {
    std::uint64_t offset = 0, bytes = 0;
    std::string link;  // of a symbolic link: its target, relative to the root of the archive
  };
  std::shared_ptr<const Fd> fd_;
  std::map<std::string, Place> places_;
};

/// Reads a whole small file. Errc::corrupt above the limit.
Result<std::string> read_range(const FileRange& range, std::uint64_t limit);

/// Reads a range front to back; keeps the file open.
std::unique_ptr<Source> open_range(const FileRange& range);

}  // namespace kiln::image
