#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <array>

#include "base/process.h"
#include "base/text.h"
#include "sandbox/init/wire.h"
#include "sandbox/prepare.h"
#include "sandbox/spawn.h"

namespace kiln::sandbox {

namespace {

constexpr std::uint64_t kMaxOutput = std::uint64_t{256} << 20;  // hardening section 15

/// What the step printed that says more than the line itself.
void note_line(std::string_view line, std::vector<std::string>& notes) {
  constexpr std::size_t kMaxNotes = 100;
  const bool ignored = line.find("Running in chroot, ignoring") != std::string_view::npos;
  if (ignored && notes.size() < kMaxNotes) notes.emplace_back(visible(trim(line)));
}

/// Reads a step's output and messages until its init is gone; stops it on cancel or timeout.
class Watch {
 public:
  Watch(const RunSpec& spec, const Cancel& cancel, Step& step, Pipe& out, Pipe& err)
      : spec_(spec), cancel_(cancel), step_(step), ends_{std::move(out.read), std::move(err.read)} {
    for (const Fd& end : ends_) (void)::fcntl(end.get(), F_SETFL, O_NONBLOCK);
  }

  Result<RunResult> to_end() {
    const auto start = Clock::now();
    bool alive = true;
    while (alive) {
      std::array<pollfd, 5> fds = {pollfd{ends_[0].get(), POLLIN, 0}, pollfd{ends_[1].get(), POLLIN, 0},
                                   pollfd{step_.pidfd(), POLLIN, 0},
                                   pollfd{control_open_ ? step_.control() : -1, POLLIN, 0},
                                   pollfd{told_to_stop_ ? -1 : cancel_.fd(), POLLIN, 0}};
      (void)::poll(fds.data(), fds.size(), wait_ms(start));
      alive = fds[2].revents == 0;
      for (std::size_t i = 0; i < 2; ++i) {
        if (fds[i].revents != 0) read_output(i, false);
      }
      if (fds[3].revents != 0) read_messages();
      if ((fds[3].revents & POLLHUP) != 0) control_open_ = false;  // the init is on its way out: the pidfd will tell
      stop_if_due(start);
    }
    init_status_ = step_.wait();
    read_messages();
    for (std::size_t i = 0; i < 2; ++i) {
      read_output(i, true);  // what is still in the pipe; nobody is left to write more
      splitters_[i].finish([&](std::string_view line) { report(line, i == 1); });
    }
    return result();
  }

 private:
  int wait_ms(Clock::time_point start) const {
    using std::chrono::duration_cast;
    auto next = Duration::max();
    const auto now = Clock::now();
    if (told_to_stop_) {
      next = spec_.grace - duration_cast<Duration>(now - told_at_);
    } else if (spec_.timeout.count() > 0) {
      next = spec_.timeout - duration_cast<Duration>(now - start);
    }
    if (next == Duration::max()) return -1;
    constexpr std::int64_t kMost = 60'000;
    return static_cast<int>(std::clamp<std::int64_t>(next.count() + 1, 0, kMost));
  }

  void report(std::string_view line, bool is_stderr) {
    note_line(line, result_.notes);
    total_ += line.size() + 1;
    if (total_ > kMaxOutput) {
      if (!cut_) result_.notes.emplace_back("output above 256 MiB is not shown");
      cut_ = true;
      return;
    }
    if (spec_.on_line) spec_.on_line(line, is_stderr);
  }

  void read_output(std::size_t i, bool to_end) {
    std::array<char, 64 << 10> buffer;
    do {
      if (!ends_[i]) return;
      const ssize_t n = ::read(ends_[i].get(), buffer.data(), buffer.size());
      if (n < 0 && errno == EINTR) continue;
      if (n < 0 && errno == EAGAIN) return;
      if (n <= 0) return ends_[i].reset();
      splitters_[i].feed({buffer.data(), static_cast<std::size_t>(n)},
                         [&](std::string_view line) { report(line, i == 1); });
    } while (to_end);
  }

  void read_messages() {
    while (auto message = read_message(step_.control())) {
      if (message->kind == wire::kFailed && !failure_) {
        failure_ = errno_error(message->number, message->text);
      } else if (message->kind == wire::kExited) {
        result_.exit_code = message->number;
        ended_ = true;
      } else if (message->kind == wire::kDisconnected) {
        result_.disconnected = true;
        ended_ = true;
      }
    }
  }

  void stop_if_due(Clock::time_point start) {
    const auto now = Clock::now();
    const bool too_long = spec_.timeout.count() > 0 && now - start >= spec_.timeout;
    if (!told_to_stop_ && (too_long || cancel_.cancelled())) {
      result_.timed_out = too_long && !cancel_.cancelled();
      told_to_stop_ = true;
      told_at_ = now;
      step_.terminate();
    }
    if (told_to_stop_ && now - told_at_ >= spec_.grace) step_.kill();
  }

  Result<RunResult> result() {
    if (cancel_.cancelled()) return error(Errc::interrupted, "the step was interrupted");
    if (failure_) return *failure_;
    if (!ended_ && !result_.timed_out) {
      return error(Errc::io, "the init of the step ended with status {} and said nothing", init_status_);
    }
    if (!ended_) result_.exit_code = init_status_;
    return result_;
  }

  const RunSpec& spec_;
  const Cancel& cancel_;
  Step& step_;
  std::array<Fd, 2> ends_;
  std::array<LineSplitter, 2> splitters_;
  RunResult result_;
  std::optional<Error> failure_;
  std::uint64_t total_ = 0;
  int init_status_ = 0;
  bool told_to_stop_ = false, ended_ = false, cut_ = false, control_open_ = true;
  Clock::time_point told_at_;
};

}  // namespace

Result<RunResult> run(const RunSpec& spec, const Cancel& cancel) {
  TRY(cancel.check());
  const std::string description = TRY(prepare(spec, false).context("preparing the sandbox"));
  Pipe out = TRY(make_pipe());
  Pipe err = TRY(make_pipe());
  const Fd null(::open("/dev/null", O_RDWR | O_CLOEXEC));
  if (!null) return sys_error("open /dev/null");
  Step step =
      TRY(Step::start(description, {null.get(), out.write.get(), err.write.get()}, spec.network == Network::none));
  out.write.reset();
  err.write.reset();
  return Watch(spec, cancel, step, out, err).to_end();
}

}  // namespace kiln::sandbox
