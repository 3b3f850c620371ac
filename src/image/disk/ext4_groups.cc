#include "image/disk/ext4_groups.h"

#include <sys/stat.h>

#include <algorithm>
#include <cstring>

#include "image/disk/ext4_hash.h"
#include "image/disk/ext4_inode.h"

namespace kiln::image::ext4 {

namespace {

constexpr std::uint64_t kReservedPercent = 5;  // of the blocks, for root
constexpr std::uint16_t kNoMountLimit = 0xFFFF;

bool is_used(const Layout& l, std::uint32_t inode) {
  return inode < kFirstInode || (inode < l.node_of_inode.size() && l.node_of_inode[inode] != kNoNode);
}

/// The free ranges that reach into a group, cut to it.
std::vector<Range> free_in(const Layout& l, std::uint32_t group) {
  const Range whole{l.geometry.group_start(group), l.geometry.group_end(group)};
  std::vector<Range> found;
  auto r = std::partition_point(l.free.begin(), l.free.end(), [&](const Range& f) { return f.end <= whole.first; });
  for (; r != l.free.end() && r->first < whole.end; ++r) {
    found.push_back({std::max(r->first, whole.first), std::min(r->end, whole.end)});
  }
  return found;
}

std::uint32_t free_blocks_in(const Layout& l, std::uint32_t group) {
  std::uint64_t blocks = 0;
  for (const Range& r : free_in(l, group)) blocks += r.blocks();
  return static_cast<std::uint32_t>(blocks);
}

void clear_bits(std::string& bitmap, std::uint64_t from, std::uint64_t end) {
  for (; from < end && from % 8 != 0; ++from)
    bitmap[from / 8] = static_cast<char>(bitmap[from / 8] & ~(1 << (from % 8)));
  if (end - from >= 8) std::memset(bitmap.data() + from / 8, 0, (end - from) / 8);
  from += (end - from) / 8 * 8;
  for (; from < end; ++from) bitmap[from / 8] = static_cast<char>(bitmap[from / 8] & ~(1 << (from % 8)));
}

struct InodeCounts {
  std::uint32_t used = 0, directories = 0;
};

InodeCounts count_inodes(const Layout& l, std::uint32_t group) {
  InodeCounts counts;
  const std::uint32_t first = group * l.geometry.group_inodes + 1;
  const std::uint32_t end = first + used_table(l, group);
  for (std::uint32_t inode = first; inode < end; ++inode) {
    if (!is_used(l, inode)) continue;
    ++counts.used;
    const std::uint32_t node = l.node_of_inode[inode];
    if (node != kNoNode && S_ISDIR(l.tree->nodes[node].mode)) ++counts.directories;
  }
  return counts;
}

std::uint32_t bitmap_checksum(const Layout& l, std::string_view bitmap, std::uint32_t bits) {
  return crc32c(l.checksum_seed, as_bytes(bitmap.substr(0, bits / 8)));
}

/// A group where nothing but what the format wants there is taken needs no bitmap of blocks: readers know what it would
/// be. Not the last group, which has an end.
bool is_empty(const Layout& l, std::uint32_t group) {
  const std::uint64_t taken = l.geometry.group_end(group) - l.geometry.group_start(group) - free_blocks_in(l, group);
  return group != 0 && group + 1 != l.geometry.groups && taken == l.geometry.base_blocks(group);
}

GroupDescriptor describe(const Layout& l, std::uint32_t group) {
  const GroupPlace& place = l.groups[group];
  const InodeCounts inodes = count_inodes(l, group);
  const std::uint32_t unused = l.geometry.group_inodes - used_table(l, group);
  GroupDescriptor d{};
  d.block_bitmap_lo = low(place.block_bitmap);
  d.block_bitmap_hi = high(place.block_bitmap);
  d.inode_bitmap_lo = low(place.inode_bitmap);
  d.inode_bitmap_hi = high(place.inode_bitmap);
  d.inode_table_lo = low(place.table);
  d.inode_table_hi = high(place.table);
  d.free_blocks_lo = low16(free_blocks_in(l, group));
  d.free_inodes_lo = low16(l.geometry.group_inodes - inodes.used);
  d.directories_lo = low16(inodes.directories);
  d.unused_inodes_lo = low16(unused);
  const bool no_inodes = inodes.used == 0, no_blocks = is_empty(l, group);
  d.flags =
      static_cast<std::uint16_t>(kTableZeroed | (no_inodes ? kInodesUninit : 0) | (no_blocks ? kBlocksUninit : 0));
  if (!no_blocks) {
    const std::uint32_t sum = bitmap_checksum(l, block_bitmap(l, group), kGroupBlocks);
    d.block_bitmap_csum_lo = low16(sum);
    d.block_bitmap_csum_hi = high16(sum);
  }
  if (!no_inodes) {
    const std::uint32_t sum = bitmap_checksum(l, inode_bitmap(l, group), l.geometry.group_inodes);
    d.inode_bitmap_csum_lo = low16(sum);
    d.inode_bitmap_csum_hi = high16(sum);
  }
  d.checksum = low16(crc32c(crc32c(l.checksum_seed, le32(group)), bytes_of(d)));
  return d;
}

/// Bits of the clock beyond 32.
std::uint8_t clock_hi(std::int64_t clock) {
  return static_cast<std::uint8_t>(static_cast<std::uint64_t>(clock) >> 32);
}

void put_sizes(Superblock& s, const Layout& l) {
  const Geometry& g = l.geometry;
  const std::uint64_t reserved = g.blocks * kReservedPercent / 100;
  std::uint32_t used = 0;
  for (std::uint32_t inode = 1; inode < l.node_of_inode.size(); ++inode) used += is_used(l, inode) ? 1 : 0;
  s.inodes = g.inodes();
  s.free_inodes = g.inodes() - used;
  s.blocks_lo = low(g.blocks);
  s.blocks_hi = high(g.blocks);
  s.reserved_blocks_lo = low(reserved);
  s.reserved_blocks_hi = high(reserved);
  s.free_blocks_lo = low(l.free_blocks);
  s.free_blocks_hi = high(l.free_blocks);
  s.log_block_size = s.log_cluster_size = 2;  // 1024 << 2
  s.blocks_per_group = s.clusters_per_group = kGroupBlocks;
  s.inodes_per_group = g.group_inodes;
  s.inode_bytes = kInodeBytes;
  s.descriptor_bytes = sizeof(GroupDescriptor);
  s.reserved_gdt_blocks = low16(g.reserved_blocks);
  s.log_groups_per_flex = 4;
  s.first_inode = kFirstInode;
  s.min_extra_bytes = s.want_extra_bytes = kExtraBytes;
}

void put_journal(Superblock& s, const Layout& l) {
  const Inode journal = journal_inode(l);
  s.journal_inode = kJournalInode;
  s.journal_backup_type = kJournalBackupBlocks;
  s.journal_block_map = journal.block;
  s.journal_size_hi = journal.size_hi;
  s.journal_size_lo = journal.size_lo;
}

}  // namespace

std::string block_bitmap(const Layout& l, std::uint32_t group) {
  std::string bitmap(kBlockBytes, '\xFF');
  const std::uint64_t start = l.geometry.group_start(group);
  for (const Range& r : free_in(l, group)) clear_bits(bitmap, r.first - start, r.end - start);
  return bitmap;
}

std::string inode_bitmap(const Layout& l, std::uint32_t group) {
  std::string bitmap(kBlockBytes, '\xFF');
  const std::uint32_t used = used_table(l, group);
  clear_bits(bitmap, used, l.geometry.group_inodes);
  for (std::uint32_t i = 0; i < used; ++i) {
    if (!is_used(l, group * l.geometry.group_inodes + 1 + i)) clear_bits(bitmap, i, i + 1);
  }
  return bitmap;
}

std::uint32_t used_table(const Layout& l, std::uint32_t group) {
  const std::uint64_t before = std::uint64_t{group} * l.geometry.group_inodes;
  const std::uint64_t last = l.node_of_inode.size() - 1;
  return static_cast<std::uint32_t>(std::clamp<std::uint64_t>(last, before, before + l.geometry.group_inodes) - before);
}

bool has_block_bitmap(const GroupDescriptor& descriptor) {
  return (descriptor.flags & kBlocksUninit) == 0;
}

bool has_inode_bitmap(const GroupDescriptor& descriptor) {
  return (descriptor.flags & kInodesUninit) == 0;
}

std::vector<GroupDescriptor> describe_groups(const Layout& layout) {
  std::vector<GroupDescriptor> descriptors;
  for (std::uint32_t group = 0; group < layout.geometry.groups; ++group) descriptors.push_back(describe(layout, group));
  return descriptors;
}

Superblock superblock(const Layout& layout, std::uint32_t group) {
  Superblock s{};
  const auto clock = static_cast<std::uint32_t>(layout.spec.clock);
  put_sizes(s, layout);
  put_journal(s, layout);
  s.write_time = s.last_check = s.made_time = clock;
  s.write_time_hi = s.last_check_hi = s.made_time_hi = clock_hi(layout.spec.clock);
  s.max_mounts = kNoMountLimit;
  s.magic = kSuperMagic;
  s.state = kClean;
  s.errors = kErrorsContinue;
  s.revision = 1;
  s.group = low16(group);
  s.compatible = kCompatible;
  s.incompatible = kIncompatible;
  s.read_only_compatible = kReadOnlyCompatible;
  s.uuid = layout.spec.uuid.bytes;
  std::copy_n(layout.spec.label.begin(), layout.spec.label.size(), s.label);
  s.hash_seed = layout.spec.hash_seed.bytes;
  s.hash_version = kHashHalfMd4;
  s.flags = kSignedHash;
  s.mount_options = kUserAttributesAndAcl;
  s.checksum_type = kChecksumCrc32c;
  s.checksum = crc32c(~0U, bytes_of(s).first(offsetof(Superblock, checksum)));
  return s;
}

}  // namespace kiln::image::ext4
