// Cancellation: one flag that every wait watches. Set from a signal thread or a failing part; can be polled as a
// descriptor. No wait in kiln may ignore it.
#pragma once

#include <atomic>

#include "base/fd.h"
#include "base/time.h"

namespace kiln {

class Cancel {
 public:
  Cancel();
  Cancel(const Cancel&) = delete;
  Cancel& operator=(const Cancel&) = delete;
  /// Async-signal-safe and thread-safe; may be called again.
  void cancel() noexcept;
  bool cancelled() const noexcept { return flag_.load(std::memory_order_acquire); }
  /// Readable once cancelled; for poll().
  int fd() const { return event_.get(); }
  /// Errc::interrupted once cancelled.
  Result<> check() const;
  /// Sleeps; true if the whole time passed, false if cancelled.
  bool sleep(Duration time) const;

 private:
  std::atomic<bool> flag_{false};
  Fd event_;
};

}  // namespace kiln
