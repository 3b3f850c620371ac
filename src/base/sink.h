// Streams of bytes: Sink (written front to back) and Source (read front to back). Hashing, counting, compressing and
// teeing are sinks around sinks, so no writer ever holds an image in memory.
#pragma once

#include <memory>

#include "base/fd.h"
#include "base/hash.h"

namespace kiln {

class Sink {
 public:
  virtual ~Sink() = default;
  virtual Result<> write(std::span<const std::byte> bytes) = 0;
  /// n zero bytes; a file sink makes a hole of them.
  virtual Result<> zeros(std::uint64_t n);
  Result<> write(std::string_view text) { return write(as_bytes(text)); }
};

class Source {
 public:
  virtual ~Source() = default;
  /// Up to buffer.size() bytes; 0 only at the end.
  virtual Result<std::size_t> read(std::span<std::byte> buffer) = 0;
};

/// Writes to a descriptor that somebody else owns. zeros() seeks; finish() makes a trailing hole real.
class FdSink : public Sink {
 public:
  explicit FdSink(int fd) : fd_(fd) {}
  using Sink::write;
  Result<> write(std::span<const std::byte> bytes) override;
  Result<> zeros(std::uint64_t n) override;
  Result<> finish();

 private:
  int fd_;
  std::uint64_t position_ = 0;
  bool hole_at_end_ = false;
};

class FdSource : public Source {
 public:
  explicit FdSource(int fd) : fd_(fd) {}
  Result<std::size_t> read(std::span<std::byte> buffer) override;

 private:
  int fd_;
};

/// A part of a file by offset, so that several readers can share one descriptor.
class FileRangeSource : public Source {
 public:
  FileRangeSource(int fd, std::uint64_t offset, std::uint64_t size) : fd_(fd), offset_(offset), left_(size) {}
  Result<std::size_t> read(std::span<std::byte> buffer) override;

 private:
  int fd_;
  std::uint64_t offset_, left_;
};

class StringSink : public Sink {
 public:
  using Sink::write;
  Result<> write(std::span<const std::byte> bytes) override;
  std::string text;
};

class StringSource : public Source {
 public:
  explicit StringSource(std::string_view text) : left_(text) {}
  Result<std::size_t> read(std::span<std::byte> buffer) override;

 private:
  std::string_view left_;
};

/// Passes bytes on (if there is a next sink) and knows their SHA-256 and count.
class HashSink : public Sink {
 public:
  explicit HashSink(Sink* next = nullptr) : next_(next) {}
  using Sink::write;
  Result<> write(std::span<const std::byte> bytes) override;
  /// Ends the hash; nothing may be written afterwards.
  Digest digest() { return hash_.finish(); }
  std::uint64_t bytes() const { return count_; }

 private:
  Sink* next_;
  Sha256 hash_;
  std::uint64_t count_ = 0;
};

/// Copies all of a source; returns the number of bytes.
Result<std::uint64_t> copy_all(Source& from, Sink& to);

}  // namespace kiln
