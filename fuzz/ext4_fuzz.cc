// A file system on a disk, unpacked into a directory. The input is a list of pieces of a disk of 1 MiB, as most of a
// disk is zero: 4 bytes offset, 2 bytes length, little-endian, then so many bytes.
#include <algorithm>

#include "base/endian.h"
#include "fuzz/unpacked.h"
#include "image/base_disk.h"

namespace {

constexpr std::size_t kDiskBytes = 1 << 20;

struct Piece {
  kiln::le32 offset;
  kiln::le16 bytes;
};

std::string disk_of(std::string_view input) {
  std::string disk(kDiskBytes, '\0');
  while (input.size() >= sizeof(Piece)) {
    Piece piece;
    std::copy_n(input.data(), sizeof piece, reinterpret_cast<char*>(&piece));
    input.remove_prefix(sizeof piece);
    const std::string_view bytes = input.substr(0, piece.bytes);
    input.remove_prefix(bytes.size());
    const std::size_t at = piece.offset % kDiskBytes;
    const std::size_t n = std::min(bytes.size(), kDiskBytes - at);
    disk.replace(at, n, bytes.substr(0, n));
  }
  return disk;
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace kiln;
  const fs::path tree = fuzz::place() / "outer/tree", file = fuzz::place() / "disk";
  fs::create_directories(tree);
  fuzz::must(bool{write_file_quick(file, disk_of(fuzz::text_of(data, size)))});
  const image::Limits limits = fuzz::small_limits();
  const Cancel cancel;
  auto root = image::unpack_disk(file, tree, limits, cancel);
  if (root) fuzz::must(root->entries <= limits.entries);
  fuzz::must_have_stayed_in(tree, bool{root});
  return 0;
}
