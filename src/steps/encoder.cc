#include "steps/encoder.h"

#include <lzma.h>
#include <zlib.h>

#include <array>

namespace kiln::steps {

namespace {

constexpr std::size_t kChunk = 64 << 10;

class Plain : public Encoder {
 public:
  explicit Plain(Sink& out) : out_(out) {}
  Result<> write(std::span<const std::byte> bytes) override { return out_.write(bytes); }
  Result<> finish() override { return {}; }

 private:
  Sink& out_;
};

class Deflate : public Encoder {
 public:
  Deflate(int level, int window_bits, Sink& out) : out_(out) {
    good_ = ::deflateInit2(&stream_, level, Z_DEFLATED, window_bits, 9, Z_DEFAULT_STRATEGY) == Z_OK;
  }
  Deflate(const Deflate&) = delete;
  Deflate& operator=(const Deflate&) = delete;
  ~Deflate() override { ::deflateEnd(&stream_); }
  Result<> write(std::span<const std::byte> bytes) override {
    while (!bytes.empty()) {
      const auto part = bytes.first(std::min<std::size_t>(bytes.size(), 1U << 30));  // zlib counts in 32 bits
      stream_.next_in = reinterpret_cast<Bytef*>(const_cast<std::byte*>(part.data()));
      stream_.avail_in = static_cast<uInt>(part.size());
      TRY(pump(Z_NO_FLUSH));
      bytes = bytes.subspan(part.size());
    }
    return {};
  }
  Result<> finish() override { return pump(Z_FINISH); }

 private:
  Result<> pump(int flush) {
    if (!good_) return error(Errc::io, "compressing: no memory");
    do {
      stream_.next_out = reinterpret_cast<Bytef*>(buffer_.data());
      stream_.avail_out = static_cast<uInt>(buffer_.size());
      if (::deflate(&stream_, flush) == Z_STREAM_ERROR) return error(Errc::io, "compressing: the stream broke");
      TRY(out_.write(std::span<const std::byte>(buffer_).first(buffer_.size() - stream_.avail_out)));
    } while (stream_.avail_out == 0);
    return {};
  }
  Sink& out_;
  z_stream stream_{};
  bool good_ = false;
  std::array<std::byte, kChunk> buffer_{};
};

class Xz : public Encoder {
 public:
  Xz(int level, Sink& out) : out_(out) {
    const auto preset = static_cast<std::uint32_t>(level < 0 ? 6 : level);
    good_ = ::lzma_easy_encoder(&stream_, preset, LZMA_CHECK_CRC64) == LZMA_OK;
  }
  Xz(const Xz&) = delete;
  Xz& operator=(const Xz&) = delete;
  ~Xz() override { ::lzma_end(&stream_); }
  Result<> write(std::span<const std::byte> bytes) override {
    stream_.next_in = reinterpret_cast<const std::uint8_t*>(bytes.data());
    stream_.avail_in = bytes.size();
    return pump(LZMA_RUN);
  }
  Result<> finish() override { return pump(LZMA_FINISH); }

 private:
  Result<> pump(lzma_action action) {
    if (!good_) return error(Errc::io, "compressing: no memory");
    do {
      stream_.next_out = reinterpret_cast<std::uint8_t*>(buffer_.data());
      stream_.avail_out = buffer_.size();
      const lzma_ret state = ::lzma_code(&stream_, action);
      if (state != LZMA_OK && state != LZMA_STREAM_END && state != LZMA_BUF_ERROR)
        return error(Errc::io, "compressing: the stream broke");
      TRY(out_.write(std::span<const std::byte>(buffer_).first(buffer_.size() - stream_.avail_out)));
    } while (stream_.avail_out == 0);
    return {};
  }
  Sink& out_;
  lzma_stream stream_ = LZMA_STREAM_INIT;
  bool good_ = false;
  std::array<std::byte, kChunk> buffer_{};
};

}  // namespace

std::unique_ptr<Encoder> make_encoder(Encoding encoding, int level, Sink& out) {
  if (encoding == Encoding::gzip) return std::make_unique<Deflate>(level, 16 + MAX_WBITS, out);
  if (encoding == Encoding::deflate) return std::make_unique<Deflate>(level, -MAX_WBITS, out);
  if (encoding == Encoding::xz) return std::make_unique<Xz>(level, out);
  return std::make_unique<Plain>(out);
}

}  // namespace kiln::steps
