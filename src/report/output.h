// A descriptor that text is written to for as long as somebody reads it. Private to the report room.
#pragma once

#include <string_view>

namespace kiln::report {

/// Writes until the first error (EPIPE, ENOSPC ...), then does nothing. A closed pipe raises no SIGPIPE, whatever the
/// process does with that signal. Use from one thread at a time.
class Output {
 public:
  /// fd belongs to somebody else.
  explicit Output(int fd) : fd_(fd) {}
  void write(std::string_view text);
  bool broken() const { return broken_; }
  int fd() const { return fd_; }

 private:
  int fd_;
  bool broken_ = false;
};

}  // namespace kiln::report
