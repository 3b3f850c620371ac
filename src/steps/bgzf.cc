#include "steps/bgzf.h"

#include <zlib.h>

#include <algorithm>
#include <new>

namespace kiln::steps {

namespace {

constexpr std::size_t kMemberMax = 65536;   // whole; its length less one has 16 bits
constexpr std::size_t kPlainBytes = 65280;  // in one member: what does not shrink still fits
// Deflate, an extra field, no time, system unknown; the field "BC" of two bytes, which follow.
constexpr std::string_view kHead("\x1f\x8b\x08\x04\0\0\0\0\0\xff\x06\0BC\x02\0", 16);
constexpr std::size_t kLengthBytes = 2, kTailBytes = 8;  // the length; CRC and size of what is inside

void put_little_endian(std::vector<std::byte>& to, std::uint32_t value, int bytes) {
  for (int i = 0; i < bytes; ++i) to.push_back(static_cast<std::byte>(value >> (8 * i)));
}

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
  const auto text = as_bytes(kHead);
  std::vector<std::byte> member(text.begin(), text.end());
  member.resize(kMemberMax - kTailBytes);
  ::deflateReset(stream_.get());
  stream_->next_in = reinterpret_cast<Bytef*>(plain_.data());
  stream_->avail_in = static_cast<uInt>(plain_.size());
  stream_->next_out = reinterpret_cast<Bytef*>(member.data() + kHead.size() + kLengthBytes);
  stream_->avail_out = static_cast<uInt>(member.size() - kHead.size() - kLengthBytes);
  if (::deflate(stream_.get(), Z_FINISH) != Z_STREAM_END) return error(Errc::io, "deflate gave up");
  member.resize(member.size() - stream_->avail_out);
  const std::size_t length = member.size() + kTailBytes - 1;
  member[kHead.size()] = static_cast<std::byte>(length);
  member[kHead.size() + 1] = static_cast<std::byte>(length >> 8);
  put_little_endian(
      member, static_cast<std::uint32_t>(::crc32_z(0, reinterpret_cast<const Bytef*>(plain_.data()), plain_.size())),
      4);
  put_little_endian(member, static_cast<std::uint32_t>(plain_.size()), 4);
  plain_.clear();
  return out_.write(member);
}

Result<> BgzfSink::finish() {
  if (!plain_.empty()) TRY(write_member());
  return write_member();
}

}  // namespace kiln::steps
