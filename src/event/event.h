// The stream of facts that a run produces. Everything a person or a program sees of a build is a reader of this stream
// (practice 12 of the style guide): facts in the past tense, never instructions about colours.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/error.h"
#include "base/time.h"

namespace kiln::event {

using StepId = std::uint32_t;  // dense, from 0: the index into RunStarted::steps

/// One line of the list that opens a run, so that no reader needs the plan.
struct StepInfo {
  StepId id = 0;
  std::string kind;   // base, run, copy, host, pack, publish, post-process
  std::string label;  // "shell: scripts/10-java.sh"
  std::vector<StepId> parents;
  std::vector<std::string> builds;  // names of the builds that need it
  bool operator==(const StepInfo&) const = default;
};

struct BuildInfo {
  std::string name;  // "docker.spark" or "build.docker.spark"
  std::string type;  // "docker"
  bool operator==(const BuildInfo&) const = default;
};

enum class Outcome : std::uint8_t { built, cached, skipped, failed, interrupted };

struct RunStarted {
  std::string kiln_version, run_id, template_path;
  std::vector<BuildInfo> builds;
  std::vector<StepInfo> steps;
  bool operator==(const RunStarted&) const = default;
};
struct StepStarted {
  StepId id;
  std::string why;  // why it runs: "script 10-java.sh changed", "no layer in the store"
  bool operator==(const StepStarted&) const = default;
};
/// A whole line that a step printed; control characters are still in it, secrets are not.
struct StepLine {
  StepId id;
  std::string text;
  bool is_stderr = false;
  bool operator==(const StepLine&) const = default;
};
struct StepProgress {
  StepId id;
  std::string what;                   // "downloading", "compressing layer 3"
  std::uint64_t done = 0, total = 0;  // bytes; total 0: not known
  bool operator==(const StepProgress&) const = default;
};
struct StepFinished {
  StepId id;
  Outcome outcome;
  std::uint64_t milliseconds = 0;
  std::string layer;  // diff_id of the layer it made, if any
  std::string error;  // text when failed
  bool operator==(const StepFinished&) const = default;
};
/// Something a person should know that is not an error; of a step, a build, or the whole run.
struct Warning {
  std::optional<StepId> step;
  std::string build;
  std::string text;
  bool operator==(const Warning&) const = default;
};
/// A line of a build as a whole in Packer's sense ("==> docker.spark: ...").
struct BuildMessage {
  std::string build, text;
  bool is_error = false;
  bool operator==(const BuildMessage&) const = default;
};
struct Artifact {
  std::string builder_id, id, text;  // as packer.md section 4.6
  std::vector<std::string> files;
  bool operator==(const Artifact&) const = default;
};
struct BuildFinished {
  std::string build;
  Outcome outcome;  // built: something was made; cached: nothing had to be
  std::uint64_t milliseconds = 0;
  std::vector<Artifact> artifacts;
  std::string error;
  bool operator==(const BuildFinished&) const = default;
};
struct RunFinished {
  Outcome outcome;
  std::uint64_t milliseconds = 0;
  std::string failure;  // usage, template, step, verification, environment, network, leftovers, internal; empty when
                        // all is well
  bool operator==(const RunFinished&) const = default;
};

using Fact = std::variant<RunStarted, StepStarted, StepLine, StepProgress, StepFinished, Warning, BuildMessage,
                          BuildFinished, RunFinished>;

struct Event {
  std::int64_t at_ms = 0;  // wall clock, milliseconds since 1970
  Fact what;
  bool operator==(const Event&) const = default;
};

/// A reader of the stream. Called from one thread at a time.
class EventSink {
 public:
  virtual ~EventSink() = default;
  virtual void on(const Event& event) noexcept = 0;
};

}  // namespace kiln::event
