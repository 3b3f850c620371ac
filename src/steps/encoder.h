// Compressing sinks of the compress post-processor: what is written to one comes out at the next, compressed.
#pragma once

#include <memory>

#include "base/sink.h"

namespace kiln::steps {

class Encoder : public Sink {
 public:
  using Sink::write;
  /// Writes what is still inside; nothing may be written afterwards.
  virtual Result<> finish() = 0;
};

enum class Encoding : std::uint8_t { plain, gzip, deflate, xz };

/// level: 1 to 9, or -1 for the library's own. out outlives the encoder.
std::unique_ptr<Encoder> make_encoder(Encoding encoding, int level, Sink& out);

}  // namespace kiln::steps
