// Readers of the stream of events: what a person sees on a terminal or in a log, what a script parses, and the event
// log itself. The only door of this room; none of them ever fails a build: output that cannot be written is dropped.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "event/event.h"

namespace kiln::report {

/// How a run is shown.
enum class Style : std::uint8_t {
  live,     // a terminal: running steps below, what is done above
  plain,    // lines as Packer prints them
  machine,  // lines as Packer's -machine-readable prints them
};

struct Options {
  bool colour = true;
  bool timestamps = false;  // -timestamp-ui: local time before every message (plain only)
  bool unicode = true;      // spinners and marks beyond ASCII (live only)
};

/// What the command line and the environment ask for; the environment is read by cli.
struct Wishes {
  bool machine_readable = false;  // -machine-readable
  std::optional<bool> colour;     // -color, when it was given
  bool timestamps = false;        // -timestamp-ui
  bool is_terminal = false;       // isatty of the output
  std::string term;               // TERM
  std::string no_color;           // NO_COLOR: any text but none at all says no
  std::string packer_no_color;    // PACKER_NO_COLOR: the same
  std::string locale;             // LC_ALL, else LC_CTYPE, else LANG
};

/// Live only on a terminal that is not dumb, and when no timestamps are wanted: those belong to lines.
Style style_for(const Wishes& wishes);

/// Colours where -color says so; else on a terminal, unless NO_COLOR or PACKER_NO_COLOR is set. (Packer colours pipes
/// too.) Unicode where the locale is UTF-8.
Options options_for(const Wishes& wishes);

/// A reader that writes to a descriptor (which somebody else owns, and which outlives it). Call it from one thread at a
/// time. The live view has a thread of its own that repaints up to ten times a second; after RunFinished, or when
/// destroyed, it has written everything and the cursor stands below it.
std::unique_ptr<event::EventSink> make_report(Style style, int fd, const Options& options);

/// Writes each event as a line of JSON (docs/events.md).
std::unique_ptr<event::EventSink> make_event_log(int fd);

/// Reads an event log and tells the sink every event in it. An incomplete last line is left out: kiln was killed while
/// writing it. Errc::corrupt names file and line.
Result<> replay(const fs::path& log, event::EventSink& sink);

}  // namespace kiln::report
