#include "cli/ask.h"

#include <poll.h>
#include <unistd.h>

#include <array>
#include <mutex>

#include "base/text.h"

namespace kiln::cli {

namespace {

/// A character; nothing at the end of the input, or when the build is being stopped.
std::optional<char> read_char(int in, const Cancel& cancel) {
  std::array<pollfd, 2> fds = {pollfd{in, POLLIN, 0}, pollfd{cancel.fd(), POLLIN, 0}};
  while (::poll(fds.data(), fds.size(), -1) < 0 && errno == EINTR) {
  }
  char c = 0;
  if (cancel.cancelled() || ::read(in, &c, 1) != 1) return std::nullopt;
  return c;
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
    bool asked = false;
    for (;;) {
      if (!asked) (void)write_full(out, question);
      asked = true;
      const auto answer = read_char(in, cancel);
      if (!answer || *answer == 'c') return engine::OnError::cleanup;
      if (*answer == 'a') return engine::OnError::abort;
      if (*answer == 'r') return engine::OnError::retry;
      if (*answer == '\n') asked = false;
    }
  };
}

}  // namespace kiln::cli
