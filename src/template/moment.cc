#include "template/moment.h"

#include <fmt/format.h>

#include <array>
#include <utility>

namespace kiln::tmpl {

namespace {

constexpr std::int64_t kDay = 86'400;

bool is_leap(std::int64_t year) {
  return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

std::int64_t floor_div(std::int64_t a, std::int64_t b) {
  return a / b - (a % b < 0 ? 1 : 0);
}

/// Reads n digits at a place; nothing where they are no digits or out of range.
std::optional<int> digits(std::string_view s, std::size_t at, std::size_t n, int least, int most) {
  if (at + n > s.size()) return std::nullopt;
  int value = 0;
  for (const char c : s.substr(at, n)) {
    if (c < '0' || c > '9') return std::nullopt;
    value = value * 10 + (c - '0');
  }
  return value < least || value > most ? std::nullopt : std::optional(value);
}

Error bad(std::string_view why) {
  return error(Errc::bad_template, "not a valid RFC3339 timestamp: {}", why);
}

}  // namespace

int days_in_month(std::int64_t year, int month) {
  constexpr std::array<int, 12> kDays = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  return month == 2 && is_leap(year) ? 29 : kDays[static_cast<std::size_t>(month - 1)];
}

// Years begin in March here, so that the leap day is the last of a year; 400 years have 146,097 days.
std::int64_t days_from_civil(std::int64_t year, int month, int day) {
  const std::int64_t y = month <= 2 ? year - 1 : year;
  const std::int64_t era = floor_div(y, 400);
  const std::int64_t year_of_era = y - era * 400;
  const std::int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
  return era * 146'097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719'468;
}

Civil civil(const Moment& moment) {
  const std::int64_t local = moment.unix_seconds + moment.offset_seconds;
  const std::int64_t days = floor_div(local, kDay);
  const auto second = static_cast<int>(local - days * kDay);
  Civil c;
  c.hour = second / 3600;
  c.minute = second / 60 % 60;
  c.second = second % 60;
  c.weekday = static_cast<int>(((days + 4) % 7 + 7) % 7);
  const std::int64_t shifted = days + 719'468;
  const std::int64_t era = floor_div(shifted, 146'097);
  const std::int64_t day_of_era = shifted - era * 146'097;
  const std::int64_t year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36'524 - day_of_era / 146'096) / 365;
  const std::int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  const std::int64_t month = (5 * day_of_year + 2) / 153;
  c.day = static_cast<int>(day_of_year - (153 * month + 2) / 5 + 1);
  c.month = static_cast<int>(month < 10 ? month + 3 : month - 9);
  c.year = year_of_era + era * 400 + (c.month <= 2 ? 1 : 0);
  c.year_day = static_cast<int>(days - days_from_civil(c.year, 1, 1)) + 1;
  // The ISO week is that of its Thursday.
  const std::int64_t thursday = days + 3 - (c.weekday + 6) % 7;
  c.iso_year = thursday < days_from_civil(c.year, 1, 1)        ? c.year - 1
               : thursday >= days_from_civil(c.year + 1, 1, 1) ? c.year + 1
                                                               : c.year;
  c.iso_week = static_cast<int>((thursday - days_from_civil(c.iso_year, 1, 1)) / 7) + 1;
  return c;
}

Result<Moment> parse_moment(std::string_view s, bool space_too) {
  const auto has = [&s](std::size_t at, char c) { return at < s.size() && s[at] == c; };
  const auto year = digits(s, 0, 4, 0, 9999);
  const auto month = digits(s, 5, 2, 1, 12);
  if (!year) return bad("cannot use the text as year");
  if (!has(4, '-') || !has(7, '-')) return bad("\"-\" is expected between year, month and day");
  if (!month) return bad("cannot use the text as month");
  const auto day = digits(s, 8, 2, 1, days_in_month(*year, *month));
  if (!day) return bad("cannot use the text as day of month");
  if (!has(10, 'T') && !(space_too && has(10, ' '))) return bad("missing required time introducer 'T'");
  const auto hour = digits(s, 11, 2, 0, 23);
  const auto minute = digits(s, 14, 2, 0, 59);
  const auto second = digits(s, 17, 2, 0, 59);
  if (!hour) return bad("hour must be between 00 and 23, with two digits");
  if (!has(13, ':') || !minute) return bad("minute must be between 00 and 59, with two digits, behind \":\"");
  if (!has(16, ':') || !second) return bad("second must be between 00 and 59, with two digits, behind \":\"");
  s.remove_prefix(19);
  Moment m;
  if (s.size() >= 2 && s[0] == '.' && s[1] >= '0' && s[1] <= '9') {
    std::int64_t unit = 100'000'000;
    for (s.remove_prefix(1); !s.empty() && s[0] >= '0' && s[0] <= '9'; s.remove_prefix(1)) {
      m.nanoseconds += unit * (s[0] - '0');
      unit /= 10;
    }
  }
  if (s != "Z") {
    const auto hours = digits(s, 1, 2, 0, 23);
    const auto minutes = digits(s, 4, 2, 0, 59);
    const bool shaped = s.size() == 6 && (s[0] == '+' || s[0] == '-') && s[3] == ':';
    if (!shaped || !hours || !minutes) return bad("\"Z\" or an UTC offset such as \"+02:00\" is expected at the end");
    m.offset_seconds = (*hours * 60 + *minutes) * 60 * (s[0] == '-' ? -1 : 1);
  }
  m.unix_seconds = days_from_civil(*year, *month, *day) * kDay + *hour * 3600 + *minute * 60 + *second;
  m.unix_seconds -= m.offset_seconds;
  return m;
}

std::string offset_text(const Moment& moment, bool colon) {
  const std::int64_t minutes = std::abs(moment.offset_seconds) / 60;
  return fmt::format("{}{:02}{}{:02}", moment.offset_seconds < 0 ? '-' : '+', minutes / 60, colon ? ":" : "",
                     minutes % 60);
}

std::string rfc3339(const Moment& moment) {
  const Civil c = civil(moment);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}{}", c.year, c.month, c.day, c.hour, c.minute, c.second,
                     moment.offset_seconds == 0 ? "Z" : offset_text(moment, true));
}

const char* month_name(int month) {
  constexpr std::array<const char*, 12> kNames = {"January",   "February", "March",    "April",
                                                  "May",       "June",     "July",     "August",
                                                  "September", "October",  "November", "December"};
  return kNames[static_cast<std::size_t>(month - 1)];
}

const char* weekday_name(int weekday) {
  constexpr std::array<const char*, 7> kNames = {"Sunday",   "Monday", "Tuesday", "Wednesday",
                                                 "Thursday", "Friday", "Saturday"};
  return kNames[static_cast<std::size_t>(weekday)];
}

namespace {

std::optional<std::int64_t> unit_ns(std::string_view unit) {
  constexpr std::array<std::pair<std::string_view, std::int64_t>, 8> kUnits = {{
      {"ns", 1},
      {"us", 1'000},
      {"\xC2\xB5s", 1'000},
      {"\xCE\xBCs", 1'000},
      {"ms", 1'000'000},
      {"s", 1'000'000'000},
      {"m", 60'000'000'000},
      {"h", 3'600'000'000'000},
  }};
  for (const auto& [name, ns] : kUnits) {
    if (name == unit) return ns;
  }
  return std::nullopt;
}

bool is_number_char(char c) {
  return (c >= '0' && c <= '9') || c == '.';
}

/// One number and its unit at the front of s.
std::optional<std::int64_t> take_part(std::string_view& s) {
  std::int64_t whole = 0;
  std::int64_t fraction = 0;
  std::int64_t scale = 1;
  bool digit = false;
  bool point = false;
  for (; !s.empty() && is_number_char(s[0]); s.remove_prefix(1)) {
    if (s[0] == '.') {
      if (std::exchange(point, true)) return std::nullopt;
      continue;
    }
    digit = true;
    const int value = s[0] - '0';
    if (point) {
      if (scale < 1'000'000'000'000'000) fraction = fraction * 10 + value, scale *= 10;
    } else if (__builtin_mul_overflow(whole, 10, &whole) || __builtin_add_overflow(whole, value, &whole)) {
      return std::nullopt;
    }
  }
  std::size_t end = 0;
  while (end < s.size() && !is_number_char(s[end])) ++end;
  const auto unit = unit_ns(s.substr(0, end));
  s.remove_prefix(end);
  std::int64_t ns = 0;
  if (!digit || !unit || __builtin_mul_overflow(whole, *unit, &ns)) return std::nullopt;
  const auto part = static_cast<std::int64_t>(static_cast<long double>(fraction) * static_cast<long double>(*unit) /
                                              static_cast<long double>(scale));
  if (__builtin_add_overflow(ns, part, &ns)) return std::nullopt;
  return ns;
}

}  // namespace

std::optional<std::int64_t> parse_duration_ns(std::string_view s) {
  const bool negative = s.starts_with('-');
  if (negative || s.starts_with('+')) s.remove_prefix(1);
  if (s == "0") return 0;
  if (s.empty()) return std::nullopt;
  std::int64_t total = 0;
  while (!s.empty()) {
    const auto part = take_part(s);
    if (!part || __builtin_add_overflow(total, *part, &total)) return std::nullopt;
  }
  return negative ? -total : total;
}

}  // namespace kiln::tmpl
