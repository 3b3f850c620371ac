// Clocks and their text. Intervals and deadlines use the monotonic clock; wall time is only for display and for
// checking signatures. Output times come from SOURCE_DATE_EPOCH, never from here.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "base/error.h"

namespace kiln {

using Clock = std::chrono::steady_clock;
using Duration = std::chrono::milliseconds;

/// Milliseconds since an earlier moment.
std::uint64_t ms_since(Clock::time_point start);

/// Seconds since 1970 by the wall clock.
std::int64_t unix_now();

/// "2026-11-22T20:36:00Z".
std::string rfc3339(std::int64_t unix_seconds);

/// Reads RFC 3339 ("2023-06-10T00:00:00Z", fractions and offsets accepted).
Result<std::int64_t> parse_rfc3339(std::string_view text);

/// Go's duration text: "300ms", "1h15m30s", "1.5s".
Result<Duration> parse_go_duration(std::string_view text);

}  // namespace kiln
