#include "image/disk/ext4_holes.h"

#include <unistd.h>

#include <algorithm>
#include <cstring>

#include "image/disk/ext4_format.h"

namespace kiln::image::ext4 {

namespace {

constexpr std::size_t kReadBytes = 128 << 10;

bool is_zero(std::span<const std::byte> bytes) {
  return bytes.empty() ||
         (bytes[0] == std::byte{0} && std::memcmp(bytes.data(), bytes.data() + 1, bytes.size() - 1) == 0);
}

Result<bool> has_zero_sample(int fd, std::uint64_t bytes) {
  std::array<std::byte, kBlockBytes> block;
  for (std::uint64_t i = 0; i < kSampleBlocks; ++i) {
    const std::uint64_t at = bytes / kBlockBytes * i / kSampleBlocks * kBlockBytes;
    const std::size_t n = TRY(pread_full(fd, block, at));
    if (is_zero(std::span(block).first(n))) return true;
  }
  return false;
}

/// Where the next data is that the layer's file system knows of: what it skips is zero without being read.
std::uint64_t next_data(int fd, std::uint64_t at, std::uint64_t bytes) {
  const off_t found = ::lseek(fd, static_cast<off_t>(at), SEEK_DATA);
  if (found < 0) return errno == ENXIO ? bytes : at;
  return std::min(bytes, static_cast<std::uint64_t>(found) / kBlockBytes * kBlockBytes);
}

/// Ranges of blocks that are not zero, grown together where less than a hole is between them.
class StoredRanges {
 public:
  explicit StoredRanges(std::uint64_t bytes) : bytes_(bytes) {}
  void add(std::uint64_t offset) {
    const std::uint64_t end = offset + kBlockBytes;
    if (offset < kHoleBlocks * kBlockBytes && ranges_.empty()) offset = 0;
    if (!ranges_.empty() && offset - ranges_.back().end() < kHoleBlocks * kBlockBytes) {
      ranges_.back().bytes = end - ranges_.back().offset;
    } else {
      ranges_.push_back({offset, end - offset});
    }
  }
  std::optional<std::vector<Extent>> finish() && {
    const std::uint64_t whole = blocks_for(bytes_) * kBlockBytes;
    if (!ranges_.empty() && whole - ranges_.back().end() < kHoleBlocks * kBlockBytes) {
      ranges_.back().bytes = whole - ranges_.back().offset;
    }
    if (ranges_.size() == 1 && ranges_[0] == Extent{0, whole}) return {};
    return std::move(ranges_);
  }

 private:
  std::uint64_t bytes_;
  std::vector<Extent> ranges_;
};

}  // namespace

Result<std::optional<std::vector<Extent>>> find_holes(int fd, std::uint64_t bytes) {
  if (bytes < kSparseFileBytes || !TRY(has_zero_sample(fd, bytes))) return std::optional<std::vector<Extent>>();
  StoredRanges ranges(bytes);
  std::vector<std::byte> buffer(kReadBytes);
  for (std::uint64_t at = next_data(fd, 0, bytes); at < bytes; at = next_data(fd, at, bytes)) {
    const std::size_t n = TRY(pread_full(fd, buffer, at));
    if (n == 0) break;
    for (std::size_t part = 0; part < n; part += kBlockBytes) {
      const auto block = std::span<const std::byte>(buffer).subspan(part, std::min(kBlockBytes, n - part));
      if (!is_zero(block)) ranges.add(at + part);
    }
    at += n;
  }
  return std::move(ranges).finish();
}

}  // namespace kiln::image::ext4
