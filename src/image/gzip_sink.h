// A parallel gzip compressor: chunks compressed on several threads join into one gzip member, and both streams are
// hashed on the way. The bytes depend on the input alone, not on the threads. Format: RFC 1951 and 1952; what kiln
// writes of it: docs/formats/layer-tar.md.
#pragma once

#include <memory>

#include "base/sink.h"

namespace kiln::image {

/// What went through a GzipSink.
struct GzipFacts {
  Digest plain;  // of what was written into it
  Digest packed;
  std::uint64_t plain_bytes = 0, packed_bytes = 0;
};

/// Writes to `out` from a thread of its own, in order; nobody else may use `out` until finish() or destruction.
class GzipSink : public Sink {
 public:
  /// threads: how many compress (at least one). out must outlive the sink.
  static Result<std::unique_ptr<GzipSink>> start(Sink& out, unsigned threads);
  GzipSink(const GzipSink&) = delete;
  GzipSink& operator=(const GzipSink&) = delete;
  /// Without finish() the stream stays incomplete; the threads end.
  ~GzipSink() override;
  using Sink::write;
  Result<> write(std::span<const std::byte> bytes) override;
  /// Writes what is left and the trailer, and waits for everything.
  Result<GzipFacts> finish();

 private:
  struct State;
  explicit GzipSink(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace kiln::image
