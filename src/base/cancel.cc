#include "base/cancel.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

namespace kiln {

Cancel::Cancel() : event_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {}

void Cancel::cancel() noexcept {
  flag_.store(true, std::memory_order_release);
  const std::uint64_t one = 1;
  [[maybe_unused]] const ssize_t n = ::write(event_.get(), &one, sizeof one);
}

Result<> Cancel::check() const {
  if (cancelled()) return error(Errc::interrupted, "interrupted");
  return {};
}

bool Cancel::sleep(Duration time) const {
  const auto deadline = Clock::now() + time;
  for (;;) {
    if (cancelled()) return false;
    const auto left = std::chrono::ceil<Duration>(deadline - Clock::now());
    if (left.count() <= 0) return true;
    pollfd watch{event_.get(), POLLIN, 0};
    (void)::poll(&watch, 1, static_cast<int>(left.count()));
  }
}

}  // namespace kiln
