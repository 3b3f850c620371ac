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

void Space::reserve(const Range& taken) {
  const auto place = std::find_if(free_.begin(), free_.end(),
                                  [&](const Range& r) { return r.first <= taken.first && taken.end <= r.end; });
  assert(place != free_.end());
  cut(place, taken.first, taken.blocks());
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
