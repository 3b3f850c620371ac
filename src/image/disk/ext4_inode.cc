#include "image/disk/ext4_inode.h"

#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <algorithm>
#include <cstring>

#include "image/disk/ext4_extents.h"
#include "image/disk/ext4_hash.h"

namespace kiln::image::ext4 {

namespace {

constexpr std::uint64_t kSectorsPerBlock = kBlockBytes / 512;
constexpr std::int64_t kFirstTime = -(std::int64_t{1} << 31), kLastTime = (std::int64_t{1} << 34) - (1LL << 31) - 1;
constexpr std::size_t kPointers = kBlockBytes / sizeof(le32);  // in a block of addresses
constexpr std::size_t kDirectPointers = 12, kDoublePointer = 13;

void put_time(Inode& inode, std::int64_t seconds, std::uint32_t nanoseconds) {
  const std::int64_t kept = std::clamp(seconds, kFirstTime, kLastTime);
  const auto low_bits = static_cast<std::int32_t>(static_cast<std::uint32_t>(kept));
  const auto epoch = static_cast<std::uint32_t>((kept - low_bits) >> 32);
  inode.atime = inode.ctime = inode.mtime = inode.crtime = static_cast<std::uint32_t>(low_bits);
  inode.atime_extra = inode.ctime_extra = inode.mtime_extra = inode.crtime_extra = (nanoseconds << 2) | epoch;
}

void put_size(Inode& inode, std::uint64_t bytes) {
  inode.size_lo = low(bytes);
  inode.size_hi = high(bytes);
}

void put_blocks(Inode& inode, std::uint64_t blocks) {
  inode.sectors_lo = low(blocks * kSectorsPerBlock);
  inode.sectors_hi = low16(high(blocks * kSectorsPerBlock));
}

void put_checksum(Inode& inode, std::uint32_t seed) {
  const std::uint32_t sum = crc32c(seed, bytes_of(inode));
  inode.checksum_lo = low16(sum);
  inode.checksum_hi = high16(sum);
}

std::uint64_t blocks_of(const Layout& l, const Place& place) {
  std::uint64_t blocks = place.index.count + (place.attribute_block != 0 ? 1 : 0);
  for (const Run& run : l.runs_of(place)) blocks += run.blocks;
  return blocks;
}

void put_extents(Inode& inode, const Layout& l, const Place& place) {
  inode.flags = inode.flags | kExtentsFlag;
  inode.block = render_extents(l.runs_of(place), l.index_of(place), l.inode_seed(place)).root;
}

/// 8-bit numbers in the old form, others in the new one.
void put_device(Inode& inode, dev_t device) {
  const std::uint32_t a = major(device), b = minor(device);
  const bool is_old = a < 256 && b < 256;
  const le32 number = is_old ? (a << 8) | b : (b & 0xFF) | (a << 8) | ((b & ~0xFFU) << 12);
  std::memcpy(inode.block.data() + (is_old ? 0 : sizeof number), &number, sizeof number);
}

void put_content(Inode& inode, const Layout& l, const Ext4Node& node, const Place& place) {
  switch (node.mode & S_IFMT) {
    case S_IFDIR:
      put_size(inode, place.shape.blocks * kBlockBytes);
      if (place.shape.indexed) inode.flags = kIndexedFlag;
      return put_extents(inode, l, place);
    case S_IFREG:
      put_size(inode, node.bytes);
      return put_extents(inode, l, place);
    case S_IFLNK:
      put_size(inode, node.text.size());
      if (place.runs.count != 0) return put_extents(inode, l, place);
      std::copy(node.text.begin(), node.text.end(), inode.block.begin());
      return;
    case S_IFCHR:
    case S_IFBLK:
      return put_device(inode, node.rdev);
    default:
      return;
  }
}

/// A directory is named by its parent, by itself and by its subdirectories; 1 stands for more than ext4 can count.
std::uint16_t links_of(const Layout& l, const Ext4Node& node) {
  if (!S_ISDIR(node.mode)) return low16(node.names);
  const auto below = std::count_if(node.entries.begin(), node.entries.end(),
                                   [&](const Ext4Name& e) { return S_ISDIR(l.tree->nodes[e.node].mode); });
  return below + 2 > kMaxLinks ? 1 : static_cast<std::uint16_t>(below + 2);
}

Inode node_inode(const Layout& l, std::uint32_t n) {
  const Ext4Node& node = l.tree->nodes[n];
  const Place& place = l.nodes[n];
  Inode inode{};
  inode.mode = low16(node.mode);
  inode.uid_lo = low16(node.uid);
  inode.uid_hi = high16(node.uid);
  inode.gid_lo = low16(node.gid);
  inode.gid_hi = high16(node.gid);
  inode.links = links_of(l, node);
  inode.generation = place.generation;
  inode.extra_bytes = kExtraBytes;
  const bool is_ours = place.inode == kRootInode || place.inode == kFirstInode;
  put_time(inode, is_ours ? l.spec.clock : node.mtime, is_ours ? 0 : node.mtime_ns);
  put_content(inode, l, node, place);
  put_blocks(inode, blocks_of(l, place));
  inode.attributes_lo = low(place.attribute_block);
  inode.attributes_hi = low16(high(place.attribute_block));
  const std::string& attributes = l.attributes[node.attributes].in_inode;
  std::copy(attributes.begin(), attributes.end(), inode.attributes.begin());
  put_checksum(inode, l.inode_seed(place));
  return inode;
}

Inode own_inode(const Layout& l) {
  Inode inode{};
  inode.mode = S_IFREG | 0600;
  inode.links = 1;
  inode.extra_bytes = kExtraBytes;
  put_time(inode, l.spec.clock, 0);
  return inode;
}

/// Through an old-style double indirect block: every block that the table of groups may grow into, and through it those
/// of the copies.
Inode resize_inode(const Layout& l) {
  Inode inode = own_inode(l);
  put_size(inode, (kDirectPointers + kPointers + kPointers * kPointers) * kBlockBytes);
  std::uint64_t tables = 0;
  for (std::uint32_t g = 0; g < l.geometry.groups; ++g) tables += Geometry::has_superblock(g) ? 1 : 0;
  put_blocks(inode, 1 + tables * l.geometry.reserved_blocks);
  const le32 address = low(l.resize_block);
  std::memcpy(inode.block.data() + kDoublePointer * sizeof address, &address, sizeof address);
  put_checksum(inode, l.inode_seed(Place{.inode = kResizeInode}));
  return inode;
}

}  // namespace

Inode journal_inode(const Layout& l) {
  Inode inode = own_inode(l);
  put_size(inode, l.geometry.journal_blocks * kBlockBytes);
  put_extents(inode, l, l.journal);
  put_blocks(inode, blocks_of(l, l.journal));
  put_checksum(inode, l.inode_seed(l.journal));
  return inode;
}

Inode inode_of(const Layout& l, std::uint32_t number) {
  if (number == kResizeInode) return resize_inode(l);
  if (number == kJournalInode) return journal_inode(l);
  if (number >= l.node_of_inode.size() || l.node_of_inode[number] == kNoNode) return {};
  return node_inode(l, l.node_of_inode[number]);
}

}  // namespace kiln::image::ext4
