#include "image/disk/ext4_geometry.h"

#include <algorithm>

namespace kiln::image::ext4 {

namespace {

constexpr std::uint64_t kGrowth = 1024;                         // times its size: what the table of groups can grow to
constexpr std::uint32_t kMinReserved = 4, kMaxReserved = 1024;  // blocks; one block of addresses lists the latter
constexpr std::uint64_t kLeastLastGroup = 50;                   // blocks that must be left in the last group for data

bool is_power(std::uint64_t n, std::uint64_t base) {
  while (n > 1 && n % base == 0) n /= base;
  return n == 1;
}

std::uint64_t divided_up(std::uint64_t n, std::uint64_t by) {
  return (n + by - 1) / by;
}

/// As mke2fs of e2fsprogs 1.47 has it, in blocks.
std::uint64_t journal_blocks_for(std::uint64_t blocks) {
  struct Step {
    std::uint64_t below, journal;
  };
  static constexpr Step kSteps[] = {{32768, 1024},          {256 << 10, 4096},          {512 << 10, 8192},
                                    {4096 << 10, 16384},    {8192 << 10, 32768},        {16384 << 10, 65536},
                                    {32768U << 10, 131072}, {~std::uint64_t{0}, 262144}};
  return std::find_if(std::begin(kSteps), std::end(kSteps), [&](const Step& s) { return blocks < s.below; })->journal;
}

Geometry with_groups(std::uint64_t blocks, std::uint64_t inodes) {
  Geometry g;
  g.blocks = blocks;
  g.groups = static_cast<std::uint32_t>(divided_up(blocks, kGroupBlocks));
  g.descriptor_blocks = static_cast<std::uint32_t>(divided_up(g.groups, kDescriptorsPerBlock));
  const std::uint64_t grown_groups = divided_up(std::min(blocks * kGrowth, kMaxBytes / kBlockBytes), kGroupBlocks);
  const std::uint64_t grown_table = divided_up(grown_groups, kDescriptorsPerBlock);
  g.reserved_blocks = static_cast<std::uint32_t>(std::clamp<std::uint64_t>(
      grown_table - std::min<std::uint64_t>(grown_table, g.descriptor_blocks), kMinReserved, kMaxReserved));
  const std::uint64_t wanted = std::max(inodes, blocks * kBlockBytes / kBytesPerInode);
  g.group_inodes = static_cast<std::uint32_t>(std::min<std::uint64_t>(
      divided_up(divided_up(wanted, g.groups), kInodesPerBlock) * kInodesPerBlock, kMaxGroupInodes));
  g.journal_blocks = journal_blocks_for(blocks);
  return g;
}

}  // namespace

std::uint64_t Geometry::group_end(std::uint32_t group) const {
  return std::min(group_start(group) + kGroupBlocks, blocks);
}

bool Geometry::has_superblock(std::uint32_t group) {
  return group <= 1 || is_power(group, 3) || is_power(group, 5) || is_power(group, 7);
}

std::uint64_t Geometry::base_blocks(std::uint32_t group) const {
  return has_superblock(group) ? 1 + descriptor_blocks + reserved_blocks : 0;
}

Result<Geometry> geometry_for(std::uint64_t bytes, std::uint64_t inodes) {
  if (bytes < kMinBytes || bytes > kMaxBytes) {
    return error(Errc::usage, "an ext4 file system has from 8 MiB to 16 TiB here, not {} bytes", bytes);
  }
  Geometry g = with_groups(std::min(bytes / kBlockBytes, kMaxFileBlocks), inodes);
  const std::uint64_t last = g.groups - 1;
  const std::uint64_t least = g.base_blocks(g.groups - 1) + 2 + g.table_blocks() + kLeastLastGroup;
  if (g.group_end(g.groups - 1) - g.group_start(g.groups - 1) < least) {
    if (last == 0) return error(Errc::no_space, "{} bytes are too few for {} inodes", bytes, inodes);
    g = with_groups(last * kGroupBlocks, inodes);
  }
  if (g.inodes() < inodes) return error(Errc::no_space, "{} bytes are too few for {} inodes", bytes, inodes);
  return g;
}

}  // namespace kiln::image::ext4
