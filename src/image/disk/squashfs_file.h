// squashfs through libsquashfs: its objects with owners, and its idea of a file over an output of ours. Private to the
// room.
#pragma once

#include <sqfs/block.h>
#include <sqfs/block_processor.h>
#include <sqfs/block_writer.h>
#include <sqfs/compressor.h>
#include <sqfs/dir_writer.h>
#include <sqfs/error.h>
#include <sqfs/frag_table.h>
#include <sqfs/id_table.h>
#include <sqfs/inode.h>
#include <sqfs/io.h>
#include <sqfs/meta_writer.h>
#include <sqfs/super.h>
#include <sqfs/xattr_writer.h>

#include <memory>
#include <optional>

#include "image/disk.h"

namespace kiln::image::squashfs {

struct Destroy {
  void operator()(void* object) const { sqfs_destroy(object); }
};
template <class T>
using Owned = std::unique_ptr<T, Destroy>;

struct Free {
  void operator()(void* memory) const { sqfs_free(memory); }
};
using Inode = std::unique_ptr<sqfs_inode_generic_t, Free>;

/// A file that the library writes front to back, with places that it wrote before written again. Keeps the output's
/// error and takes what comes after it without writing: told of an error, the library forgets to free its blocks.
class OutputFile {
 public:
  explicit OutputFile(DiskOutput& out);
  sqfs_file_t* get() { return &methods_.file; }
  std::uint64_t bytes() const { return bytes_; }
  Result<> zeros(std::uint64_t n);
  /// What a call of the library came to.
  Result<> said(int code) const;

 private:
  struct Methods {
    sqfs_file_t file{};
    OutputFile* self = nullptr;
  };
  static OutputFile& of(sqfs_file_t* file) { return *reinterpret_cast<Methods*>(file)->self; }
  static int write_at(sqfs_file_t* file, sqfs_u64 offset, const void* buffer, size_t size);
  Result<> put(std::uint64_t offset, std::span<const std::byte> bytes);

  DiskOutput& out_;
  Methods methods_;
  std::uint64_t bytes_ = 0;
  std::optional<Error> failure_;
};

}  // namespace kiln::image::squashfs
