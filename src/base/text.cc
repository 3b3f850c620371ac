#include "base/text.h"

#include <fmt/core.h>

#include <algorithm>
#include <numeric>

namespace kiln {

namespace {

/// Length of the well-formed UTF-8 sequence at the start of s, or 0.
std::size_t utf8_length(std::string_view s) {
  const auto at = [&](std::size_t i) { return i < s.size() ? static_cast<unsigned char>(s[i]) : 0U; };
  const auto tail = [&](std::size_t i) { return (at(i) & 0xC0U) == 0x80U; };
  const unsigned a = at(0);
  if (a < 0x80) return s.empty() ? 0 : 1;
  if (a >= 0xC2 && a <= 0xDF) return tail(1) ? 2 : 0;
  if (a >= 0xE0 && a <= 0xEF) {
    const bool second = (a == 0xE0 ? at(1) >= 0xA0 : true) && (a == 0xED ? at(1) <= 0x9F : true);
    return second && tail(1) && tail(2) ? 3 : 0;
  }
  if (a >= 0xF0 && a <= 0xF4) {
    const bool second = (a == 0xF0 ? at(1) >= 0x90 : true) && (a == 0xF4 ? at(1) <= 0x8F : true);
    return second && tail(1) && tail(2) && tail(3) ? 4 : 0;
  }
  return 0;
}

std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t next = std::min({row[j] + 1, row[j - 1] + 1, diagonal + (a[i - 1] == b[j - 1] ? 0U : 1U)});
      diagonal = row[j];
      row[j] = next;
    }
  }
  return row[b.size()];
}

}  // namespace

std::string visible(std::string_view text, bool keep_newlines) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const std::size_t n = utf8_length(text);
    const auto c = static_cast<unsigned char>(text[0]);
    const bool c1 = n == 2 && c == 0xC2 && static_cast<unsigned char>(text[1]) < 0xA0;
    const bool plain = n > 0 && !c1 && (n > 1 || (c >= 0x20 && c != 0x7F) || c == '\t' || (keep_newlines && c == '\n'));
    if (plain) {
      out += text.substr(0, n);
      text.remove_prefix(n);
    } else {
      out += fmt::format("\\x{:02x}", c);
      text.remove_prefix(1);
    }
  }
  return out;
}

std::optional<std::string> nearest(std::string_view written, const std::vector<std::string>& known) {
  std::optional<std::string> best;
  std::size_t best_distance = std::max<std::size_t>(1, written.size() / 3) + 1;
  for (const std::string& name : known) {
    const std::size_t d = distance(written, name);
    if (d < best_distance) {
      best_distance = d;
      best = name;
    }
  }
  return best;
}

std::string human_bytes(std::uint64_t bytes) {
  constexpr const char* kUnits[] = {"B", "kB", "MB", "GB", "TB"};
  auto value = static_cast<double>(bytes);
  std::size_t unit = 0;
  while (value >= 999.95 && unit + 1 < std::size(kUnits)) {
    value /= 1000;
    ++unit;
  }
  return unit == 0 ? fmt::format("{} B", bytes) : fmt::format("{:.1f} {}", value, kUnits[unit]);
}

std::string human_duration(std::uint64_t milliseconds) {
  struct Unit {
    std::uint64_t ms;
    const char* name;
  };
  constexpr Unit kUnits[] = {{604'800'000, "week"}, {86'400'000, "day"}, {3'600'000, "hour"},
                             {60'000, "minute"},    {1'000, "second"},   {1, "millisecond"}};
  std::vector<std::string> parts;
  for (const Unit& unit : kUnits) {
    const std::uint64_t n = milliseconds / unit.ms;
    milliseconds %= unit.ms;
    if (n > 0 && parts.size() < 2) parts.push_back(fmt::format("{} {}{}", n, unit.name, n == 1 ? "" : "s"));
  }
  return parts.empty() ? "0 milliseconds" : join(parts, " ");
}

std::vector<std::string> split(std::string_view text, char separator) {
  std::vector<std::string> parts;
  for (;;) {
    const std::size_t at = text.find(separator);
    parts.emplace_back(text.substr(0, at));
    if (at == std::string_view::npos) return parts;
    text.remove_prefix(at + 1);
  }
}

std::string join(std::span<const std::string> parts, std::string_view separator) {
  std::string out;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (i > 0) out += separator;
    out += parts[i];
  }
  return out;
}

std::string replace_all(std::string text, std::string_view from, std::string_view to) {
  if (from.empty()) return text;
  for (std::size_t at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size())) {
    text.replace(at, from.size(), to);
  }
  return text;
}

bool is_ascii_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

bool is_ascii_digit(char c) {
  return c >= '0' && c <= '9';
}

std::string ascii_lower(std::string_view text) {
  std::string lower(text);
  for (char& c : lower)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return lower;
}

std::string_view trim(std::string_view text) {
  constexpr std::string_view kSpace = " \t\r\n";
  const std::size_t first = text.find_first_not_of(kSpace);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kSpace) - first + 1);
}

std::string shell_quote(std::string_view text) {
  constexpr std::string_view kSafe = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./:=@%+,";
  if (!text.empty() && text.find_first_not_of(kSafe) == std::string_view::npos) return std::string(text);
  return "'" + replace_all(std::string(text), "'", "'\\''") + "'";
}

bool is_utf8(std::string_view text) {
  while (!text.empty()) {
    const std::size_t n = utf8_length(text);
    if (n == 0) return false;
    text.remove_prefix(n);
  }
  return true;
}

namespace {

/// Matches one [class] at the start of pattern against c; sets length to the class's length, 0 if it is malformed.
bool class_match(std::string_view pattern, char c, std::size_t& length) {
  std::size_t i = 1;
  const bool negated = i < pattern.size() && (pattern[i] == '!' || pattern[i] == '^');
  if (negated) ++i;
  bool hit = false;
  const std::size_t first = i;
  for (; i < pattern.size() && (pattern[i] != ']' || i == first); ++i) {
    if (i + 2 < pattern.size() && pattern[i + 1] == '-' && pattern[i + 2] != ']') {
      hit = hit || (pattern[i] <= c && c <= pattern[i + 2]);
      i += 2;
    } else {
      hit = hit || pattern[i] == c;
    }
  }
  length = i < pattern.size() ? i + 1 : 0;
  return hit != negated;
}

std::size_t brace_end(std::string_view pattern) {
  int depth = 0;
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    if (pattern[i] == '\\')
      ++i;
    else if (pattern[i] == '{')
      ++depth;
    else if (pattern[i] == '}' && --depth == 0)
      return i;
  }
  return std::string_view::npos;
}

bool brace_match(std::string_view pattern, std::string_view text, std::size_t end, int depth);

bool match(std::string_view pattern, std::string_view text, int depth) {
  constexpr int kMaxGlobDepth = 100;
  if (depth > kMaxGlobDepth) return false;
  while (!pattern.empty()) {
    const char p = pattern[0];
    if (p == '*') {
      pattern.remove_prefix(1);
      for (std::size_t i = 0; i <= text.size(); ++i) {
        if (match(pattern, text.substr(i), depth + 1)) return true;
      }
      return false;
    }
    if (p == '{') {
      const std::size_t end = brace_end(pattern);
      if (end != std::string_view::npos) return brace_match(pattern, text, end, depth);
    }
    if (text.empty()) return false;
    std::size_t used = 1;
    if (p == '[') {
      const bool hit = class_match(pattern, text[0], used);
      if (used == 0 || !hit) return false;
    } else if (p == '\\' && pattern.size() > 1) {
      if (pattern[1] != text[0]) return false;
      used = 2;
    } else if (p != '?' && p != text[0]) {
      return false;
    }
    pattern.remove_prefix(used);
    text.remove_prefix(1);
  }
  return text.empty();
}

bool brace_match(std::string_view pattern, std::string_view text, std::size_t end, int depth) {
  const std::string rest(pattern.substr(end + 1));
  std::size_t start = 1;
  int nested = 0;
  for (std::size_t i = 1; i <= end; ++i) {
    if (pattern[i] == '{') ++nested;
    if (pattern[i] == '}' && i < end) --nested;
    if (i == end || (pattern[i] == ',' && nested == 0)) {
      if (match(std::string(pattern.substr(start, i - start)) + rest, text, depth + 1)) return true;
      start = i + 1;
    }
  }
  return false;
}

}  // namespace

bool glob_match(std::string_view pattern, std::string_view text) {
  return match(pattern, text, 0);
}

}  // namespace kiln
