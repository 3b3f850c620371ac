#include "image/disk/formats.h"

#include <unistd.h>

#include <array>

#include "base/file.h"
#include "base/text.h"
#include "image/disk/compose.h"

namespace kiln::image {

namespace {

/// One line a format; its page is in docs/formats/.
constexpr std::array kFormats = {
    DiskFormat{"raw", ".raw", write_raw},
    DiskFormat{"gce", ".tar.gz", write_gce},
    DiskFormat{"qcow2", ".qcow2", write_qcow2},
    DiskFormat{"qcow2-zlib", ".zlib.qcow2", write_qcow2_zlib},
    DiskFormat{"qcow2-zstd", ".zstd.qcow2", write_qcow2_zstd},
};

/// A file as output. zeros() leaves holes.
class FileOutput : public DiskOutput {
 public:
  explicit FileOutput(int fd) : fd_(fd), sink_(fd) {}
  using Sink::write;
  Result<> write(std::span<const std::byte> bytes) override { return sink_.write(bytes); }
  Result<> zeros(std::uint64_t n) override { return sink_.zeros(n); }
  Result<> patch(std::uint64_t offset, std::span<const std::byte> bytes) override {
    while (!bytes.empty()) {
      const ssize_t n = ::pwrite(fd_, bytes.data(), bytes.size(), static_cast<off_t>(offset));
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) return sys_error("write");
      bytes = bytes.subspan(static_cast<std::size_t>(n));
      offset += static_cast<std::uint64_t>(n);
    }
    return {};
  }
  Result<> finish() { return sink_.finish(); }

 private:
  int fd_;
  FdSink sink_;
};

}  // namespace

std::uint64_t Disk::data_bytes() const {
  return total_bytes(image.data);
}

std::span<const DiskFormat> disk_formats() {
  return kFormats;
}

Result<const DiskFormat*> find_disk_format(std::string_view name) {
  std::vector<std::string> names;
  for (const DiskFormat& format : kFormats) {
    if (format.name == name) return &format;
    names.emplace_back(format.name);
  }
  return error(Errc::usage, "there is no disk format '{}'; there are {}", name, join(names, ", "));
}

Result<std::uint64_t> write_disk_file(const Disk& disk, const DiskFormat& format, const fs::path& target,
                                      const DiskWriting& how) {
  AtomicFile file = TRY(AtomicFile::create(target));
  FileOutput out(file.fd());
  TRY(format.write(disk, out, how).context("writing {}", target));
  TRY(out.finish().context("writing {}", target));
  const struct stat st = TRY(stat_of(file.fd()));
  TRY(file.commit());
  return static_cast<std::uint64_t>(st.st_size);
}

}  // namespace kiln::image
