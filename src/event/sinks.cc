#include "event/sinks.h"

namespace kiln::event {

Event stamped(Fact fact) {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return {std::chrono::duration_cast<std::chrono::milliseconds>(now).count(), std::move(fact)};
}

void TeeSink::on(const Event& event) noexcept {
  for (EventSink* reader : readers_) reader->on(event);
}

void LockedSink::on(const Event& event) noexcept {
  const std::lock_guard lock(mutex_);
  next_.on(event);
}

}  // namespace kiln::event
