#include "image/disk/ext4_extents.h"

#include <algorithm>
#include <cassert>
#include <cstring>

namespace kiln::image::ext4 {

namespace {

/// An entry of the tree: of a leaf an extent, above it the place of a child. Both have 12 bytes and begin with
/// `logical`.
struct Entry {
  std::uint32_t logical = 0;
  std::array<std::byte, 12> bytes{};
};

template <class T>
Entry entry_of(const T& value) {
  Entry entry{value.logical, {}};
  std::memcpy(entry.bytes.data(), &value, sizeof value);
  return entry;
}

std::vector<Entry> leaf_entries(std::span<const Run> runs) {
  std::vector<Entry> entries;
  for (const Run& run : runs) {
    for (std::uint32_t done = 0; done < run.blocks;) {
      const std::uint32_t part = std::min(run.blocks - done, kMaxExtentBlocks);
      const std::uint64_t start = run.block + done;
      entries.push_back(
          entry_of(ExtentLeaf{run.logical + done, static_cast<std::uint16_t>(part), low16(high(start)), low(start)}));
      done += part;
    }
  }
  return entries;
}

void put_node(void* to, std::span<const Entry> entries, std::uint32_t max, std::uint16_t depth) {
  auto* at = static_cast<std::byte*>(to);
  const ExtentHeader header{kExtentMagic, static_cast<std::uint16_t>(entries.size()), static_cast<std::uint16_t>(max),
                            depth, 0};
  std::memcpy(at, &header, sizeof header);
  for (const Entry& entry : entries) {
    at += sizeof header;
    std::memcpy(at, entry.bytes.data(), entry.bytes.size());
  }
}

/// One block of the tree, with its checksum at the end.
std::string block_of(std::span<const Entry> entries, std::uint16_t depth, std::uint32_t seed) {
  std::string block(kBlockBytes, '\0');
  put_node(block.data(), entries, kBlockExtents, depth);
  constexpr std::size_t kCovered = sizeof(ExtentHeader) * (1 + kBlockExtents);
  const le32 sum = crc32c(seed, as_bytes(std::string_view(block).substr(0, kCovered)));
  std::memcpy(block.data() + kCovered, &sum, sizeof sum);
  return block;
}

}  // namespace

std::uint64_t extents_of(std::span<const Run> runs) {
  std::uint64_t extents = 0;
  for (const Run& run : runs) extents += (run.blocks + kMaxExtentBlocks - 1) / kMaxExtentBlocks;
  return extents;
}

std::uint32_t extent_blocks_for(std::uint64_t extents) {
  std::uint64_t blocks = 0;
  while (extents > kInodeExtents) {
    extents = (extents + kBlockExtents - 1) / kBlockExtents;
    blocks += extents;
  }
  return static_cast<std::uint32_t>(blocks);
}

ExtentTree render_extents(std::span<const Run> runs, std::span<const std::uint64_t> blocks, std::uint32_t seed) {
  ExtentTree tree;
  std::vector<Entry> level = leaf_entries(runs);
  std::uint16_t depth = 0;
  std::size_t next = 0;
  for (; level.size() > kInodeExtents; ++depth) {
    std::vector<Entry> upper;
    for (std::size_t from = 0; from < level.size(); from += kBlockExtents) {
      const auto part = std::span(level).subspan(from, std::min<std::size_t>(kBlockExtents, level.size() - from));
      assert(next < blocks.size());
      const std::uint64_t place = blocks[next++];
      tree.blocks += block_of(part, depth, seed);
      upper.push_back(entry_of(ExtentIndex{part.front().logical, low(place), low16(high(place)), 0}));
    }
    level = std::move(upper);
  }
  put_node(tree.root.data(), level, kInodeExtents, depth);
  return tree;
}

}  // namespace kiln::image::ext4
