// An EventSink that keeps what it was told, for tests that assert on the stream.
#pragma once

#include <vector>

#include "event/event.h"

namespace kiln {

class RecordingSink : public event::EventSink {
 public:
  void on(const event::Event& event) noexcept override { events.push_back(event); }
  /// Every fact of one kind, in order.
  template <class T>
  std::vector<T> all() const {
    std::vector<T> found;
    for (const event::Event& e : events) {
      if (const T* fact = std::get_if<T>(&e.what)) found.push_back(*fact);
    }
    return found;
  }
  std::vector<event::Event> events;
};

}  // namespace kiln
