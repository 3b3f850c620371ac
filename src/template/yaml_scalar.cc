#include "template/yaml_scalar.h"

#include <algorithm>
#include <array>
#include <optional>

#include "template/functions_support.h"
#include "template/moment.h"

namespace kiln::tmpl {

namespace {

bool all_of(std::string_view s, std::string_view set) {
  return !s.empty() && s.find_first_not_of(set) == std::string_view::npos;
}
constexpr std::string_view kDigits = "0123456789";

std::string without_underscores(std::string_view s) {
  std::string plain(s);
  std::erase(plain, '_');
  return plain;
}

/// A number in the forms that explicit !!int and !!float take.
std::optional<Value> number_value(std::string_view s) {
  const std::string plain = without_underscores(s);
  std::optional<Number> n = Number::parse(plain);
  if (!n && plain.starts_with("0x")) n = Number::parse_base(std::string_view(plain).substr(2), 16);
  if (!n && plain.starts_with("0o")) n = Number::parse_base(std::string_view(plain).substr(2), 8);
  if (!n && plain.starts_with("0b")) n = Number::parse_base(std::string_view(plain).substr(2), 2);
  return n ? std::optional(Value::number(*n)) : std::nullopt;
}

/// A number of one or two digits in a range, at the front.
std::optional<int> take_short(std::string_view& s, int least, int most) {
  std::size_t n = 0;
  while (n < 2 && n < s.size() && kDigits.find(s[n]) != std::string_view::npos) ++n;
  if (n == 0) return std::nullopt;
  const int value = n == 1 ? s[0] - '0' : (s[0] - '0') * 10 + (s[1] - '0');
  s.remove_prefix(n);
  return value < least || value > most ? std::nullopt : std::optional(value);
}

bool take(std::string_view& s, char c) {
  if (!s.starts_with(c)) return false;
  s.remove_prefix(1);
  return true;
}

/// A timestamp as YAML writes it (2001-1-2, 2001-1-2 3:4:5, 2001-1-2t3:4:5Z) as RFC 3339 text.
std::optional<std::string> timestamp_text(std::string_view s) {
  if (s.size() < 5 || !all_of(s.substr(0, 4), kDigits) || s[4] != '-') return std::nullopt;
  const std::string year(s.substr(0, 4));
  s.remove_prefix(5);
  const auto month = take_short(s, 1, 12);
  if (!month || !take(s, '-')) return std::nullopt;
  const auto day = take_short(s, 1, days_in_month(std::stoi(year), *month));
  if (!day) return std::nullopt;
  const std::string date = fmt::format("{}-{:02}-{:02}", year, *month, *day);
  if (s.empty()) return date + "T00:00:00Z";
  const bool spaced = take(s, ' ');
  if (!spaced && !take(s, 'T') && !take(s, 't')) return std::nullopt;
  const auto hour = take_short(s, 0, 23);
  if (!hour || !take(s, ':')) return std::nullopt;
  const auto minute = take_short(s, 0, 59);
  if (!minute || !take(s, ':')) return std::nullopt;
  const auto second = take_short(s, 0, 59);
  if (!second || (spaced && !s.empty() && s[0] != '.')) return std::nullopt;
  const auto moment =
      parse_moment(fmt::format("{}T{:02}:{:02}:{:02}{}{}", date, *hour, *minute, *second, s, spaced ? "Z" : ""));
  return moment ? std::optional(rfc3339(*moment)) : std::nullopt;
}

std::optional<Value> word_value(std::string_view s) {
  constexpr auto kTrue =
      std::to_array<std::string_view>({"y", "Y", "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON"});
  constexpr auto kFalse =
      std::to_array<std::string_view>({"n", "N", "no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF"});
  constexpr auto kNull = std::to_array<std::string_view>({"", "~", "null", "Null", "NULL"});
  constexpr auto kInfinity =
      std::to_array<std::string_view>({".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF", "-.inf", "-.Inf", "-.INF"});
  const auto in = [&](const auto& words) { return std::find(words.begin(), words.end(), s) != words.end(); };
  if (in(kTrue)) return Value::boolean(true);
  if (in(kFalse)) return Value::boolean(false);
  if (in(kNull)) return Value::null();
  if (in(kInfinity)) return Value::number(Number::infinity(s[0] == '-'));
  return std::nullopt;
}

}  // namespace

Result<Value> implicit_value(const std::string& s) {
  if (auto word = word_value(s)) return *word;
  if (s == ".nan" || s == ".NaN" || s == ".NAN")
    return error(Errc::bad_template, "floating point NaN is not supported");
  if (const auto time = timestamp_text(s)) return Value::string(*time);
  const bool fraction = s[0] == '.';
  if (!fraction && s[0] != '-' && s[0] != '+' && kDigits.find(s[0]) == std::string_view::npos) return Value::string(s);
  const std::string plain = fraction ? s : without_underscores(s);
  if (const auto n = Number::parse(plain)) return Value::number(*n);
  if (!plain.starts_with("0b") && !plain.starts_with("-0b")) return Value::string(s);
  const auto n = number_value(s);
  if (!n) return error(Errc::bad_template, "cannot parse \"{}\" as a number", s);
  return *n;
}

bool is_scalar_tag(std::string_view tag) {
  constexpr auto kTags =
      std::to_array<std::string_view>({"str", "bool", "int", "float", "null", "timestamp", "binary"});
  return std::find(kTags.begin(), kTags.end(), tag) != kTags.end();
}

Result<Value> tagged_value(std::string_view tag, const std::string& s) {
  const auto bad = [&] { return error(Errc::bad_template, "cannot parse \"{}\" as !!{}", s, tag); };
  if (tag == "str") return Value::string(s);
  if (tag == "null") return Value::null();
  if (tag == "binary") return base64_decoded(s) ? Result<Value>(Value::string(s)) : bad();
  const auto word = word_value(s);
  if (tag == "bool") return word && (*word).is(Kind::boolean) ? Result<Value>(*word) : bad();
  if (tag == "timestamp") {
    const auto time = timestamp_text(s);
    return time ? Result<Value>(Value::string(*time)) : bad();
  }
  if (word && (*word).is(Kind::number)) return *word;
  const auto n = number_value(s);
  return n ? Result<Value>(*n) : bad();
}

}  // namespace kiln::tmpl
