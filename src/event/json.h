// Events as lines of JSON and back: the event log. The format is docs/events.md.
#pragma once

#include <string>
#include <string_view>

#include "event/event.h"

namespace kiln::event {

/// One line without its newline. Bytes that are not UTF-8 become U+FFFD, so only text that is UTF-8 comes back equal.
std::string render_event(const Event& event);

/// Reads what render_event wrote. Every field must be there with its type; names that are not known are passed over,
/// so that a log of a later kiln can be read. Errc::corrupt names the fact and the field.
Result<Event> parse_event(std::string_view line);

/// The word for an outcome, in logs and on the screen: "built", "cached", "skipped", "failed", "interrupted".
std::string_view word_of(Outcome outcome);

}  // namespace kiln::event
