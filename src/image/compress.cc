#include "image/gzip_sink.h"
#include "image/image.h"
#include "image/layer_tar.h"

namespace kiln::image {

namespace {

/// Tells how far the uncompressed stream has come, at most once a MiB.
class ProgressSink : public Sink {
 public:
  ProgressSink(Sink& next, const std::function<void(std::uint64_t)>& report) : next_(next), report_(report) {}
  using Sink::write;
  Result<> write(std::span<const std::byte> bytes) override {
    constexpr std::uint64_t kStep = 1 << 20;
    const std::uint64_t before = done_;
    done_ += bytes.size();
    if (report_ && before / kStep != done_ / kStep) report_(done_);
    return next_.write(bytes);
  }

 private:
  Sink& next_;
  const std::function<void(std::uint64_t)>& report_;
  std::uint64_t done_ = 0;
};

}  // namespace

Result<Compressed> compress_layer(const fs::path& tree, Sink& out, unsigned threads, const Cancel& cancel,
                                  const std::function<void(std::uint64_t done_bytes)>& progress) {
  const auto gzip = TRY(GzipSink::start(out, threads));
  ProgressSink counted(*gzip, progress);
  Compressed made;
  made.tar.entries = TRY(pour_layer(tree, counted, &cancel));
  GzipFacts facts = TRY(gzip->finish().context("compressing layer {}", tree));
  made.tar.diff_id = std::move(facts.plain);
  made.tar.bytes = facts.plain_bytes;
  made.blob = std::move(facts.packed);
  made.bytes = facts.packed_bytes;
  return made;
}

}  // namespace kiln::image
