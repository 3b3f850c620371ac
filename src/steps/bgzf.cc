#include "steps/bgzf.h"

#include <zlib.h>

#include <algorithm>
#include <array>
#include <new>

#include "base/endian.h"

namespace kiln::steps {

namespace {

constexpr std::size_t kMemberMax = 65536;   // whole; its length less one has 16 bits
constexpr std::size_t kPlainBytes = 65280;  // in one member: what does not shrink still fits

/// A gzip header with deflate, one extra field, no time and no system told.
struct Head {
  std::array<std::uint8_t, 10> gzip = {0x1f, 0x8b, 8, 4, 0, 0, 0, 0, 0, 0xff};
  le16 extra_bytes = 6;
  std::array<char, 2> field = {'B', 'C'};
  le16 field_bytes = 2;
  le16 last;  // byte of the member, counted from 0
};
struct Tail {
  le32 crc, plain_bytes;
};
static_assert(sizeof(Head) == 18 && sizeof(Tail) == 8);

}  // namespace

void BgzfSink::End::operator()(z_stream_s* stream) const {
  ::deflateEnd(stream);
  delete stream;
}

BgzfSink::BgzfSink(Sink& out, int level) : out_(out), stream_(new z_stream{}) {
  if (::deflateInit2(stream_.get(), level, Z_DEFLATED, -MAX_WBITS, 8, Z_DEFAULT_STRATEGY) != Z_OK)
    throw std::bad_alloc();
  plain_.reserve(kPlainBytes);
}

Result<> BgzfSink::write(std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const auto part = bytes.first(std::min(bytes.size(), kPlainBytes - plain_.size()));
    plain_.insert(plain_.end(), part.begin(), part.end());
    bytes = bytes.subspan(part.size());
    if (plain_.size() == kPlainBytes) TRY(write_member());
  }
  return {};
}

Result<> BgzfSink::write_member() {
  std::array<std::byte, kMemberMax - sizeof(Head) - sizeof(Tail)> packed;
  ::deflateReset(stream_.get());
  stream_->next_in = reinterpret_cast<Bytef*>(plain_.data());
  stream_->avail_in = static_cast<uInt>(plain_.size());
  stream_->next_out = reinterpret_cast<Bytef*>(packed.data());
  stream_->avail_out = static_cast<uInt>(packed.size());
  if (::deflate(stream_.get(), Z_FINISH) != Z_STREAM_END) return error(Errc::io, "deflate gave up");
  const std::size_t n = packed.size() - stream_->avail_out;
  Head head;
  head.last = static_cast<std::uint16_t>(sizeof(Head) + n + sizeof(Tail) - 1);
  Tail tail;
  tail.crc = static_cast<std::uint32_t>(::crc32_z(0, reinterpret_cast<const Bytef*>(plain_.data()), plain_.size()));
  tail.plain_bytes = static_cast<std::uint32_t>(plain_.size());
  plain_.clear();
  TRY(out_.write(bytes_of(head)));
  TRY(out_.write(std::span<const std::byte>(packed).first(n)));
  return out_.write(bytes_of(tail));
}

Result<> BgzfSink::finish() {
  if (!plain_.empty()) TRY(write_member());
  return write_member();
}

}  // namespace kiln::steps
