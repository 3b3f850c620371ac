// Moments of civil time with an offset from UTC, for the date functions: RFC 3339 text, Go's layouts, durations.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"

namespace kiln::tmpl {

struct Moment {
  std::int64_t unix_seconds = 0;
  std::int64_t nanoseconds = 0;     // 0 to 999,999,999
  std::int64_t offset_seconds = 0;  // east of UTC, for display
};

/// A moment taken apart in its own offset.
struct Civil {
  std::int64_t year = 1970;
  int month = 1, day = 1;  // from 1
  int weekday = 4;         // 0 is Sunday
  int year_day = 1;        // from 1
  std::int64_t iso_year = 1970;
  int iso_week = 1;
  int hour = 0, minute = 0, second = 0;
};

Civil civil(const Moment& moment);

/// Days since 1970 of a date of the proleptic Gregorian calendar.
std::int64_t days_from_civil(std::int64_t year, int month, int day);
int days_in_month(std::int64_t year, int month);

/// Reads RFC 3339 strictly: "2006-01-02T15:04:05Z", with a fraction, with "+07:00". With space_too the T may be a
/// space.
Result<Moment> parse_moment(std::string_view text, bool space_too = false);

/// Writes RFC 3339 without a fraction.
std::string rfc3339(const Moment& moment);

const char* month_name(int month);      // from 1
const char* weekday_name(int weekday);  // 0 is Sunday

/// "+0700", or "+07:00" with a colon.
std::string offset_text(const Moment& moment, bool colon);

/// Writes a moment as Go's time.Format does: "Mon Jan _2 15:04:05 2006".
std::string go_layout(const Moment& moment, std::string_view layout);

/// Reads Go's duration text ("1h15m30.5s", "-10ms") as nanoseconds; nothing when it is none or does not fit.
std::optional<std::int64_t> parse_duration_ns(std::string_view text);

}  // namespace kiln::tmpl
