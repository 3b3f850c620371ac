// What Packer would say: turns events into the messages of Packer's user interface, for every reader that shows them.
// Wording and order: packer 1.16, checked against 1.6.6. Private to the report room.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "event/event.h"

namespace kiln::report {

/// One message. Its text may have several lines, is free of other control characters and does not end in a newline.
struct Saying {
  enum class Kind : std::uint8_t {
    say,
    error,
    machine,  // only for -machine-readable
  };
  Kind kind = Kind::say;
  std::optional<std::size_t> build;  // index of the build that says it; nothing: the run as a whole
  std::string text;
  std::string target, type;       // machine
  std::vector<std::string> data;  // machine, not escaped
  bool operator==(const Saying&) const = default;
};

/// "docker.spark", "docker.spark, amazon-ebs.spark" or, when that is long, "docker.spark +2".
std::string names_in_short(const std::vector<std::string>& builds);

/// A step's line without the colours that it set: they are not of this screen, and escaped they would only be noise.
/// Other control characters stay for visible() to show.
std::string without_colours(std::string_view line);

/// "12ms", "3.2s", "1m 12s", "2h 05m".
std::string brief_duration(std::uint64_t milliseconds);

/// What became of a step, for people: "built", "cached", "skipped", "failed", "stopped".
std::string_view shown_word(event::Outcome outcome);

class Voice {
 public:
  std::vector<Saying> on(const event::Event& event);

 private:
  using Sayings = std::vector<Saying>;
  void hear(const event::RunStarted& fact, Sayings& out);
  void hear(const event::StepStarted& fact, Sayings& out);
  void hear(const event::StepLine& fact, Sayings& out);
  void hear(const event::StepProgress& fact, Sayings& out);
  void hear(const event::StepFinished& fact, Sayings& out);
  void hear(const event::Warning& fact, Sayings& out);
  void hear(const event::BuildMessage& fact, Sayings& out);
  void hear(const event::BuildFinished& fact, Sayings& out);
  void hear(const event::RunFinished& fact, Sayings& out);

  struct Speaker {
    std::string name;                  // "" for the run
    std::optional<std::size_t> build;  // whose colour
  };
  Speaker speaker_of(event::StepId id) const;
  bool is_packers(const event::StepInfo& step) const;
  Speaker speaker_of(const std::string& build) const;
  std::string nothing_to_do(const std::string& build) const;
  void say_artifacts(const event::BuildFinished& build, Sayings& out) const;

  event::RunStarted run_;
  std::map<event::StepId, event::Outcome> outcomes_;
  std::map<event::StepId, std::string> progress_;  // what a step said last that it was doing
  std::vector<event::BuildFinished> finished_;
};

}  // namespace kiln::report
