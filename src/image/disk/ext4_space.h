// Free blocks: ranges that are taken from front to back. Private to the room.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

namespace kiln::image::ext4 {

struct Range {
  std::uint64_t first = 0, end = 0;
  std::uint64_t blocks() const { return end - first; }
  bool operator==(const Range&) const = default;
};

class Space {
 public:
  explicit Space(std::uint64_t blocks) : free_{{0, blocks}}, free_blocks_(blocks) {}
  /// A range that is free and is no longer; for what has its place by law.
  void reserve(const Range& taken);
  /// The first place at or after `goal`, else the first of all, that is free for so many blocks together.
  std::optional<Range> take_together(std::uint64_t blocks, std::uint64_t goal = 0);
  /// So many blocks: together where there is such a place, else in the first pieces that are free. Empty when there are
  /// not so many.
  std::vector<Range> take(std::uint64_t blocks);
  std::uint64_t free_blocks() const { return free_blocks_; }
  const std::vector<Range>& free() const { return free_; }  // sorted, disjoint

 private:
  using Place = std::vector<Range>::iterator;
  Range cut(Place place, std::uint64_t first, std::uint64_t blocks);
  std::vector<Range> free_;
  std::uint64_t free_blocks_;
};

}  // namespace kiln::image::ext4
