#include "image/disk/ext4_space.h"

#include <algorithm>
#include <cassert>

namespace kiln::image::ext4 {

Range Space::cut(Place place, std::uint64_t first, std::uint64_t blocks) {
  const Range taken{first, first + blocks};
  const Range after{taken.end, place->end};
  place->end = first;
  free_blocks_ -= blocks;
  if (place->blocks() == 0) {
    *place = after;
    if (after.blocks() == 0) free_.erase(place);
  } else if (after.blocks() != 0) {
    free_.insert(place + 1, after);
  }
  return taken;
}

std::optional<std::size_t> Space::index_of(const Range& range) const {
  const auto place =
      std::partition_point(free_.begin(), free_.end(), [&](const Range& r) { return r.end <= range.first; });
  if (place == free_.end() || place->first > range.first || range.end > place->end) return {};
  return static_cast<std::size_t>(place - free_.begin());
}

bool Space::is_free(const Range& range) const {
  return index_of(range).has_value();
}

void Space::reserve(const Range& taken) {
  const auto place = index_of(taken);
  assert(place);
  cut(free_.begin() + static_cast<std::ptrdiff_t>(*place), taken.first, taken.blocks());
}

void Space::prefer(std::vector<Range> changed_anyway) {
  prefers_ = true;
  preferred_ = std::move(changed_anyway);
}

/// In the first of the preferred ranges that is long enough and has not been taken otherwise.
std::optional<Range> Space::take_preferred(std::uint64_t blocks) {
  for (Range& range : preferred_) {
    const Range taken{range.first, range.first + blocks};
    if (taken.end > range.end || !is_free(taken)) continue;
    range.first = taken.end;
    reserve(taken);
    return taken;
  }
  return {};
}

/// Behind what was last taken so, else at the next region that is free as a whole.
std::optional<Range> Space::take_fresh(std::uint64_t blocks) {
  if (fresh_ != 0 && is_free({fresh_, fresh_ + blocks})) {
    const Range taken{fresh_, fresh_ + blocks};
    reserve(taken);
    fresh_ = taken.end;
    return taken;
  }
  for (auto place = free_.begin(); place != free_.end(); ++place) {
    const std::uint64_t first = (place->first + kRegionBlocks - 1) / kRegionBlocks * kRegionBlocks;
    if (first + std::max(blocks, kRegionBlocks) > place->end) continue;
    fresh_ = first + blocks;
    return cut(place, first, blocks);
  }
  return {};
}

std::optional<Range> Space::take_together(std::uint64_t blocks, std::uint64_t goal) {
  const auto from = std::partition_point(free_.begin(), free_.end(), [&](const Range& r) { return r.end <= goal; });
  for (auto place = from; place != free_.end(); ++place) {
    const std::uint64_t first = std::max(place->first, goal);
    if (place->end - first >= blocks) return cut(place, first, blocks);
  }
  if (goal != 0) return take_together(blocks, 0);
  return {};
}

std::vector<Range> Space::take(std::uint64_t blocks) {
  if (blocks == 0 || blocks > free_blocks_) return {};
  if (prefers_) {
    if (const auto changed = take_preferred(blocks)) return {*changed};
    if (const auto fresh = take_fresh(blocks)) return {*fresh};
  }
  if (const auto together = take_together(blocks)) return {*together};
  std::vector<Range> pieces;
  while (blocks > 0) {
    const std::uint64_t part = std::min(blocks, free_.front().blocks());
    pieces.push_back(cut(free_.begin(), free_.front().first, part));
    blocks -= part;
  }
  return pieces;
}

}  // namespace kiln::image::ext4
