#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include <array>

#include "sandbox/init/wire.h"
#include "sandbox/prepare.h"
#include "sandbox/spawn.h"

namespace kiln::sandbox {

namespace {

/// The caller's terminal in raw mode, for as long as this lives.
class RawTerminal {
 public:
  explicit RawTerminal(int fd) : fd_(fd) {
    if (::tcgetattr(fd, &before_) != 0) return;
    termios raw = before_;
    ::cfmakeraw(&raw);
    changed_ = ::tcsetattr(fd, TCSANOW, &raw) == 0;
  }
  RawTerminal(const RawTerminal&) = delete;
  RawTerminal& operator=(const RawTerminal&) = delete;
  ~RawTerminal() {
    if (changed_) (void)::tcsetattr(fd_, TCSANOW, &before_);
  }

 private:
  int fd_;
  termios before_{};
  bool changed_ = false;
};

class Session {
 public:
  Session(Step& step, const Cancel& cancel, bool terminal) : step_(step), cancel_(cancel), terminal_(terminal) {}

  Result<int> to_end() {
    for (;;) {
      std::array<pollfd, 5> fds = {
          pollfd{step_.pidfd(), POLLIN, 0}, pollfd{control_open_ ? step_.control() : -1, POLLIN, 0},
          pollfd{told_ ? -1 : cancel_.fd(), POLLIN, 0}, pollfd{input_open_ && master_ ? STDIN_FILENO : -1, POLLIN, 0},
          pollfd{master_.get(), POLLIN, 0}};
      constexpr int kResizeMs = 250;  // the window's size is asked for, so that no signal handler is needed
      (void)::poll(fds.data(), fds.size(), terminal_ ? kResizeMs : -1);
      if (fds[1].revents != 0) read_messages();
      if ((fds[1].revents & POLLHUP) != 0) control_open_ = false;
      if (fds[2].revents != 0) stop();
      if (fds[3].revents != 0) input_open_ = relay(STDIN_FILENO, master_.get()) != Relayed::end;
      if (fds[4].revents != 0 && relay(master_.get(), STDOUT_FILENO) == Relayed::end) master_.reset();
      follow_size();
      if (fds[0].revents != 0) break;
    }
    const int status = step_.wait();
    read_messages();
    while (master_ && relay(master_.get(), STDOUT_FILENO) == Relayed::some) {
    }
    if (failure_) return *failure_;
    return ended_ ? exit_code_ : status;
  }

 private:
  void stop() {
    told_ = true;
    step_.kill();
  }

  void read_messages() {
    while (auto message = read_message(step_.control())) {
      if (message->kind == wire::kFailed && !failure_) failure_ = errno_error(message->number, message->text);
      if (message->kind == wire::kExited || message->kind == wire::kDisconnected) {
        exit_code_ = message->number;
        ended_ = true;
      }
      if (message->kind == wire::kTerminal) {
        master_ = std::move(message->terminal);
        (void)::fcntl(master_.get(), F_SETFL, O_NONBLOCK);
      }
    }
  }

  enum class Relayed : std::uint8_t { some, nothing, end };
  static Relayed relay(int from, int to) {
    std::array<char, 16 << 10> buffer;
    const ssize_t n = ::read(from, buffer.data(), buffer.size());
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) return Relayed::nothing;
    if (n <= 0) return Relayed::end;
    std::string_view rest(buffer.data(), static_cast<std::size_t>(n));
    while (!rest.empty()) {
      const ssize_t written = ::write(to, rest.data(), rest.size());
      if (written < 0 && errno == EAGAIN) {
        pollfd ready{to, POLLOUT, 0};
        (void)::poll(&ready, 1, 1000);
      } else if (written < 0 && errno != EINTR) {
        return Relayed::end;
      }
      if (written > 0) rest.remove_prefix(static_cast<std::size_t>(written));
    }
    return Relayed::some;
  }

  void follow_size() {
    winsize now{};
    if (!master_ || ::ioctl(STDIN_FILENO, TIOCGWINSZ, &now) != 0) return;
    if (now.ws_row == size_.ws_row && now.ws_col == size_.ws_col) return;
    size_ = now;
    (void)::ioctl(master_.get(), TIOCSWINSZ, &now);
  }

  Step& step_;
  const Cancel& cancel_;
  bool terminal_;
  Fd master_;
  winsize size_{};
  std::optional<Error> failure_;
  int exit_code_ = 0;
  bool ended_ = false, told_ = false, input_open_ = true, control_open_ = true;
};

}  // namespace

Result<int> shell(const RunSpec& spec, const Cancel& cancel) {
  TRY(cancel.check());
  const bool terminal = ::isatty(STDIN_FILENO) == 1 && ::isatty(STDOUT_FILENO) == 1;
  const std::string description = TRY(prepare(spec, terminal).context("preparing the sandbox"));
  const Fd null(::open("/dev/null", O_RDWR | O_CLOEXEC));
  if (!null) return sys_error("open /dev/null");
  const Stdio stdio = terminal ? Stdio{null.get(), null.get(), null.get()} : Stdio{0, 1, 2};
  Step step = TRY(Step::start(description, stdio, spec.network == Network::none));
  std::optional<RawTerminal> raw;
  if (terminal) raw.emplace(STDIN_FILENO);
  return Session(step, cancel, terminal).to_end();
}

}  // namespace kiln::sandbox
