#include "image/decompress.h"
#include "image/gzip_sink.h"
#include "image/image.h"

namespace kiln::image {

namespace {

/// A source with its first bytes put back.
class HeadedSource : public Source {
 public:
  HeadedSource(std::string head, Source& rest) : head_(std::move(head)), rest_(rest) {}
  Result<std::size_t> read(std::span<std::byte> buffer) override {
    if (used_ == head_.size()) return rest_.read(buffer);
    const std::size_t n = std::min(buffer.size(), head_.size() - used_);
    std::copy_n(kiln::as_bytes(head_).data() + used_, n, buffer.data());
    used_ += n;
    return n;
  }

 private:
  std::string head_;
  Source& rest_;
  std::size_t used_ = 0;
};

/// Passes on what it reads and writes it to a sink as well.
class TeeSource : public Source {
 public:
  TeeSource(Source& from, Sink& copy) : from_(from), copy_(copy) {}
  Result<std::size_t> read(std::span<std::byte> buffer) override {
    const std::size_t n = TRY(from_.read(buffer));
    TRY(copy_.write(std::span<const std::byte>(buffer.data(), n)));
    return n;
  }

 private:
  Source& from_;
  Sink& copy_;
};

/// Fewer than kMagicBytes only where the stream is shorter.
Result<std::string> read_head(Source& in) {
  std::string head(kMagicBytes, '\0');
  std::size_t filled = 0;
  while (filled < head.size()) {
    const std::size_t n = TRY(in.read(std::as_writable_bytes(std::span(head).subspan(filled))));
    if (n == 0) break;
    filled += n;
  }
  head.resize(filled);
  return head;
}

}  // namespace

Result<UnpackedLayer> unpack_layer_kept(Source& in, const fs::path& tree, Sink& blob, unsigned threads,
                                        const Limits& limits, const Cancel& cancel) {
  const std::string head = TRY(read_head(in));
  HeadedSource whole(head, in);
  if (TRY(compression_of(head)) == Compression::gzip) {
    TeeSource tee(whole, blob);
    return unpack_layer(tee, tree, limits, cancel);
  }
  const auto plain = TRY(open_decompressed(whole, BombLimits{.output_bytes = limits.layer_bytes}));
  const auto gzip = TRY(GzipSink::start(blob, threads));
  TeeSource tee(*plain, *gzip);
  UnpackedLayer unpacked = TRY(unpack_layer(tee, tree, limits, cancel));
  const GzipFacts facts = TRY(gzip->finish().context("compressing layer"));
  unpacked.blob = facts.packed;
  unpacked.blob_bytes = facts.packed_bytes;
  return unpacked;
}

}  // namespace kiln::image
