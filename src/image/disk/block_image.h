// A block image that is decided and not yet written: which of its bytes may be other than zero, and how to pour them.
// File systems, partitions and whole disks are block images; the writers of disk formats take one.
#pragma once

#include <functional>
#include <vector>

#include "base/cancel.h"
#include "base/sink.h"

namespace kiln::image {

/// A range of bytes.
struct Extent {
  std::uint64_t offset = 0, bytes = 0;
  std::uint64_t end() const { return offset + bytes; }
  bool operator==(const Extent&) const = default;
};

struct BlockImage {
  std::uint64_t bytes = 0;   // of the whole image
  std::vector<Extent> data;  // what may hold other bytes than zero: sorted, disjoint, not touching, inside the image
  /// Writes exactly `bytes` bytes, front to back: the extents by write(), everything between them by zeros(). May be
  /// called several times, from several threads; each time the same bytes come, or an error.
  std::function<Result<>(Sink& out, const Cancel& cancel)> pour;
};

}  // namespace kiln::image
