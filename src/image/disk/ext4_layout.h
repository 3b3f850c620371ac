// Where everything goes: inode numbers and blocks of a whole file system, as data. Pure: nothing is read or written.
// Private to the room.
#pragma once

#include <unordered_map>

#include "image/disk/ext4_attributes.h"
#include "image/disk/ext4_directory.h"
#include "image/disk/ext4_geometry.h"

namespace kiln::image::ext4 {

/// Blocks of a file that stand together on the disk.
struct Run {
  std::uint64_t block = 0;    // on the disk
  std::uint32_t logical = 0;  // in the file
  std::uint32_t blocks = 0;
};

/// A part of one of the layout's shared lists.
struct Slice {
  std::uint32_t first = 0, count = 0;
};

/// What one inode has got.
struct Place {
  std::uint32_t inode = 0;
  std::uint32_t generation = 0;
  std::uint32_t parent = 0;           // of a directory: node
  Slice runs;                         // of Layout::runs: content, a directory's blocks, a long link's text
  Slice index;                        // of Layout::index_blocks: the extent tree's
  std::uint64_t attribute_block = 0;  // 0: none
  DirectoryShape shape;
};

/// Where a group's bitmaps and its table of inodes are.
struct GroupPlace {
  std::uint64_t block_bitmap = 0, inode_bitmap = 0, table = 0;
};

inline constexpr std::uint32_t kNoNode = 0xFFFFFFFF;

struct Layout {
  std::shared_ptr<const Ext4Tree> tree;
  Ext4Spec spec;
  Geometry geometry;
  std::vector<GroupPlace> groups;
  std::vector<Place> nodes;  // as Ext4Tree::nodes
  Place journal;
  std::uint64_t resize_block = 0;            // the addresses of the blocks reserved for the table of groups
  std::vector<Run> runs;                     // of each inode together and in logical order
  std::vector<std::uint64_t> index_blocks;   // of each inode together
  std::vector<AttributeImage> attributes;    // as Ext4Tree::attributes
  std::vector<std::uint32_t> node_of_inode;  // kNoNode: free, or one of ext4's own
  std::vector<Range> free;                   // blocks
  std::uint64_t free_blocks = 0;
  std::uint64_t missing_blocks = 0;  // that found no place: the layout is of no use but for knowing that
  std::uint32_t checksum_seed = 0;
  std::vector<GroupDescriptor> descriptors;

  std::span<const Run> runs_of(const Place& p) const { return {runs.data() + p.runs.first, p.runs.count}; }
  std::span<const std::uint64_t> index_of(const Place& p) const {
    return {index_blocks.data() + p.index.first, p.index.count};
  }
  /// What the checksums of an inode, of its directory blocks and of its extent blocks begin with.
  std::uint32_t inode_seed(const Place& p) const;
};

/// What a path had in an earlier image. Ranges stand in the order in which the file, or its extent tree, goes through
/// them.
struct Mapped {
  std::uint32_t kind = 0;  // S_IFMT of its mode
  std::uint32_t inode = 0;
  std::uint64_t attribute_block = 0;  // 0: none
  std::vector<Range> content, index;
};
using BlockMap = std::unordered_map<std::string, Mapped>;  // by the first name's path

/// Errors as lay_out_ext4, but a tree that does not fit is a layout with missing blocks.
Result<Layout> decide(std::shared_ptr<const Ext4Tree> tree, const Ext4Spec& spec, const BlockMap& earlier = {});

/// Errc::usage for a tree that no ext4 can hold.
Result<> check_tree(const Ext4Tree& tree);

}  // namespace kiln::image::ext4
