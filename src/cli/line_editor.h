// Lines typed at a terminal, with editing and a history for the session (libedit). Not for piped input.
#pragma once

#include <memory>
#include <optional>
#include <string>

namespace kiln::cli {

class LineEditor {
 public:
  explicit LineEditor(const char* prompt);
  LineEditor(const LineEditor&) = delete;
  LineEditor& operator=(const LineEditor&) = delete;
  ~LineEditor();
  /// The next line without its end; nothing at the end of input (^D) or after ^C.
  std::optional<std::string> read();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace kiln::cli
