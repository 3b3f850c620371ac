#include "image/disk/ext4_layout.h"

#include <sys/stat.h>

#include <algorithm>

#include "image/disk/ext4_extents.h"
#include "image/disk/ext4_groups.h"
#include "image/disk/ext4_hash.h"

namespace kiln::image::ext4 {

namespace {

constexpr std::size_t kLabelBytes = sizeof(Superblock::label);

/// Gives every inode its number and every block its place, in the order of the functions below.
class Placer {
 public:
  Placer(Layout& layout, Space& space) : l_(layout), space_(space) {}

  Result<> run() {
    number_inodes();
    TRY(shape_directories());
    l_.geometry = TRY(geometry_for(l_.spec.bytes, l_.node_of_inode.size() - 1));
    space_ = Space(l_.geometry.blocks);
    // From here on the order decides what stands where.
    place_tables();
    place_own();
    place_directories();
    place_attributes();
    place_links();
    place_files();
    return {};
  }

 private:
  const std::vector<Ext4Node>& nodes() const { return l_.tree->nodes; }

  /// "/" has 2, lost+found 11, the others what follows, in the tree's order.
  void number_inodes() {
    l_.nodes.resize(nodes().size());
    l_.node_of_inode.assign(kFirstInode + 1, kNoNode);
    for (std::uint32_t n = 0; n < nodes().size(); ++n) {
      Place& place = l_.nodes[n];
      if (n == 0) {
        place.inode = kRootInode;
      } else if (nodes()[n].path == kLostAndFound) {
        place.inode = kFirstInode;
      } else {
        place.inode = static_cast<std::uint32_t>(l_.node_of_inode.size());
        l_.node_of_inode.push_back(n);
      }
      l_.node_of_inode[place.inode] = n;
      const std::uint32_t seeded = crc32c(~0U, std::as_bytes(std::span(l_.spec.hash_seed.bytes)));
      place.generation = crc32c(seeded, as_bytes(nodes()[n].path));
      for (const Ext4Name& entry : nodes()[n].entries) l_.nodes[entry.node].parent = n;
    }
    l_.journal.inode = kJournalInode;
  }

  Result<> shape_directories() {
    for (std::uint32_t n = 0; n < nodes().size(); ++n) {
      const Ext4Node& node = nodes()[n];
      if (!S_ISDIR(node.mode)) continue;
      const bool lasting = l_.nodes[n].inode == kFirstInode;
      l_.nodes[n].shape = TRY(directory_shape(node.entries, l_.spec.hash_seed, lasting).context("/{}", node.path));
    }
    return {};
  }

  /// Superblocks and tables of groups where the format wants them; then bitmaps and tables of inodes, those of 16
  /// groups together, kind by kind.
  void place_tables() {
    const Geometry& g = l_.geometry;
    for (std::uint32_t group = 0; group < g.groups; ++group) {
      const std::uint64_t start = g.group_start(group);
      if (g.base_blocks(group) != 0) space_.reserve({start, start + g.base_blocks(group)});
    }
    l_.groups.resize(g.groups);
    for (std::uint32_t first = 0; first < g.groups; first += kFlexGroups) {
      const std::uint32_t end = std::min(first + kFlexGroups, g.groups);
      const std::uint64_t goal = g.group_start(first);
      for (std::uint32_t i = first; i < end; ++i) l_.groups[i].block_bitmap = together(1, goal);
      for (std::uint32_t i = first; i < end; ++i) l_.groups[i].inode_bitmap = together(1, goal);
      for (std::uint32_t i = first; i < end; ++i) l_.groups[i].table = together(g.table_blocks(), goal);
    }
  }

  std::uint64_t together(std::uint64_t blocks, std::uint64_t goal) {
    const auto range = space_.take_together(blocks, goal);
    if (!range) l_.missing_blocks += blocks;
    return range ? range->first : 0;
  }

  void place_own() {
    l_.resize_block = together(1, 0);
    place_content(l_.journal, {{0, l_.geometry.journal_blocks}});
  }

  void place_directories() {
    for (Place& place : l_.nodes) {
      if (place.shape.blocks != 0) place_content(place, {{0, place.shape.blocks}});
    }
  }

  void place_attributes() {
    for (std::uint32_t n = 0; n < nodes().size(); ++n) {
      if (l_.attributes[nodes()[n].attributes].block.empty()) continue;
      l_.nodes[n].attribute_block = together(1, 0);
    }
  }

  void place_links() {
    for (std::uint32_t n = 0; n < nodes().size(); ++n) {
      if (S_ISLNK(nodes()[n].mode) && nodes()[n].text.size() >= sizeof(Inode::block))
        place_content(l_.nodes[n], {{0, 1}});
    }
  }

  void place_files() {
    for (std::uint32_t n = 0; n < nodes().size(); ++n) {
      if (!S_ISREG(nodes()[n].mode)) continue;
      const auto stored = l_.tree->stored.find(n);
      if (stored == l_.tree->stored.end()) {
        place_content(l_.nodes[n], {{0, blocks_for(nodes()[n].bytes)}});
      } else {
        std::vector<Range> ranges;
        for (const Extent& e : stored->second) ranges.push_back({e.offset / kBlockBytes, e.end() / kBlockBytes});
        place_content(l_.nodes[n], ranges);
      }
    }
  }

  /// Blocks for those of a file that are no holes, and for its extent tree.
  void place_content(Place& place, const std::vector<Range>& logical) {
    std::uint64_t blocks = 0;
    for (const Range& r : logical) blocks += r.blocks();
    const std::vector<Range> pieces = take(blocks);
    place.runs.first = static_cast<std::uint32_t>(l_.runs.size());
    if (!pieces.empty()) join(logical, pieces);
    place.runs.count = static_cast<std::uint32_t>(l_.runs.size()) - place.runs.first;
    place.index.first = static_cast<std::uint32_t>(l_.index_blocks.size());
    for (const Range& r : take(extent_blocks_for(extents_of(l_.runs_of(place))))) {
      for (std::uint64_t b = r.first; b < r.end; ++b) l_.index_blocks.push_back(b);
    }
    place.index.count = static_cast<std::uint32_t>(l_.index_blocks.size()) - place.index.first;
  }

  std::vector<Range> take(std::uint64_t blocks) {
    std::vector<Range> pieces = space_.take(blocks);
    if (pieces.empty()) l_.missing_blocks += blocks;
    return pieces;
  }

  /// Lays a file's ranges over the pieces that it got: as many blocks on either side.
  void join(const std::vector<Range>& logical, std::vector<Range> pieces) {
    auto piece = pieces.begin();
    for (Range file : logical) {
      while (file.blocks() > 0) {
        if (piece->blocks() == 0) ++piece;
        const std::uint64_t part = std::min(file.blocks(), piece->blocks());
        l_.runs.push_back({piece->first, static_cast<std::uint32_t>(file.first), static_cast<std::uint32_t>(part)});
        file.first += part;
        piece->first += part;
      }
    }
  }

  Layout& l_;
  Space& space_;
};

Result<std::vector<AttributeImage>> attribute_images(const Ext4Tree& tree) {
  std::vector<AttributeImage> images;
  std::vector<const std::string*> owner(tree.attributes.size(), nullptr);
  for (const Ext4Node& node : tree.nodes) {
    if (owner[node.attributes] == nullptr) owner[node.attributes] = &node.path;
  }
  for (std::size_t i = 0; i < tree.attributes.size(); ++i) {
    if (owner[i] == nullptr) owner[i] = &tree.nodes[0].path;
    images.push_back(TRY(attribute_image(tree.attributes[i]).context("/{}", *owner[i])));
  }
  return images;
}

}  // namespace

std::uint32_t Layout::inode_seed(const Place& p) const {
  return crc32c(crc32c(checksum_seed, le32(p.inode)), le32(p.generation));
}

Result<Layout> decide(std::shared_ptr<const Ext4Tree> tree, const Ext4Spec& spec) {
  if (spec.label.size() > kLabelBytes)
    return error(Errc::usage, "the label {} has more than {} bytes", spec.label, kLabelBytes);
  TRY(check_tree(*tree));
  Layout layout;
  layout.attributes = TRY(attribute_images(*tree));
  layout.tree = std::move(tree);
  layout.spec = spec;
  layout.checksum_seed = crc32c(~0U, std::as_bytes(std::span(spec.uuid.bytes)));
  Space space(0);
  TRY(Placer(layout, space).run());
  layout.free = space.free();
  layout.free_blocks = space.free_blocks();
  if (layout.missing_blocks == 0) layout.descriptors = describe_groups(layout);
  return layout;
}

}  // namespace kiln::image::ext4
