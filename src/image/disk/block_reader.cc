#include "image/disk/block_reader.h"

#include <algorithm>
#include <array>

#include "image/disk/qcow2_reader.h"

namespace kiln::image {

namespace {

class RawReader : public BlockReader {
 public:
  RawReader(Fd file, std::uint64_t bytes) : file_(std::move(file)), bytes_(bytes) {}
  std::uint64_t bytes() const override { return bytes_; }

 private:
  Result<> fill(std::uint64_t offset, std::span<std::byte> out) override {
    const std::size_t n = TRY(pread_full(file_.get(), out, offset));
    if (n < out.size()) return error(Errc::corrupt, "the file became shorter while it was read");
    return {};
  }
  Fd file_;
  std::uint64_t bytes_;
};

class PartReader : public BlockReader {
 public:
  PartReader(BlockReader& disk, std::uint64_t offset, std::uint64_t bytes)
      : disk_(disk), offset_(offset), bytes_(bytes) {}
  std::uint64_t bytes() const override { return bytes_; }

 private:
  Result<> fill(std::uint64_t offset, std::span<std::byte> out) override { return disk_.read(offset_ + offset, out); }
  BlockReader& disk_;
  std::uint64_t offset_, bytes_;
};

struct Magic {
  std::string_view bytes, name, remedy;
};
constexpr std::string_view kConvert = "make it one with: qemu-img convert -O qcow2 FILE NEW.qcow2";
constexpr std::string_view kUnpack = "unpack it first";
constexpr std::array<Magic, 10> kOthers = {{{"KDMV", "a VMDK image", kConvert},
                                            {"COWD", "a VMDK image", kConvert},
                                            {"# Disk DescriptorFile", "a VMDK descriptor", kConvert},
                                            {"vhdxfile", "a VHDX image", kConvert},
                                            {"conectix", "a dynamic VHD image", kConvert},
                                            {std::string_view("QED\0", 4), "a QED image", kConvert},
                                            {"\x1f\x8b", "compressed with gzip", kUnpack},
                                            {"\xfd\x37\x7a\x58\x5a", "compressed with xz", kUnpack},
                                            {"\x28\xb5\x2f\xfd", "compressed with zstd", kUnpack},
                                            {"BZh", "compressed with bzip2", kUnpack}}};

}  // namespace

Result<> BlockReader::read(std::uint64_t offset, std::span<std::byte> out) {
  if (out.empty()) return {};
  if (offset > bytes() || out.size() > bytes() - offset) {
    return error(Errc::corrupt, "{} bytes at offset {} are wanted, and the disk ends at {}", out.size(), offset,
                 bytes());
  }
  return fill(offset, out);
}

Result<std::unique_ptr<BlockReader>> open_disk_file(const fs::path& file) {
  Fd fd = TRY(open_read(file));
  const struct stat st = TRY(stat_of(fd.get()));
  std::array<std::byte, 32> first{};
  const std::size_t have = TRY(pread_full(fd.get(), first, 0));
  const std::string_view head = as_text(std::span(first).first(have));
  const auto bytes = static_cast<std::uint64_t>(st.st_size);
  if (head.starts_with("QFI\xfb")) return open_qcow2(std::move(fd), bytes);
  for (const Magic& other : kOthers) {
    if (!head.starts_with(other.bytes)) continue;
    return error(Errc::bad_template, "it is {}, not supported yet: raw and qcow2 disk images are; {}", other.name,
                 other.remedy);
  }
  if (bytes < 512) return error(Errc::corrupt, "{} bytes are no disk image", bytes);
  return std::unique_ptr<BlockReader>(std::make_unique<RawReader>(std::move(fd), bytes));
}

std::unique_ptr<BlockReader> part_of(BlockReader& disk, std::uint64_t offset, std::uint64_t bytes) {
  return std::make_unique<PartReader>(disk, offset, bytes);
}

}  // namespace kiln::image
