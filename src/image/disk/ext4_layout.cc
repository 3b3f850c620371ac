#include "image/disk/ext4_layout.h"

#include <sys/stat.h>

#include <algorithm>
#include <unordered_map>

#include "image/disk/ext4_extents.h"
#include "image/disk/ext4_groups.h"
#include "image/disk/ext4_hash.h"
#include "image/disk/ext4_map.h"

namespace kiln::image::ext4 {

namespace {

constexpr std::size_t kLabelBytes = sizeof(Superblock::label);

/// Blocks that a node had in the earlier image and keeps.
struct Kept {
  std::vector<Range> content, index;
  bool has_runs = false;  // all of its content stays where it was
};

/// Gives every inode its number and every block its place, in the order of the functions below.
class Placer {
 public:
  /// earlier: what stays where it was as far as it can; empty: nothing.
  Placer(Layout& layout, Space& space, const BlockMap& earlier) : l_(layout), space_(space), earlier_(earlier) {}

  Result<> run() {
    find_first();
    number_inodes();
    TRY(shape_directories());
    l_.geometry = TRY(geometry_for(l_.spec.bytes, l_.node_of_inode.size() - 1));
    space_ = Space(l_.geometry.blocks);
    // From here on the order decides what stands where.
    place_tables();
    place_own();
    if (!earlier_.empty()) keep_places();
    place_directories();
    place_attributes();
    place_links();
    place_files();
    return {};
  }

 private:
  const std::vector<Ext4Node>& nodes() const { return l_.tree->nodes; }

  /// The files that are read first, each once, in their order.
  void find_first() {
    if (l_.spec.first_read.empty()) return;
    std::unordered_map<std::string_view, std::uint32_t> files;
    for (std::uint32_t n = 0; n < nodes().size(); ++n) {
      if (S_ISREG(nodes()[n].mode)) files.emplace(nodes()[n].path, n);
    }
    for (const std::string& path : l_.spec.first_read) {
      if (const auto found = files.find(path); found != files.end()) {
        first_.push_back(found->second);
        files.erase(found);
      }
    }
  }

  /// What the path was before, if it was the same kind of thing.
  const Mapped* before(std::uint32_t n) const {
    const auto found = earlier_.find(nodes()[n].path);
    return found != earlier_.end() && found->second.kind == (nodes()[n].mode & S_IFMT) ? &found->second : nullptr;
  }

  /// "/" has 2, lost+found 11, what was there before its old number, the others the lowest that are left: those that
  /// are read first, then in the tree's order.
  void number_inodes() {
    l_.nodes.resize(nodes().size());
    l_.node_of_inode.assign(kFirstInode + 1, kNoNode);
    for (std::uint32_t n = 0; n < nodes().size(); ++n) {
      const Mapped* const old = before(n);
      if (n == 0) {
        give_inode(n, kRootInode);
      } else if (nodes()[n].path == kLostAndFound) {
        give_inode(n, kFirstInode);
      } else if (old != nullptr && is_free_inode(old->inode)) {
        give_inode(n, old->inode);
      }
    }
    std::uint32_t lowest = kFirstInode + 1;
    const auto give_lowest = [&](std::uint32_t n) {
      if (l_.nodes[n].inode != 0) return;
      while (!is_free_inode(lowest)) ++lowest;
      give_inode(n, lowest);
    };
    for (const std::uint32_t n : first_) give_lowest(n);
    for (std::uint32_t n = 0; n < nodes().size(); ++n) give_lowest(n);
    l_.journal.inode = kJournalInode;
  }

  bool is_free_inode(std::uint32_t inode) const {
    return inode > kFirstInode && (inode >= l_.node_of_inode.size() || l_.node_of_inode[inode] == kNoNode);
  }

  void give_inode(std::uint32_t n, std::uint32_t inode) {
    if (inode >= l_.node_of_inode.size()) l_.node_of_inode.resize(inode + 1, kNoNode);
    l_.node_of_inode[inode] = n;
    l_.nodes[n].inode = inode;
    const std::uint32_t seeded = crc32c(~0U, std::as_bytes(std::span(l_.spec.hash_seed.bytes)));
    l_.nodes[n].generation = crc32c(seeded, as_bytes(nodes()[n].path));
    for (const Ext4Name& entry : nodes()[n].entries) l_.nodes[entry.node].parent = n;
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
    place_runs(l_.journal, {{0, l_.geometry.journal_blocks}}, {});
    place_index(l_.journal, {});
  }

  /// Takes what paths had before and still need, as far as it is free, before anything new is placed.
  void keep_places() {
    kept_.resize(nodes().size());
    for (std::uint32_t n = 0; n < nodes().size(); ++n) {
      const Mapped* const old = before(n);
      if (old == nullptr) continue;
      Kept& kept = kept_[n];
      const std::vector<Range> logical = content_ranges(n);
      kept.content = keep(old->content, total(logical));
      if (total(kept.content) == total(logical)) {
        place_runs(l_.nodes[n], logical, kept.content);
        kept.has_runs = true;
        kept.index = keep(old->index, index_blocks_of(l_.nodes[n]));
      }
      const Range attributes{old->attribute_block, old->attribute_block + 1};
      if (has_attribute_block(n) && attributes.first != 0 && space_.is_free(attributes)) {
        space_.reserve(attributes);
        l_.nodes[n].attribute_block = attributes.first;
      }
    }
    space_.prefer(freed_of(earlier_, space_.free()));
  }

  /// The first so many blocks of what was had, up to the first range that is not free any more.
  std::vector<Range> keep(const std::vector<Range>& had, std::uint64_t blocks) {
    std::vector<Range> kept;
    for (const Range& r : had) {
      const Range wanted{r.first, std::min(r.end, r.first + blocks)};
      if (blocks == 0 || !space_.is_free(wanted)) break;
      space_.reserve(wanted);
      kept.push_back(wanted);
      blocks -= wanted.blocks();
    }
    return kept;
  }

  void place_directories() {
    for (std::uint32_t n = 0; n < nodes().size(); ++n) {
      if (S_ISDIR(nodes()[n].mode)) place_node(n);
    }
  }

  bool has_attribute_block(std::uint32_t n) const { return !l_.attributes[nodes()[n].attributes].block.empty(); }

  void place_attributes() {
    for (std::uint32_t n = 0; n < nodes().size(); ++n) {
      if (!has_attribute_block(n) || l_.nodes[n].attribute_block != 0) continue;
      const std::vector<Range> piece = take(1);
      if (!piece.empty()) l_.nodes[n].attribute_block = piece.front().first;
    }
  }

  void place_links() {
    for (std::uint32_t n = 0; n < nodes().size(); ++n) {
      if (S_ISLNK(nodes()[n].mode)) place_node(n);
    }
  }

  void place_files() {
    std::vector<bool> is_placed(nodes().size());
    for (const std::uint32_t n : first_) {
      place_node(n);
      is_placed[n] = true;
    }
    for (std::uint32_t n = 0; n < nodes().size(); ++n) {
      if (S_ISREG(nodes()[n].mode) && !is_placed[n]) place_node(n);
    }
  }

  void place_node(std::uint32_t n) {
    const Kept kept = kept_.empty() ? Kept() : std::move(kept_[n]);
    if (!kept.has_runs) place_runs(l_.nodes[n], content_ranges(n), kept.content);
    place_index(l_.nodes[n], kept.index);
  }

  /// Which blocks of a node are no holes.
  std::vector<Range> content_ranges(std::uint32_t n) const {
    const Ext4Node& node = nodes()[n];
    const auto whole = [](std::uint64_t blocks) {
      return blocks == 0 ? std::vector<Range>() : std::vector<Range>{{0, blocks}};
    };
    if (S_ISDIR(node.mode)) return whole(l_.nodes[n].shape.blocks);
    if (S_ISLNK(node.mode)) return whole(node.text.size() >= sizeof(Inode::block) ? 1 : 0);
    if (!S_ISREG(node.mode)) return {};
    const auto stored = l_.tree->stored.find(n);
    if (stored == l_.tree->stored.end()) return whole(blocks_for(node.bytes));
    std::vector<Range> ranges;
    for (const Extent& e : stored->second) ranges.push_back({e.offset / kBlockBytes, e.end() / kBlockBytes});
    return ranges;
  }

  static std::uint64_t total(const std::vector<Range>& ranges) {
    std::uint64_t blocks = 0;
    for (const Range& r : ranges) blocks += r.blocks();
    return blocks;
  }

  std::uint64_t index_blocks_of(const Place& place) const { return extent_blocks_for(extents_of(l_.runs_of(place))); }

  /// Blocks for those of a file that are no holes: first the kept ones, of which there are not too many.
  void place_runs(Place& place, const std::vector<Range>& logical, const std::vector<Range>& kept) {
    const std::vector<Range> pieces = take(total(logical), kept);
    place.runs.first = static_cast<std::uint32_t>(l_.runs.size());
    if (!pieces.empty()) join(logical, pieces);
    place.runs.count = static_cast<std::uint32_t>(l_.runs.size()) - place.runs.first;
  }

  /// Blocks for the extent tree of a file that has its runs.
  void place_index(Place& place, const std::vector<Range>& kept) {
    place.index.first = static_cast<std::uint32_t>(l_.index_blocks.size());
    for (const Range& r : take(index_blocks_of(place), kept)) {
      for (std::uint64_t b = r.first; b < r.end; ++b) l_.index_blocks.push_back(b);
    }
    place.index.count = static_cast<std::uint32_t>(l_.index_blocks.size()) - place.index.first;
  }

  /// So many blocks: the kept ones, then others.
  std::vector<Range> take(std::uint64_t blocks, std::vector<Range> pieces = {}) {
    blocks -= total(pieces);
    if (blocks == 0) return pieces;
    const std::vector<Range> more = space_.take(blocks);
    if (more.empty()) {
      l_.missing_blocks += blocks;
      return {};
    }
    pieces.insert(pieces.end(), more.begin(), more.end());
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
  const BlockMap& earlier_;
  std::vector<std::uint32_t> first_;  // files that are read first
  std::vector<Kept> kept_;            // by node; empty without an earlier map
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

Result<Layout> decide(std::shared_ptr<const Ext4Tree> tree, const Ext4Spec& spec, const BlockMap& earlier) {
  if (spec.label.size() > kLabelBytes)
    return error(Errc::usage, "the label {} has more than {} bytes", spec.label, kLabelBytes);
  TRY(check_tree(*tree));
  Layout layout;
  layout.attributes = TRY(attribute_images(*tree));
  layout.tree = std::move(tree);
  layout.spec = spec;
  layout.checksum_seed = crc32c(~0U, std::as_bytes(std::span(spec.uuid.bytes)));
  Space space(0);
  TRY(Placer(layout, space, earlier).run());
  layout.free = space.free();
  layout.free_blocks = space.free_blocks();
  if (layout.missing_blocks == 0) layout.descriptors = describe_groups(layout);
  return layout;
}

}  // namespace kiln::image::ext4
