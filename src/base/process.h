// Ordinary helper programs on the host (mmdebstrap, gpgv): started with a clean environment, killed with their owner,
// waited for by pidfd. Steps run in the sandbox room, not here.
#pragma once

#include <functional>
#include <map>

#include "base/cancel.h"

namespace kiln {

struct ProcessSpec {
  std::vector<std::string> argv;  // argv[0] is looked up in PATH of env when it has no slash
  std::map<std::string, std::string> env;
  fs::path cwd = "/";
  int stdin_fd = -1;       // -1: /dev/null
  Duration grace{10'000};  // between SIGTERM and SIGKILL when cancelled
  Duration timeout{0};     // 0: none
};

struct ProcessResult {
  int exit_code = 0;  // 128 + signal when killed
  bool timed_out = false;
};

using OutputLine = std::function<void(std::string_view line, bool is_stderr)>;

/// Runs a program in its own process group and reports its output line by line (lines are cut at 64 KiB). Cancelled:
/// SIGTERM, grace, SIGKILL, and Errc::interrupted. A program that cannot start is Errc::not_found or denied with the
/// reason. The calling thread must live until this returns: the child dies with it.
Result<ProcessResult> run_process(const ProcessSpec& spec, const Cancel& cancel, const OutputLine& on_line);

/// Splits a stream into lines; keeps what is not yet a line. CR before LF is dropped; a lone CR ends a line (progress
/// bars).
class LineSplitter {
 public:
  static constexpr std::size_t kMaxLine = 64 << 10;
  template <class F>
  void feed(std::string_view text, F&& on_line) {
    for (const char c : text) {
      if (c == '\n' && after_cr_) {
        after_cr_ = false;
        continue;
      }
      after_cr_ = c == '\r';
      if (c == '\n' || c == '\r' || rest_.size() >= kMaxLine) {
        on_line(std::string_view(rest_));
        rest_.clear();
        if (c == '\n' || c == '\r') continue;
      }
      rest_ += c;
    }
  }
  template <class F>
  void finish(F&& on_line) {
    if (!rest_.empty()) on_line(std::string_view(rest_));
    rest_.clear();
  }

 private:
  std::string rest_;
  bool after_cr_ = false;
};

}  // namespace kiln
