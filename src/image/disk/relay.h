// Bytes on their way from a thread that reads them to the one that writes them, so that both work at once. Private to
// the room.
#pragma once

#include <array>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <vector>

#include "base/sink.h"

namespace kiln::image {

/// A ring of a few buffers between two threads.
class Relay {
 public:
  /// Some bytes, and zeros behind them.
  struct Batch {
    std::vector<std::byte> buffer;
    std::size_t used = 0;  // bytes of the buffer
    std::uint64_t zeros = 0;
  };

  Relay();
  /// The reader's: a batch to fill, empty; waits until there is one. Null once nobody writes any more.
  Batch* empty();
  /// The reader's: hands on the batch that empty() gave.
  void give();
  /// The reader's: there is no more.
  void end();
  /// The writer's: writes all that comes until the end. After an error nobody writes any more.
  Result<> write_to(Sink& out);

 private:
  Batch* next();
  void took(bool last);

  std::mutex mutex_;
  std::condition_variable changed_;
  std::array<Batch, 4> batches_;
  std::uint64_t given_ = 0, taken_ = 0;
  bool no_more_ = false, stopped_ = false;
};

/// Runs read on a thread of its own, which fills the relay that it gets, and writes to out on this one. The first error
/// of writing, else that of reading.
Result<> pour_ahead(Sink& out, const std::function<Result<>(Relay& relay)>& read);

}  // namespace kiln::image
