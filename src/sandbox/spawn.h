// Starting kiln-init in namespaces of its own, and talking to it. Private to the room.
#pragma once

#include <sys/types.h>

#include <optional>

#include "base/fd.h"

namespace kiln::sandbox {

/// The ELF bytes of kiln-init.
std::string_view init_program();

/// What the init's standard descriptors are; they stay the caller's.
struct Stdio {
  int in = -1, out = -1, err = -1;
};

/// A running step. Destroyed: killed and reaped, with everything in its PID namespace.
class Step {
 public:
  /// description: what encode() made. new_network: an own, empty network.
  static Result<Step> start(std::string_view description, const Stdio& stdio, bool new_network);
  Step(Step&& other) noexcept
      : pid_(std::exchange(other.pid_, -1)), pidfd_(std::move(other.pidfd_)), control_(std::move(other.control_)) {}
  Step& operator=(Step&&) = delete;
  ~Step();

  int pidfd() const { return pidfd_.get(); }
  int control() const { return control_.get(); }
  /// SIGTERM to the main process and its group.
  void terminate() const;
  void kill() const;
  /// Waits until every process of the step is dead; 128 + signal when the init was killed.
  int wait();

 private:
  Step(pid_t pid, Fd pidfd, Fd control) : pid_(pid), pidfd_(std::move(pidfd)), control_(std::move(control)) {}
  pid_t pid_ = -1;
  Fd pidfd_, control_;
};

/// A message of the init, or nothing when none is waiting.
struct Message {
  char kind = 0;
  int number = 0;
  std::string text;
  Fd terminal;  // with wire::kTerminal
};
std::optional<Message> read_message(int control);

}  // namespace kiln::sandbox
