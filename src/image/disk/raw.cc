#include "image/disk/compose.h"
#include "image/disk/formats.h"

namespace kiln::image {

namespace {

/// Passes everything on and says how much data went by.
class ProgressSink : public Sink {
 public:
  ProgressSink(Sink& out, const DiskWriting& how) : out_(out), how_(how) {}
  using Sink::write;
  Result<> write(std::span<const std::byte> bytes) override {
    TRY(out_.write(bytes));
    done_ += bytes.size();
    if (how_.progress) how_.progress(done_);
    return {};
  }
  Result<> zeros(std::uint64_t n) override { return out_.zeros(n); }

 private:
  Sink& out_;
  const DiskWriting& how_;
  std::uint64_t done_ = 0;
};

}  // namespace

Result<> write_raw(const Disk& disk, DiskOutput& out, const DiskWriting& how) {
  ProgressSink sink(out, how);
  return disk.image.pour(sink, how.cancel);
}

}  // namespace kiln::image
