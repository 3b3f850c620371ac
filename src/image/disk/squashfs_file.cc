#include "image/disk/squashfs_file.h"

namespace kiln::image::squashfs {

OutputFile::OutputFile(DiskOutput& out) : out_(out) {
  methods_.self = this;
  methods_.file.base.destroy = [](sqfs_object_t*) {};
  methods_.file.read_at = [](sqfs_file_t*, sqfs_u64, void*, size_t) -> int { return SQFS_ERROR_UNSUPPORTED; };
  methods_.file.truncate = [](sqfs_file_t*, sqfs_u64) -> int { return SQFS_ERROR_UNSUPPORTED; };
  methods_.file.get_size = [](const sqfs_file_t* file) -> sqfs_u64 {
    return reinterpret_cast<const Methods*>(file)->self->bytes_;
  };
  methods_.file.write_at = write_at;
}

int OutputFile::write_at(sqfs_file_t* file, sqfs_u64 offset, const void* buffer, size_t size) {
  OutputFile& self = of(file);
  if (self.failure_) {
    self.bytes_ = std::max<std::uint64_t>(self.bytes_, offset + size);
  } else if (Result<> done = self.put(offset, {static_cast<const std::byte*>(buffer), size}); !done) {
    self.failure_ = std::move(done).error();
  }
  return 0;
}

Result<> OutputFile::put(std::uint64_t offset, std::span<const std::byte> bytes) {
  if (offset < bytes_) {
    const auto again = bytes.first(std::min<std::uint64_t>(bytes.size(), bytes_ - offset));
    TRY(out_.patch(offset, again));
    bytes = bytes.subspan(again.size());
    offset += again.size();
  }
  TRY(zeros(std::max(offset, bytes_) - bytes_));
  bytes_ += bytes.size();
  return out_.write(bytes);
}

Result<> OutputFile::zeros(std::uint64_t n) {
  bytes_ += n;
  return out_.zeros(n);
}

Result<> OutputFile::said(int code) const {
  if (failure_) return *failure_;
  if (code >= 0) return {};
  if (code == SQFS_ERROR_OVERFLOW) return error(Errc::usage, "more than squashfs can hold");
  return error(Errc::io, "squashfs: libsquashfs says {}", code);
}

}  // namespace kiln::image::squashfs
