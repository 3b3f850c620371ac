// Sinks around sinks: several readers of one stream, and one stream from several threads.
#pragma once

#include <mutex>
#include <vector>

#include "event/event.h"

namespace kiln::event {

/// An event that happens now, by the wall clock.
Event stamped(Fact fact);

/// Tells every reader, in the order given. The readers belong to somebody else and outlive it.
class TeeSink : public EventSink {
 public:
  explicit TeeSink(std::vector<EventSink*> readers) : readers_(std::move(readers)) {}
  void on(const Event& event) noexcept override;

 private:
  std::vector<EventSink*> readers_;
};

/// Lets many threads emit: the next sink sees one event at a time, each thread's events in their order. The next sink
/// must not emit into it.
class LockedSink : public EventSink {
 public:
  explicit LockedSink(EventSink& next) : next_(next) {}
  void on(const Event& event) noexcept override;

 private:
  std::mutex mutex_;
  EventSink& next_;
};

}  // namespace kiln::event
