#include "image/verified_source.h"

namespace kiln::image {

namespace {

class VerifiedSource : public Source {
 public:
  VerifiedSource(std::unique_ptr<Source> in, ExpectedBlob expected)
      : in_(std::move(in)), expected_(std::move(expected)) {}

  Result<std::size_t> read(std::span<std::byte> buffer) override {
    if (ended_ || buffer.empty()) return std::size_t{0};
    const std::size_t n = TRY(in_->read(buffer).context("blob {}", expected_.digest.text()));
    count_ += n;
    if (count_ > expected_.bytes || (n == 0 && count_ < expected_.bytes)) {
      return error(Errc::corrupt, "blob {}: its size is not {} bytes", expected_.digest.text(), expected_.bytes);
    }
    TRY(check_first(std::span<const std::byte>(buffer.data(), n), n == 0));
    hash_.update(std::span<const std::byte>(buffer.data(), n));
    if (n == 0) {
      ended_ = true;
      const Digest found = hash_.finish();
      if (found != expected_.digest) {
        return error(Errc::corrupt, "blob {}: its digest is {}", expected_.digest.text(), found.text());
      }
    }
    return n;
  }

 private:
  Result<> check_first(std::span<const std::byte> bytes, bool at_end) {
    if (!expected_.compression) return {};
    first_ += as_text(bytes.first(std::min(bytes.size(), kMagicBytes)));
    if (first_.size() < kMagicBytes && !at_end) return {};
    if (TRY(compression_of(first_)) != *expected_.compression) {
      return error(Errc::corrupt, "blob {}: not compressed as its media type says", expected_.digest.text());
    }
    expected_.compression.reset();
    return {};
  }

  std::unique_ptr<Source> in_;
  ExpectedBlob expected_;
  Sha256 hash_;
  std::string first_;
  std::uint64_t count_ = 0;
  bool ended_ = false;
};

}  // namespace

std::unique_ptr<Source> verified(std::unique_ptr<Source> in, ExpectedBlob expected) {
  return std::make_unique<VerifiedSource>(std::move(in), std::move(expected));
}

}  // namespace kiln::image
