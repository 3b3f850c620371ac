#include "report/terminal/live.h"

#include <pthread.h>
#include <sys/ioctl.h>

#include <csignal>

namespace kiln::report {

namespace {

constexpr Duration kFrame{100};  // at most ten frames a second

/// No signal is handled by a thread started while this lives.
class SignalsBlocked {
 public:
  SignalsBlocked() {
    sigset_t all;
    sigfillset(&all);
    for (const int fault : {SIGSEGV, SIGBUS, SIGFPE, SIGILL}) sigdelset(&all, fault);
    pthread_sigmask(SIG_BLOCK, &all, &before_);
  }
  SignalsBlocked(const SignalsBlocked&) = delete;
  SignalsBlocked& operator=(const SignalsBlocked&) = delete;
  ~SignalsBlocked() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

 private:
  sigset_t before_{};
};

}  // namespace

Size size_of_terminal(int fd) {
  winsize size{};
  if (ioctl(fd, TIOCGWINSZ, &size) != 0 || size.ws_col == 0 || size.ws_row == 0) return {};
  return {size.ws_col, size.ws_row};
}

LiveReport::LiveReport(int fd, const Options& options) : out_(fd), painter_(options.colour) {
  state_.unicode = options.unicode;
  const SignalsBlocked quiet;
  thread_ = std::thread([this] { paint_until_stopped(); });
}

LiveReport::~LiveReport() {
  stop();
}

void LiveReport::stop() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  wake_.notify_one();
  if (thread_.joinable()) thread_.join();
}

void LiveReport::on(const event::Event& event) noexcept {
  {
    const std::lock_guard lock(mutex_);
    if (stop_) return;
    state_.now_ms = ms_since(start_);
    apply(state_, event);
  }
  if (std::holds_alternative<event::RunFinished>(event.what)) stop();
}

void LiveReport::paint_until_stopped() {
  std::unique_lock lock(mutex_);
  for (bool last = false; !last;) {
    wake_.wait_for(lock, kFrame, [this] { return stop_; });
    last = stop_;
    state_.now_ms = ms_since(start_);
    const Size size = size_of_terminal(out_.fd());
    const std::string bytes =
        painter_.paint(std::exchange(state_.scroll, {}), last ? Frame{} : draw(state_, size), size);
    lock.unlock();
    out_.write(bytes);
    lock.lock();
  }
}

}  // namespace kiln::report
