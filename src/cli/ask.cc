#include "cli/ask.h"

#include <poll.h>
#include <unistd.h>

#include <array>
#include <mutex>

#include "base/text.h"

namespace kiln::cli {

namespace {

/// A line, of which nothing is left for the next question; nothing at the end of the input, or when the build is being
/// stopped.
std::optional<std::string> read_answer(int in, const Cancel& cancel) {
  std::array<pollfd, 2> fds = {pollfd{in, POLLIN, 0}, pollfd{cancel.fd(), POLLIN, 0}};
  for (std::string line;;) {
    while (::poll(fds.data(), fds.size(), -1) < 0 && errno == EINTR) {
    }
    char c = 0;
    if (cancel.cancelled() || ::read(in, &c, 1) != 1) return std::nullopt;
    if (c == '\n') return line;
    line += c;
  }
}

}  // namespace

std::function<engine::OnError(const plan::Step&, const Error&)> ask_on_terminal(int in, int out,
                                                                                const event::SecretMask& mask,
                                                                                const Cancel& cancel) {
  auto turn = std::make_shared<std::mutex>();
  return [in, out, &mask, &cancel, turn](const plan::Step& step, const Error& failure) {
    const std::lock_guard lock(*turn);
    const std::string question =
        fmt::format("{}\n\"{}\" failed: [c] clean up and exit, [a] abort without cleanup, or [r] retry step? ",
                    visible(mask.mask(failure.text())), visible(step.label));
    for (;;) {
      (void)write_full(out, question);
      const auto answer = read_answer(in, cancel);
      if (!answer || answer->starts_with('c')) return engine::OnError::cleanup;
      if (answer->starts_with('a')) return engine::OnError::abort;
      if (answer->starts_with('r')) return engine::OnError::retry;
    }
  };
}

}  // namespace kiln::cli
