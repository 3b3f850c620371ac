// Putting block images together, and looking at what is poured: small images from bytes, images inside images, and
// sinks that stand between an image and a writer. Private to the room.
#pragma once

#include <string>

#include "image/disk.h"

namespace kiln::image {

inline constexpr std::uint64_t kSectorBytes = 512;

/// An image that is held in memory: for headers and tables. All of it counts as data.
BlockImage image_from(std::string bytes);

struct ImagePart {
  std::uint64_t offset = 0;  // where it stands in the whole, in bytes
  BlockImage image;
};

/// One image from several that do not overlap; the rest is zeros. Parts may come in any order.
BlockImage compose(std::uint64_t bytes, std::vector<ImagePart> parts);

/// The extents grown to whole blocks, those that then touch made one; none reaches over `bytes`. block: in bytes.
std::vector<Extent> rounded(const std::vector<Extent>& extents, std::uint64_t block, std::uint64_t bytes);

std::uint64_t total_bytes(const std::vector<Extent>& extents);

/// Passes on only what lies in some ranges of a stream, as data; outside them there must be zeros, and what is not is
/// Errc::corrupt: it would be lost. Reports progress.
class RangeSink : public Sink {
 public:
  /// ranges: sorted and disjoint; must outlive the sink.
  RangeSink(const std::vector<Extent>& ranges, Sink& out, std::function<void(std::uint64_t done_bytes)> progress = {})
      : ranges_(ranges), out_(out), progress_(std::move(progress)) {}
  using Sink::write;
  Result<> write(std::span<const std::byte> bytes) override;
  Result<> zeros(std::uint64_t n) override;

 private:
  /// How far the stream may go on until it enters or leaves a range, at most n; and whether it is in one.
  std::uint64_t stretch(std::uint64_t n, bool& inside);
  const std::vector<Extent>& ranges_;
  Sink& out_;
  std::function<void(std::uint64_t)> progress_;
  std::size_t next_ = 0;  // the first range that ends after position_
  std::uint64_t position_ = 0, done_ = 0;
};

}  // namespace kiln::image
