// What the live view knows: a value that events update. Lines that are finished scroll away upwards, what still runs
// is drawn below them (draw.h). Knows no terminal and no clock.
#pragma once

#include <deque>

#include "event/event.h"
#include "report/terminal/text.h"
#include "report/voice.h"

namespace kiln::report {

/// A step that runs.
struct RunningStep {
  event::StepId id = 0;
  std::uint64_t started_ms = 0;
  std::string why;                    // until it has said something
  std::deque<std::string> last;       // the last lines that it printed, visible; shown when it fails
  bool progressing = false;           // the newest thing it said is progress, not a line
  std::string what;                   // progress
  std::uint64_t done = 0, total = 0;  // progress: bytes; total 0: not known
};

struct RunState {
  std::uint64_t now_ms = 0;  // by any clock that only goes forward; the owner sets it
  bool unicode = true;
  std::uint64_t started_ms = 0;
  event::RunStarted run;
  std::vector<RunningStep> running;  // in the order in which they started
  std::size_t done = 0, cached = 0, failed = 0;
  bool over = false;
  std::vector<Line> scroll;  // lines to print for good, oldest first; the owner takes them away
  Voice voice;
};

void apply(RunState& state, const event::Event& event);

/// The names of a step's builds with their colour, or "all builds"; nothing when the run has only one.
Span names_of(const RunState& state, const event::StepInfo& step);

}  // namespace kiln::report
