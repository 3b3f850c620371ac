#include "base/sink.h"

#include <unistd.h>

#include <algorithm>
#include <array>

namespace kiln {

Result<> Sink::zeros(std::uint64_t n) {
  static constexpr std::array<std::byte, 64 << 10> kZeros{};
  while (n > 0) {
    const auto part = static_cast<std::size_t>(std::min<std::uint64_t>(n, kZeros.size()));
    TRY(write(std::span(kZeros).first(part)));
    n -= part;
  }
  return {};
}

Result<> FdSink::write(std::span<const std::byte> bytes) {
  if (bytes.empty()) return {};
  position_ += bytes.size();
  hole_at_end_ = false;
  return write_full(fd_, bytes);
}

Result<> FdSink::zeros(std::uint64_t n) {
  if (n == 0) return {};
  if (::lseek(fd_, static_cast<off_t>(n), SEEK_CUR) < 0) {
    if (errno == ESPIPE) return Sink::zeros(n);
    return sys_error("seek");
  }
  position_ += n;
  hole_at_end_ = true;
  return {};
}

Result<> FdSink::finish() {
  if (hole_at_end_ && ::ftruncate(fd_, static_cast<off_t>(position_)) != 0) return sys_error("truncate");
  return {};
}

Result<std::size_t> FdSource::read(std::span<std::byte> buffer) {
  for (;;) {
    const ssize_t n = ::read(fd_, buffer.data(), buffer.size());
    if (n >= 0) return static_cast<std::size_t>(n);
    if (errno != EINTR) return sys_error("read");
  }
}

Result<std::size_t> FileRangeSource::read(std::span<std::byte> buffer) {
  const auto want = static_cast<std::size_t>(std::min<std::uint64_t>(buffer.size(), left_));
  const std::size_t n = TRY(pread_full(fd_, buffer.first(want), offset_));
  if (n < want) return error(Errc::corrupt, "file ends before its range does");
  offset_ += n;
  left_ -= n;
  return n;
}

Result<> StringSink::write(std::span<const std::byte> bytes) {
  text.append(as_text(bytes));
  return {};
}

Result<std::size_t> StringSource::read(std::span<std::byte> buffer) {
  const std::size_t n = std::min(buffer.size(), left_.size());
  std::copy_n(left_.data(), n, reinterpret_cast<char*>(buffer.data()));
  left_.remove_prefix(n);
  return n;
}

Result<> HashSink::write(std::span<const std::byte> bytes) {
  hash_.update(bytes);
  count_ += bytes.size();
  return next_ != nullptr ? next_->write(bytes) : Result<>();
}

Result<std::uint64_t> copy_all(Source& from, Sink& to) {
  std::vector<std::byte> buffer(256 << 10);
  std::uint64_t total = 0;
  for (;;) {
    const std::size_t n = TRY(from.read(buffer));
    if (n == 0) return total;
    TRY(to.write(std::span<const std::byte>(buffer.data(), n)));
    total += n;
  }
}

}  // namespace kiln
