#include "base/text.h"
#include "template/functions_support.h"
#include "template/moment.h"
#include "template/template.h"

namespace kiln::tmpl {

namespace {

Moment now(const FunctionContext& context) {
  return {.unix_seconds = context.world.now};
}

Result<Value> timestamp(Arguments, FunctionContext& context) {
  return text_value(rfc3339(now(context)));
}

std::string two(int n, std::size_t width) {
  return width == 1 ? std::to_string(n) : fmt::format("{:02}", n);
}

std::optional<std::string> zone_text(const Moment& m, std::size_t width) {
  if (width == 1) return m.offset_seconds == 0 ? "Z" : offset_text(m, true);
  if (width == 3) return m.offset_seconds == 0 ? "UTC" : offset_text(m, false);
  if (width == 4 || width == 5) return offset_text(m, width == 5);
  return std::nullopt;
}

/// One verb of formatdate, a letter repeated: nothing when there is no such verb.
std::optional<std::string> verb_text(char letter, std::size_t n, const Moment& m) {
  const Civil c = civil(m);
  switch (letter) {
    case 'Y':
      if (n == 4) return fmt::format("{:04}", c.year);
      return n == 2 ? std::optional(two(static_cast<int>(c.year % 100), 2)) : std::nullopt;
    case 'M':
      if (n > 4) return std::nullopt;
      return n <= 2 ? two(c.month, n) : std::string(month_name(c.month)).substr(0, n == 3 ? 3 : std::string::npos);
    case 'D':
      return n <= 2 ? std::optional(two(c.day, n)) : std::nullopt;
    case 'E':
      if (n != 3 && n != 4) return std::nullopt;
      return std::string(weekday_name(c.weekday)).substr(0, n == 3 ? 3 : std::string::npos);
    case 'h':
      return n <= 2 ? std::optional(two(c.hour, n)) : std::nullopt;
    case 'H':
      return n <= 2 ? std::optional(two(c.hour % 12 == 0 ? 12 : c.hour % 12, n)) : std::nullopt;
    case 'A':
    case 'a':
      if (n != 2) return std::nullopt;
      return c.hour < 12 ? (letter == 'A' ? "AM" : "am") : (letter == 'A' ? "PM" : "pm");
    case 'm':
      return n <= 2 ? std::optional(two(c.minute, n)) : std::nullopt;
    case 's':
      return n <= 2 ? std::optional(two(c.second, n)) : std::nullopt;
    case 'Z':
      return zone_text(m, n);
    default:
      return std::nullopt;
  }
}

/// A quoted literal at the front ("'at'", '' inside is a quote; '' alone is one too); nothing when it does not end.
std::optional<std::string> take_literal(std::string_view& s) {
  if (s.starts_with("''")) {
    s.remove_prefix(2);
    return "'";
  }
  std::string out;
  for (std::size_t i = 1; i < s.size(); ++i) {
    if (s[i] != '\'') {
      out += s[i];
    } else if (s.substr(i + 1).starts_with('\'')) {
      out += s[i++];
    } else {
      s.remove_prefix(i + 1);
      return out;
    }
  }
  return std::nullopt;
}

Result<Value> formatdate(Arguments a, FunctionContext& context) {
  const auto moment = parse_moment(a[1].text());
  if (!moment) return context.bad_argument(1, "{}", moment.error().text());
  std::string out;
  for (std::string_view s = a[0].text(); !s.empty();) {
    if (s[0] == '\'') {
      const auto literal = take_literal(s);
      if (!literal) return context.bad_argument(0, "unterminated literal '");
      out += *literal;
    } else if (is_ascii_letter(s[0])) {
      const std::size_t n = std::min(s.find_first_not_of(s[0]), s.size());
      const auto text = verb_text(s[0], n, *moment);
      if (!text)
        return context.bad_argument(0, "invalid date format verb \"{}\"; put text between single quotes",
                                    s.substr(0, n));
      out += *text;
      s.remove_prefix(n);
    } else {
      out += s[0];
      s.remove_prefix(1);
    }
  }
  return text_value(out);
}

Result<Value> timeadd(Arguments a, FunctionContext& context) {
  const auto parsed = parse_moment(a[0].text());
  if (!parsed) return context.bad_argument(0, "{}", parsed.error().text());
  const auto ns = parse_duration_ns(a[1].text());
  if (!ns) return context.bad_argument(1, "invalid duration \"{}\"; use units as in 1h30m", a[1].text());
  constexpr std::int64_t kSecond = 1'000'000'000;
  Moment m = *parsed;
  m.unix_seconds += *ns / kSecond;
  m.nanoseconds += *ns % kSecond;
  if (m.nanoseconds < 0) --m.unix_seconds;
  if (m.nanoseconds >= kSecond) ++m.unix_seconds;
  return text_value(rfc3339(m));
}

Result<Value> legacy_isotime(Arguments a, FunctionContext& context) {
  if (a.size() > 1) return error(Errc::bad_template, "too many values, 1 needed");
  return text_value(a.empty() ? rfc3339(now(context)) : go_layout(now(context), a[0].text()));
}

/// The Go layout of a strftime directive; nothing for others, which stay as they are.
std::string_view strftime_layout(char directive) {
  switch (directive) {
    case 'A':
      return "Monday";
    case 'a':
      return "Mon";
    case 'B':
      return "January";
    case 'b':
      return "Jan";
    case 'd':
      return "02";
    case 'H':
      return "15";
    case 'I':
      return "03";
    case 'L':
      return ".000";
    case 'M':
      return "04";
    case 'm':
      return "01";
    case 'p':
      return "PM";
    case 'S':
      return "05";
    case 'Y':
      return "2006";
    case 'y':
      return "06";
    case 'Z':
      return "MST";
    case 'z':
      return "-0700";
    default:
      return {};
  }
}

Result<Value> legacy_strftime(Arguments a, FunctionContext& context) {
  if (a.size() > 1) return error(Errc::bad_template, "too many values, 1 needed");
  if (a.empty()) return text_value(rfc3339(now(context)));
  std::string out;
  const std::string& format = a[0].text();
  for (std::size_t i = 0; i < format.size(); ++i) {
    if (format[i] != '%' || i + 1 == format.size()) {
      out += format[i];
      continue;
    }
    const char directive = format[++i];
    const std::string_view layout = strftime_layout(directive);
    if (directive == '%') {
      out += '%';
    } else if (layout.empty()) {
      out += {'%', directive};
    } else {
      out += go_layout(now(context), layout);
    }
  }
  return text_value(out);
}

Value::Entries parts_of(const Moment& m) {
  const Civil c = civil(m);
  const auto n = [](std::int64_t v) { return Value::number(v); };
  return {{"year", n(c.year)},
          {"year_day", n(c.year_day)},
          {"day", n(c.day)},
          {"month", n(c.month)},
          {"month_name", Value::string(month_name(c.month))},
          {"weekday", n(c.weekday)},
          {"weekday_name", Value::string(weekday_name(c.weekday))},
          {"hour", n(c.hour)},
          {"minute", n(c.minute)},
          {"second", n(c.second)},
          {"iso_year", n(c.iso_year)},
          {"iso_week", n(c.iso_week)}};
}

Result<Value> rfc3339_parse(Arguments a, FunctionContext& context) {
  const auto m = parse_moment(a[0].text(), true);
  if (!m) return context.bad_argument(0, "\"{}\" is not a valid RFC3339 timestamp", a[0].text());
  Value::Entries parts = parts_of(*m);
  parts["unix"] = Value::number((*m).unix_seconds);
  return Value::object(std::move(parts));
}

Result<Value> unix_timestamp_parse(Arguments a, FunctionContext& context) {
  constexpr std::int64_t kMost = std::int64_t{1} << 50;  // 35 million years
  const std::int64_t seconds = TRY(whole_number(a, 0, context));
  if (seconds > kMost || seconds < -kMost) return context.bad_argument(0, "the time is too far away");
  const Moment m{.unix_seconds = seconds};
  Value::Entries parts = parts_of(m);
  parts["rfc3339"] = Value::string(rfc3339(m));
  return Value::object(std::move(parts));
}

Type parts_type(std::string extra, Type type) {
  std::map<std::string, Type> attributes = {{std::move(extra), std::move(type)}};
  for (const auto& [name, v] : parts_of({})) attributes[name] = v.type();
  return Type::object(std::move(attributes));
}

}  // namespace

void add_date_functions(FunctionTable& t) {
  const auto optional_format = [](auto call) {
    return Function{.rest = text_parameter("format"), .result = Type::string(), .call = call};
  };
  t["timestamp"] = {.result = Type::string(), .call = timestamp};
  t["formatdate"] = {
      .parameters = {text_parameter("format"), text_parameter("time")}, .result = Type::string(), .call = formatdate};
  t["timeadd"] = {.parameters = {text_parameter("timestamp"), text_parameter("duration")},
                  .result = Type::string(),
                  .call = timeadd};
  t["legacy_isotime"] = optional_format(legacy_isotime);
  t["legacy_strftime"] = optional_format(legacy_strftime);
  t["rfc3339_parse"] = {
      .parameters = {text_parameter("timestamp")}, .result = parts_type("unix", Type::number()), .call = rfc3339_parse};
  t["unix_timestamp_parse"] = {.parameters = {number_parameter("unix_timestamp")},
                               .result = parts_type("rfc3339", Type::string()),
                               .call = unix_timestamp_parse};
}

}  // namespace kiln::tmpl
