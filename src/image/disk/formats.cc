#include "image/disk/formats.h"

#include <unistd.h>

#include <algorithm>
#include <array>

#include "base/file.h"
#include "base/text.h"
#include "image/disk/chunk_pipe.h"
#include "image/disk/compose.h"

namespace kiln::image {

namespace {

/// One line a format; its page is in docs/formats/.
constexpr std::array kFormats = {
    DiskFormat{"raw", ".raw", start_raw},
    DiskFormat{"gce", ".tar.gz", start_gce},
    DiskFormat{"qcow2", ".qcow2", start_qcow2},
    DiskFormat{"qcow2-zlib", ".zlib.qcow2", start_qcow2_zlib},
    DiskFormat{"qcow2-zstd", ".zstd.qcow2", start_qcow2_zstd},
    DiskFormat{"vhd", ".vhd", start_vhd},
    DiskFormat{"vhd-dynamic", ".dynamic.vhd", start_vhd_dynamic},
    DiskFormat{"vhdx", ".vhdx", start_vhdx},
    DiskFormat{"vmdk", ".vmdk", start_vmdk},
    DiskFormat{"ova", ".ova", start_ova},
    DiskFormat{"squashfs", ".squashfs", start_squashfs, DiskFormat::Of::tree},
    DiskFormat{"wsl", ".wsl", start_wsl, DiskFormat::Of::tree},
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

/// A writer, and what to add to an error of its own.
struct NamedWriter {
  std::unique_ptr<DiskWriter> writer;
  std::string purpose;

  Result<> said(Result<> result) const {
    return result.ok() || purpose.empty() ? std::move(result) : std::move(result).context("{}", purpose);
  }
};

std::vector<ChunkPipe::Take> takers_of(const std::vector<NamedWriter>& writers) {
  std::vector<ChunkPipe::Take> takers;
  takers.reserve(writers.size());
  for (const NamedWriter& w : writers) {
    if (w.writer->takes_chunks())
      takers.emplace_back([&w](const DiskChunk& chunk) { return w.said(w.writer->take(chunk)); });
  }
  return takers;
}

ChunkForms forms_of(const std::vector<NamedWriter>& writers) {
  ChunkForms all;
  for (const NamedWriter& w : writers) {
    const ChunkForms one = w.writer->forms();
    all = {all.deflated || one.deflated, all.zstd || one.zstd, all.crc || one.crc, all.adler || one.adler};
  }
  return all;
}

Result<> pour_chunks(const Disk& disk, const std::vector<NamedWriter>& writers, const DiskWriting& how) {
  std::vector<ChunkPipe::Take> takers = takers_of(writers);
  if (takers.empty()) return {};
  const std::vector<Extent> places = chunked(disk);
  const auto pipe = TRY(ChunkPipe::start(places, forms_of(writers), how.threads, std::move(takers)));
  const auto progress = [&how, total = disk.data_bytes()](std::uint64_t done) {  // whole chunks are a little more
    if (how.progress) how.progress(std::min(done, total));
  };
  RangeSink ranges(places, *pipe, progress);
  const Result<> poured = disk.image.pour(ranges, how.cancel);
  if (auto failure = pipe->failure()) return *std::move(failure);
  if (!poured) return writers.size() > 1 ? poured : writers.front().said(poured);
  TRY(ranges.zeros(places.empty() ? 0 : std::max(places.back().end(), disk.image.bytes) - disk.image.bytes));
  return pipe->finish();
}

Result<> write_all(const Disk& disk, const std::vector<NamedWriter>& writers, const DiskWriting& how) {
  for (const NamedWriter& w : writers) TRY(w.said(w.writer->start()));
  TRY(pour_chunks(disk, writers, how));
  for (const NamedWriter& w : writers) TRY(w.said(w.writer->finish()));
  return {};
}

/// A file on its way to its final name.
struct OpenTarget {
  AtomicFile file;
  FileOutput out;
  explicit OpenTarget(AtomicFile opened) : file(std::move(opened)), out(file.fd()) {}

  Result<std::uint64_t> size() {
    TRY(out.finish());
    return static_cast<std::uint64_t>(TRY(stat_of(file.fd())).st_size);
  }
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

Result<> write_disk(const Disk& disk, const DiskFormat& format, DiskOutput& out, const DiskWriting& how) {
  std::vector<NamedWriter> writers;
  writers.push_back({TRY(format.start(disk, out, how)), {}});
  return write_all(disk, writers, how);
}

Result<std::vector<std::uint64_t>> write_disk_files(const Disk& disk, std::span<const DiskTarget> targets,
                                                    const DiskWriting& how) {
  std::vector<std::unique_ptr<OpenTarget>> files;
  std::vector<NamedWriter> writers;
  for (const DiskTarget& target : targets) {
    files.push_back(std::make_unique<OpenTarget>(TRY(AtomicFile::create(target.path))));
    const std::string purpose = fmt::format("writing {}", target.path);
    writers.push_back({TRY(target.format->start(disk, files.back()->out, how).context("{}", purpose)), purpose});
  }
  if (!writers.empty()) TRY(write_all(disk, writers, how));
  std::vector<std::uint64_t> sizes;
  for (std::size_t i = 0; i < files.size(); ++i)
    sizes.push_back(TRY(files[i]->size().context("{}", writers[i].purpose)));
  for (const auto& file : files) TRY(file->file.commit());
  return sizes;
}

}  // namespace kiln::image
