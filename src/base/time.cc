#include "base/time.h"

#include <charconv>
#include <cmath>
#include <ctime>

namespace kiln {

std::uint64_t ms_since(Clock::time_point start) {
  return static_cast<std::uint64_t>(std::chrono::duration_cast<Duration>(Clock::now() - start).count());
}

std::int64_t unix_now() {
  return static_cast<std::int64_t>(::time(nullptr));
}

std::string rfc3339(std::int64_t unix_seconds) {
  const std::time_t t = unix_seconds;
  std::tm tm{};
  ::gmtime_r(&t, &tm);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z", tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday, tm.tm_hour,
                     tm.tm_min, tm.tm_sec);
}

Result<std::int64_t> parse_rfc3339(std::string_view text) {
  std::tm tm{};
  int used = 0;
  const std::string copy(text);
  if (std::sscanf(copy.c_str(), "%4d-%2d-%2d%*1[Tt ]%2d:%2d:%2d%n", &tm.tm_year, &tm.tm_mon, &tm.tm_mday, &tm.tm_hour,
                  &tm.tm_min, &tm.tm_sec, &used) != 6) {
    return error(Errc::corrupt, "'{}' is not an RFC 3339 time", text.substr(0, 64));
  }
  tm.tm_year -= 1900;
  tm.tm_mon -= 1;
  std::string_view rest = text.substr(static_cast<std::size_t>(used));
  if (rest.starts_with('.')) rest.remove_prefix(std::min(rest.find_first_not_of("0123456789", 1), rest.size()));
  std::int64_t offset = 0;
  int hours = 0;
  int minutes = 0;
  if ((rest.starts_with('+') || rest.starts_with('-')) &&
      std::sscanf(std::string(rest.substr(1)).c_str(), "%2d:%2d", &hours, &minutes) == 2) {
    offset = (hours * 3600 + minutes * 60) * (rest[0] == '-' ? -1 : 1);
  } else if (rest != "Z" && rest != "z") {
    return error(Errc::corrupt, "'{}' has no time zone", text.substr(0, 64));
  }
  return static_cast<std::int64_t>(::timegm(&tm)) - offset;
}

Result<Duration> parse_go_duration(std::string_view text) {
  struct Unit {
    std::string_view name;
    double ms;
  };
  constexpr Unit kUnits[] = {{"ns", 1e-6}, {"us", 1e-3}, {"ms", 1}, {"s", 1e3}, {"m", 6e4}, {"h", 3.6e6}};
  const std::string_view all = text;
  const auto bad = [&] { return error(Errc::usage, "'{}' is not a duration such as \"30s\" or \"1h15m\"", all); };
  if (text == "0") return Duration(0);
  if (text.empty()) return bad();
  double total = 0;
  while (!text.empty()) {
    double number = 0;
    const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), number, std::chars_format::fixed);
    if (ec != std::errc() || number < 0) return bad();
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
    const std::string_view unit = text.substr(0, text.find_first_of("0123456789."));
    const Unit* found = nullptr;
    for (const Unit& u : kUnits) found = u.name == unit ? &u : found;
    if (found == nullptr) return bad();
    total += number * found->ms;
    text.remove_prefix(unit.size());
  }
  if (total > 1e15) return bad();
  return Duration(std::llround(total));
}

}  // namespace kiln
