// BGZF: gzip in members of at most 64 KiB that each tell their length, so that a reader may begin at any of them.
// Format: section 4.1 of the SAM specification. Private to the room.
#pragma once

#include <memory>

#include "base/sink.h"

struct z_stream_s;

namespace kiln::steps {

class BgzfSink : public Sink {
 public:
  /// level: zlib's, 1 to 9, or -1 for its default. out must outlive the sink.
  BgzfSink(Sink& out, int level);
  using Sink::write;
  Result<> write(std::span<const std::byte> bytes) override;
  /// Writes what is left and the empty member that marks a file's end.
  Result<> finish();

 private:
  struct End {
    void operator()(z_stream_s* stream) const;
  };
  Result<> write_member();

  Sink& out_;
  std::unique_ptr<z_stream_s, End> stream_;
  std::vector<std::byte> plain_;
};

}  // namespace kiln::steps
