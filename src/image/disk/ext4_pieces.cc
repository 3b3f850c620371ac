#include "image/disk/ext4_pieces.h"

#include <sys/stat.h>

#include <algorithm>
#include <cstring>

#include "image/disk/ext4_extents.h"
#include "image/disk/ext4_groups.h"
#include "image/disk/ext4_inode.h"

namespace kiln::image::ext4 {

namespace {

constexpr std::size_t kSuperblockAt = 1024;  // in the first block; block 0 of other groups begins with it

class Pieces {
 public:
  explicit Pieces(const Layout& layout) : l_(layout) {}

  std::vector<Piece> list() && {
    for (std::uint32_t group = 0; group < l_.geometry.groups; ++group) add_group(group);
    add_own();
    for (std::uint32_t n = 0; n < l_.nodes.size(); ++n) add_node(n);
    std::sort(all_.begin(), all_.end(), [](const Piece& a, const Piece& b) { return a.block < b.block; });
    return std::move(all_);
  }

 private:
  void add(PieceKind kind, std::uint64_t block, std::uint64_t blocks, std::uint32_t subject = 0,
           std::uint32_t from = 0) {
    if (blocks != 0) all_.push_back({block, static_cast<std::uint32_t>(blocks), subject, from, kind});
  }

  void add_group(std::uint32_t group) {
    const std::uint64_t start = l_.geometry.group_start(group);
    if (Geometry::has_superblock(group)) {
      add(PieceKind::superblock, start, 1, group);
      add(PieceKind::descriptors, start + 1, l_.geometry.descriptor_blocks);
    }
    const GroupPlace& place = l_.groups[group];
    if (has_block_bitmap(l_.descriptors[group])) add(PieceKind::block_bitmap, place.block_bitmap, 1, group);
    if (has_inode_bitmap(l_.descriptors[group])) add(PieceKind::inode_bitmap, place.inode_bitmap, 1, group);
    const std::uint32_t used = used_table(l_, group);
    add(PieceKind::inode_table, place.table, (used + kInodesPerBlock - 1) / kInodesPerBlock, group);
  }

  void add_own() {
    const Geometry& g = l_.geometry;
    if (g.groups > 1) add(PieceKind::reserved_table, 1 + g.descriptor_blocks, g.reserved_blocks);
    add(PieceKind::resize_block, l_.resize_block, 1);
    add(PieceKind::journal, l_.runs_of(l_.journal).front().block, 1);
    add_index(PieceKind::journal_index, l_.journal, 0);
  }

  void add_index(PieceKind kind, const Place& place, std::uint32_t subject) {
    const auto blocks = l_.index_of(place);
    for (std::uint32_t i = 0; i < blocks.size(); ++i) {
      if (i > 0 && all_.back().block + all_.back().blocks == blocks[i]) {
        ++all_.back().blocks;
      } else {
        add(kind, blocks[i], 1, subject, i);
      }
    }
  }

  void add_node(std::uint32_t n) {
    const Place& place = l_.nodes[n];
    const std::uint32_t mode = l_.tree->nodes[n].mode;
    const PieceKind kind = S_ISDIR(mode)   ? PieceKind::directory
                           : S_ISLNK(mode) ? PieceKind::link_text
                                           : PieceKind::content;
    for (const Run& run : l_.runs_of(place)) add(kind, run.block, run.blocks, n, run.logical);
    add_index(PieceKind::extents, place, n);
    if (place.attribute_block != 0) add(PieceKind::attributes, place.attribute_block, 1, n);
  }

  const Layout& l_;
  std::vector<Piece> all_;
};

template <class T>
std::string block_with(const T& value, std::size_t at = 0) {
  std::string block(kBlockBytes, '\0');
  std::memcpy(block.data() + at, &value, sizeof value);
  return block;
}

std::string block_of_addresses(const std::vector<std::uint64_t>& addresses, std::size_t from = 0) {
  std::string block(kBlockBytes, '\0');
  for (const std::uint64_t address : addresses) {
    const le32 kept = low(address);
    std::memcpy(block.data() + from++ % (kBlockBytes / sizeof kept) * sizeof kept, &kept, sizeof kept);
  }
  return block;
}

std::string descriptor_block(const Layout& l, std::uint32_t n) {
  std::string block(kBlockBytes, '\0');
  const std::size_t first = std::size_t{n} * kDescriptorsPerBlock;
  const std::size_t end = std::min(first + kDescriptorsPerBlock, l.descriptors.size());
  std::memcpy(block.data(), &l.descriptors[first], (end - first) * sizeof(GroupDescriptor));
  return block;
}

/// A block that the table of groups may grow into lists its copies.
std::string reserved_block(const Layout& l, std::uint32_t n) {
  std::vector<std::uint64_t> copies;
  for (std::uint32_t group = 1; group < l.geometry.groups; ++group) {
    if (Geometry::has_superblock(group))
      copies.push_back(l.geometry.group_start(group) + 1 + l.geometry.descriptor_blocks + n);
  }
  return block_of_addresses(copies);
}

/// Each such block stands in the list where it will stand in the table.
std::string resize_block(const Layout& l) {
  std::vector<std::uint64_t> blocks;
  for (std::uint32_t n = 0; n < l.geometry.reserved_blocks; ++n) blocks.push_back(1 + l.geometry.descriptor_blocks + n);
  return block_of_addresses(blocks, l.geometry.descriptor_blocks);
}

std::string inode_block(const Layout& l, std::uint32_t group, std::uint32_t n) {
  std::string block(kBlockBytes, '\0');
  for (std::uint32_t i = 0; i < kInodesPerBlock; ++i) {
    const Inode inode = inode_of(l, group * l.geometry.group_inodes + n * kInodesPerBlock + i + 1);
    std::memcpy(block.data() + i * kInodeBytes, &inode, sizeof inode);
  }
  return block;
}

std::string journal_block(const Layout& l) {
  JournalSuperblock s{};
  s.magic = kJournalMagic;
  s.block_type = kJournalSuperblockV2;
  s.block_bytes = static_cast<std::uint32_t>(kBlockBytes);
  s.blocks = low(l.geometry.journal_blocks);
  s.first = s.sequence = s.users = 1;
  s.uuid = l.spec.uuid.bytes;
  return block_with(s);
}

std::string directory(const Layout& l, std::uint32_t n) {
  const Place& place = l.nodes[n];
  std::vector<DirectoryItem> items;
  for (const Ext4Name& entry : l.tree->nodes[n].entries) {
    items.push_back({entry.name, l.nodes[entry.node].inode, entry_type(l.tree->nodes[entry.node].mode)});
  }
  return render_directory(items, {.shape = place.shape,
                                  .self = place.inode,
                                  .parent = l.nodes[place.parent].inode,
                                  .hash_seed = l.spec.hash_seed,
                                  .checksum_seed = l.inode_seed(place)});
}

std::string extent_blocks(const Layout& l, const Place& place) {
  return render_extents(l.runs_of(place), l.index_of(place), l.inode_seed(place)).blocks;
}

std::string link_text(const Layout& l, std::uint32_t n) {
  std::string block = l.tree->nodes[n].text;
  block.resize(kBlockBytes, '\0');
  return block;
}

std::string part(const std::string& whole, const Piece& piece) {
  return whole.substr(piece.from * kBlockBytes, piece.blocks * kBlockBytes);
}

std::string block_of(const Layout& l, const Piece& piece, std::uint32_t n) {
  switch (piece.kind) {
    case PieceKind::superblock:
      return block_with(superblock(l, piece.subject), piece.subject == 0 ? kSuperblockAt : 0);
    case PieceKind::descriptors:
      return descriptor_block(l, n);
    case PieceKind::reserved_table:
      return reserved_block(l, n);
    case PieceKind::resize_block:
      return resize_block(l);
    case PieceKind::block_bitmap:
      return block_bitmap(l, piece.subject);
    case PieceKind::inode_bitmap:
      return inode_bitmap(l, piece.subject);
    case PieceKind::inode_table:
      return inode_block(l, piece.subject, n);
    case PieceKind::journal:
      return journal_block(l);
    case PieceKind::attributes: {
      const std::string& block = l.attributes[l.tree->nodes[piece.subject].attributes].block;
      return checked_block(block, piece.block, l.checksum_seed);
    }
    default:
      return link_text(l, piece.subject);
  }
}

}  // namespace

std::vector<Piece> pieces_of(const Layout& layout) {
  return Pieces(layout).list();
}

Result<> render(const Layout& l, const Piece& piece, const std::function<Result<>(std::string_view)>& out) {
  switch (piece.kind) {
    case PieceKind::directory:
      return out(part(directory(l, piece.subject), piece));
    case PieceKind::journal_index:
      return out(part(extent_blocks(l, l.journal), piece));
    case PieceKind::extents:
      return out(part(extent_blocks(l, l.nodes[piece.subject]), piece));
    default:
      for (std::uint32_t n = 0; n < piece.blocks; ++n) TRY(out(block_of(l, piece, n)));
      return {};
  }
}

}  // namespace kiln::image::ext4
