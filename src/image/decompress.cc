#include "image/decompress.h"

#include <lzma.h>
#include <zlib.h>
#include <zstd.h>

#include <algorithm>
#include <array>

namespace kiln::image {

namespace {

constexpr std::size_t kInputBytes = 128 << 10;
constexpr int kZstdWindowLog = 27;                             // 128 MiB
constexpr std::uint64_t kXzMemory = std::uint64_t{192} << 20;  // enough for xz -9e

/// A source with its first bytes put back, counting what it yields.
class Input {
 public:
  Input(Source& in, std::string head) : in_(in), head_(std::move(head)) {}
  Result<std::size_t> read(std::span<std::byte> buffer) {
    if (used_ < head_.size()) {
      const std::size_t n = std::min(buffer.size(), head_.size() - used_);
      std::copy_n(kiln::as_bytes(head_).data() + used_, n, buffer.data());
      used_ += n;
      count_ += n;
      return n;
    }
    const std::size_t n = TRY(in_.read(buffer));
    count_ += n;
    return n;
  }
  std::uint64_t count() const { return count_; }

 private:
  Source& in_;
  std::string head_;
  std::size_t used_ = 0;
  std::uint64_t count_ = 0;
};

/// One format. decode() consumes input and fills output as far as it can.
class Decoder {
 public:
  virtual ~Decoder() = default;
  struct Step {
    std::size_t consumed = 0, produced = 0;
  };
  /// at_end: no more input will come.
  virtual Result<Step> decode(std::span<const std::byte> in, std::span<std::byte> out, bool at_end) = 0;
  /// Whether the input may end here.
  virtual bool is_complete() const = 0;
};

class PlainDecoder : public Decoder {
 public:
  Result<Step> decode(std::span<const std::byte> in, std::span<std::byte> out, bool) override {
    const std::size_t n = std::min(in.size(), out.size());
    std::copy_n(in.data(), n, out.data());
    return Step{n, n};
  }
  bool is_complete() const override { return true; }
};

class GzipDecoder : public Decoder {
 public:
  GzipDecoder() = default;
  GzipDecoder(const GzipDecoder&) = delete;
  GzipDecoder& operator=(const GzipDecoder&) = delete;
  ~GzipDecoder() override { ::inflateEnd(&stream_); }
  Result<> start() {
    constexpr int kGzipOnly = 16 + MAX_WBITS;
    if (::inflateInit2(&stream_, kGzipOnly) != Z_OK) return error(Errc::io, "gzip: no memory");
    return {};
  }
  Result<Step> decode(std::span<const std::byte> in, std::span<std::byte> out, bool) override {
    if (in.empty() && between_members_) return Step{};
    between_members_ = false;
    stream_.next_in = reinterpret_cast<Bytef*>(const_cast<std::byte*>(in.data()));  // C interface, only read
    stream_.avail_in = static_cast<uInt>(in.size());
    stream_.next_out = reinterpret_cast<Bytef*>(out.data());
    stream_.avail_out = static_cast<uInt>(out.size());
    const int state = ::inflate(&stream_, Z_NO_FLUSH);
    if (state != Z_OK && state != Z_STREAM_END && state != Z_BUF_ERROR) {
      return error(Errc::corrupt, "gzip: {}", stream_.msg != nullptr ? stream_.msg : "damaged");
    }
    const Step step{in.size() - stream_.avail_in, out.size() - stream_.avail_out};
    if (state == Z_STREAM_END) {
      between_members_ = true;
      ::inflateReset(&stream_);
    }
    return step;
  }
  bool is_complete() const override { return between_members_; }

 private:
  z_stream stream_{};
  bool between_members_ = false;
};

class ZstdDecoder : public Decoder {
 public:
  Result<> start() {
    if (context_ == nullptr) return error(Errc::io, "zstd: no memory");
    ZSTD_DCtx_setParameter(context_.get(), ZSTD_d_windowLogMax, kZstdWindowLog);
    return {};
  }
  Result<Step> decode(std::span<const std::byte> in, std::span<std::byte> out, bool) override {
    if (in.empty() && between_frames_) return Step{};
    ZSTD_inBuffer from{in.data(), in.size(), 0};
    ZSTD_outBuffer to{out.data(), out.size(), 0};
    const std::size_t state = ZSTD_decompressStream(context_.get(), &to, &from);
    if (ZSTD_isError(state) != 0) return error(Errc::corrupt, "zstd: {}", ZSTD_getErrorName(state));
    between_frames_ = state == 0;
    return Step{from.pos, to.pos};
  }
  bool is_complete() const override { return between_frames_; }

 private:
  struct Free {
    void operator()(ZSTD_DCtx* context) const { ZSTD_freeDCtx(context); }
  };
  std::unique_ptr<ZSTD_DCtx, Free> context_{ZSTD_createDCtx()};
  bool between_frames_ = false;
};

class XzDecoder : public Decoder {
 public:
  XzDecoder() = default;
  XzDecoder(const XzDecoder&) = delete;
  XzDecoder& operator=(const XzDecoder&) = delete;
  ~XzDecoder() override { ::lzma_end(&stream_); }
  Result<> start() {
    if (::lzma_stream_decoder(&stream_, kXzMemory, LZMA_CONCATENATED) != LZMA_OK)
      return error(Errc::io, "xz: no memory");
    return {};
  }
  Result<Step> decode(std::span<const std::byte> in, std::span<std::byte> out, bool at_end) override {
    if (done_) return in.empty() ? Result<Step>(Step{}) : error(Errc::corrupt, "xz: bytes after the end");
    stream_.next_in = reinterpret_cast<const std::uint8_t*>(in.data());
    stream_.avail_in = in.size();
    stream_.next_out = reinterpret_cast<std::uint8_t*>(out.data());
    stream_.avail_out = out.size();
    const lzma_ret state = ::lzma_code(&stream_, at_end ? LZMA_FINISH : LZMA_RUN);
    if (state == LZMA_MEMLIMIT_ERROR) return error(Errc::corrupt, "xz: needs more memory than {} bytes", kXzMemory);
    if (state != LZMA_OK && state != LZMA_STREAM_END && state != LZMA_BUF_ERROR) {
      return error(Errc::corrupt, "xz: damaged");
    }
    done_ = state == LZMA_STREAM_END;
    return Step{in.size() - stream_.avail_in, out.size() - stream_.avail_out};
  }
  bool is_complete() const override { return done_; }

 private:
  lzma_stream stream_ = LZMA_STREAM_INIT;
  bool done_ = false;
};

/// Drives a decoder and watches for bombs.
class Decompressed : public Source {
 public:
  Decompressed(Source& in, std::string head, std::unique_ptr<Decoder> decoder, const BombLimits& limits)
      : in_(in, std::move(head)), decoder_(std::move(decoder)), limits_(limits), buffer_(kInputBytes) {}

  Result<std::size_t> read(std::span<std::byte> buffer) override {
    if (buffer.empty()) return std::size_t{0};
    for (;;) {
      if (pending_.empty() && !input_ended_) TRY(refill());
      const auto step = TRY(decoder_->decode(pending_, buffer, input_ended_));
      pending_ = pending_.subspan(step.consumed);
      if (step.produced > 0) {
        produced_ += step.produced;
        TRY(check_limits());
        return step.produced;
      }
      if (pending_.empty() && input_ended_ && step.consumed == 0) {
        if (!decoder_->is_complete()) return error(Errc::corrupt, "the compressed stream is cut off");
        return std::size_t{0};
      }
      if (!pending_.empty() && step.consumed == 0) return error(Errc::corrupt, "bytes after the compressed data");
    }
  }

 private:
  Result<> refill() {
    const std::size_t n = TRY(in_.read(buffer_));
    pending_ = std::span<const std::byte>(buffer_.data(), n);
    input_ended_ = n == 0;
    return {};
  }
  Result<> check_limits() const {
    if (produced_ > limits_.output_bytes) {
      return error(Errc::corrupt, "unpacks to more than {} bytes", limits_.output_bytes);
    }
    if (produced_ > limits_.ratio_from_bytes && produced_ / limits_.ratio > in_.count()) {
      return error(Errc::corrupt, "unpacks to more than {} times its size: a decompression bomb", limits_.ratio);
    }
    return {};
  }

  Input in_;
  std::unique_ptr<Decoder> decoder_;
  BombLimits limits_;
  std::vector<std::byte> buffer_;
  std::span<const std::byte> pending_;
  bool input_ended_ = false;
  std::uint64_t produced_ = 0;
};

template <class T>
Result<std::unique_ptr<Decoder>> started() {
  auto decoder = std::make_unique<T>();
  TRY(decoder->start());
  return std::unique_ptr<Decoder>(std::move(decoder));
}

Result<std::unique_ptr<Decoder>> decoder_for(Compression compression) {
  switch (compression) {
    case Compression::gzip:
      return started<GzipDecoder>();
    case Compression::zstd:
      return started<ZstdDecoder>();
    case Compression::xz:
      return started<XzDecoder>();
    case Compression::none:
      break;
  }
  return std::unique_ptr<Decoder>(std::make_unique<PlainDecoder>());
}

}  // namespace

Result<Compression> compression_of(std::string_view first_bytes) {
  if (first_bytes.starts_with("\x1f\x8b")) return Compression::gzip;
  if (first_bytes.starts_with("\x28\xb5\x2f\xfd")) return Compression::zstd;
  constexpr std::string_view kXzMagic("\xfd\x37\x7a\x58\x5a\0", 6);
  if (first_bytes.starts_with(kXzMagic)) return Compression::xz;
  if (first_bytes.starts_with("BZh")) return error(Errc::corrupt, "compressed with bzip2, which no image layer may be");
  return Compression::none;
}

Result<std::unique_ptr<Source>> open_decompressed(Source& in, const BombLimits& limits) {
  std::array<std::byte, kMagicBytes> first;
  std::size_t have = 0;
  while (have < first.size()) {
    const std::size_t n = TRY(in.read(std::span(first).subspan(have)));
    if (n == 0) break;
    have += n;
  }
  std::string head(as_text(std::span(first).first(have)));
  const Compression compression = TRY(compression_of(head));
  auto decoder = TRY(decoder_for(compression));
  return std::unique_ptr<Source>(std::make_unique<Decompressed>(in, std::move(head), std::move(decoder), limits));
}

}  // namespace kiln::image
