// Free blocks: ranges that are taken from front to back. Private to the room.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

namespace kiln::image::ext4 {

inline constexpr std::uint64_t kRegionBlocks = 128;  // 512 KiB: what a cloud's snapshot keeps or sends as one

struct Range {
  std::uint64_t first = 0, end = 0;
  std::uint64_t blocks() const { return end - first; }
  bool operator==(const Range&) const = default;
};

class Space {
 public:
  explicit Space(std::uint64_t blocks) : free_{{0, blocks}}, free_blocks_(blocks) {}
  bool is_free(const Range& range) const;
  /// A range that is free and is no longer; for what has its place by law, or had it before.
  void reserve(const Range& taken);
  /// From now on take() looks first among these (sorted, all free), then where a whole region is free, and goes on
  /// there: so that few regions of a disk get other content than they had.
  void prefer(std::vector<Range> changed_anyway);
  /// The first place at or after `goal`, else the first of all, that is free for so many blocks together.
  std::optional<Range> take_together(std::uint64_t blocks, std::uint64_t goal = 0);
  /// So many blocks: together where there is such a place, else in the first pieces that are free. Empty when there are
  /// not so many. Without prefer() the first place is as good as any.
  std::vector<Range> take(std::uint64_t blocks);
  std::uint64_t free_blocks() const { return free_blocks_; }
  const std::vector<Range>& free() const { return free_; }  // sorted, disjoint

 private:
  using Place = std::vector<Range>::iterator;
  Range cut(Place place, std::uint64_t first, std::uint64_t blocks);
  std::optional<std::size_t> index_of(const Range& range) const;  // of the free range that holds it
  std::optional<Range> take_preferred(std::uint64_t blocks);
  std::optional<Range> take_fresh(std::uint64_t blocks);
  std::vector<Range> free_;
  std::uint64_t free_blocks_;
  bool prefers_ = false;
  std::vector<Range> preferred_;
  std::uint64_t fresh_ = 0;  // behind what was last taken of a free region
};

}  // namespace kiln::image::ext4
