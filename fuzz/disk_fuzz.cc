// Disk images: raw or qcow2, and the partition table in them. What a disk says of itself is small against what it may
// make the reader do.
#include <algorithm>
#include <array>

#include "fuzz/harness.h"
#include "image/disk/partitions.h"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace kiln;
  const fs::path file = fuzz::place() / "disk";
  fuzz::must(bool{write_file_quick(file, fuzz::text_of(data, size))});
  const auto disk = image::open_disk_file(file);
  if (!disk) return 0;
  const std::uint64_t end = (*disk)->bytes();
  std::array<std::byte, 3000> room{};
  for (std::uint64_t i = 0; i < 8; ++i) {
    const std::uint64_t at = end / 8 * i;
    (void)(*disk)->read(at, std::span(room).first(std::min<std::uint64_t>(room.size(), end - at)));
  }
  auto table = image::read_partition_table(**disk);
  if (!table) return 0;
  for (const image::FoundPartition& p : table->partitions) fuzz::must(p.offset <= end && p.bytes <= end - p.offset);
  return 0;
}
