#include "image/disk/compose.h"

#include <algorithm>
#include <cassert>
#include <memory>

namespace kiln::image {

namespace {

void add_extent(std::vector<Extent>& extents, const Extent& next) {
  if (next.bytes == 0) return;
  if (!extents.empty() && extents.back().end() >= next.offset) {
    extents.back().bytes = std::max(extents.back().end(), next.end()) - extents.back().offset;
  } else {
    extents.push_back(next);
  }
}

/// Lets exactly a part's bytes through: a part that pours more or less would shift all that follows it. Ends when
/// cancelled.
class ExactSink : public Sink {
 public:
  ExactSink(Sink& out, std::uint64_t bytes, const Cancel& cancel) : out_(out), left_(bytes), cancel_(cancel) {}
  using Sink::write;
  Result<> write(std::span<const std::byte> bytes) override {
    TRY(take(bytes.size()));
    return out_.write(bytes);
  }
  Result<> zeros(std::uint64_t n) override {
    TRY(take(n));
    return out_.zeros(n);
  }
  Result<> finish() const {
    if (left_ != 0) return error(Errc::corrupt, "a part of the disk came out {} bytes too short", left_);
    return {};
  }

 private:
  Result<> take(std::uint64_t n) {
    TRY(cancel_.check());
    if (n > left_) return error(Errc::corrupt, "a part of the disk came out {} bytes too long", n - left_);
    left_ -= n;
    return {};
  }
  Sink& out_;
  std::uint64_t left_;
  const Cancel& cancel_;
};

Result<> pour_parts(std::uint64_t bytes, const std::vector<ImagePart>& parts, Sink& out, const Cancel& cancel) {
  std::uint64_t position = 0;
  for (const ImagePart& part : parts) {
    TRY(out.zeros(part.offset - position));
    ExactSink exact(out, part.image.bytes, cancel);
    TRY(part.image.pour(exact, cancel));
    TRY(exact.finish());
    position = part.offset + part.image.bytes;
  }
  return out.zeros(bytes - position);
}

}  // namespace

BlockImage image_from(std::string bytes) {
  BlockImage image;
  image.bytes = bytes.size();
  add_extent(image.data, {0, bytes.size()});
  const auto shared = std::make_shared<const std::string>(std::move(bytes));
  image.pour = [shared](Sink& out, const Cancel& /*cancel*/) { return out.write(*shared); };
  return image;
}

BlockImage compose(std::uint64_t bytes, std::vector<ImagePart> parts) {
  std::sort(parts.begin(), parts.end(), [](const auto& a, const auto& b) { return a.offset < b.offset; });
  BlockImage whole;
  whole.bytes = bytes;
  std::uint64_t end = 0;
  for (const ImagePart& part : parts) {
    assert(part.offset >= end);
    end = part.offset + part.image.bytes;
    for (const Extent& e : part.image.data) add_extent(whole.data, {part.offset + e.offset, e.bytes});
  }
  assert(end <= bytes);
  const auto shared = std::make_shared<const std::vector<ImagePart>>(std::move(parts));
  whole.pour = [bytes, shared](Sink& out, const Cancel& cancel) { return pour_parts(bytes, *shared, out, cancel); };
  return whole;
}

std::vector<Extent> rounded(const std::vector<Extent>& extents, std::uint64_t block, std::uint64_t bytes) {
  std::vector<Extent> grown;
  for (const Extent& e : extents) {
    const std::uint64_t start = e.offset / block * block;
    const std::uint64_t end = std::min((e.end() + block - 1) / block * block, bytes);
    add_extent(grown, {start, end - start});
  }
  return grown;
}

std::uint64_t total_bytes(const std::vector<Extent>& extents) {
  std::uint64_t total = 0;
  for (const Extent& e : extents) total += e.bytes;
  return total;
}

std::uint64_t RangeSink::stretch(std::uint64_t n, bool& inside) {
  while (next_ < ranges_.size() && ranges_[next_].end() <= position_) ++next_;
  inside = next_ < ranges_.size() && ranges_[next_].offset <= position_;
  if (next_ == ranges_.size()) return n;
  return std::min(n, (inside ? ranges_[next_].end() : ranges_[next_].offset) - position_);
}

Result<> RangeSink::write(std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    bool inside = false;
    const auto part = bytes.first(static_cast<std::size_t>(stretch(bytes.size(), inside)));
    if (inside) {
      TRY(out_.write(part));
      done_ += part.size();
    } else if (std::any_of(part.begin(), part.end(), [](std::byte b) { return b != std::byte{0}; })) {
      return error(Errc::corrupt, "the disk has data at byte {}, where it said that there is none", position_);
    }
    position_ += part.size();
    bytes = bytes.subspan(part.size());
  }
  if (progress_) progress_(done_);
  return {};
}

Result<> RangeSink::zeros(std::uint64_t n) {
  while (n > 0) {
    bool inside = false;
    const std::uint64_t part = stretch(n, inside);
    if (inside) {
      TRY(out_.zeros(part));
      done_ += part;
    }
    position_ += part;
    n -= part;
  }
  return {};
}

}  // namespace kiln::image
