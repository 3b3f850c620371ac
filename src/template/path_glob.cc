#include "template/path_glob.h"

#include <unicode/utf8.h>

#include <optional>

namespace kiln::tmpl {

namespace {

constexpr std::size_t kMaxPatterns = 1'000;

/// Past one character, an escaped one included.
std::size_t next_character(std::string_view s, std::size_t at) {
  return at + (s[at] == '\\' && at + 1 < s.size() ? 2 : 1);
}

/// Alternatives of the brace group that opens at `open`, and where it closes; npos when it does not.
std::vector<std::string> alternatives(std::string_view s, std::size_t open, std::size_t& close) {
  std::vector<std::string> out;
  std::size_t depth = 0;
  std::size_t start = open + 1;
  for (std::size_t i = open; i < s.size(); i = next_character(s, i)) {
    if (s[i] == '{') ++depth;
    const bool closing = s[i] == '}' && --depth == 0;
    if (closing || (s[i] == ',' && depth == 1)) {
      out.emplace_back(s.substr(start, i - start));
      start = i + 1;
    }
    if (closing) {
      close = i;
      return out;
    }
  }
  close = std::string_view::npos;
  return {};
}

Error bad_pattern() {
  return error(Errc::bad_template, "syntax error in pattern");
}

}  // namespace

Result<std::vector<std::string>> expand_braces(std::string_view pattern) {
  std::vector<std::string> done;
  std::vector<std::string> open = {std::string(pattern)};
  while (!open.empty()) {
    const std::string one = std::move(open.back());
    open.pop_back();
    std::size_t at = 0;
    while (at < one.size() && one[at] != '{') at = next_character(one, at);
    if (at >= one.size()) {
      done.push_back(one);
    } else {
      std::size_t close = 0;
      const std::vector<std::string> choices = alternatives(one, at, close);
      if (close == std::string::npos) return bad_pattern();
      for (const std::string& choice : choices) open.push_back(one.substr(0, at) + choice + one.substr(close + 1));
    }
    if (done.size() + open.size() > kMaxPatterns)
      return error(Errc::bad_template, "the pattern has more than {} alternatives", kMaxPatterns);
  }
  return done;
}

namespace {

char32_t take_rune(std::string_view& s) {
  std::int32_t i = 0;
  UChar32 c = 0;
  U8_NEXT_OR_FFFD(s.data(), i, static_cast<std::int32_t>(s.size()), c);
  s.remove_prefix(static_cast<std::size_t>(i));
  return static_cast<char32_t>(c);
}

/// Reads the class behind its "[" up to its "]" and says whether c is in it; nothing when it does not end.
std::optional<bool> take_class(std::string_view& pattern, char32_t c) {
  const bool negated = pattern.starts_with('^') || pattern.starts_with('!');
  if (negated) pattern.remove_prefix(1);
  bool found = false;
  const auto take = [&] {
    if (pattern.starts_with('\\') && pattern.size() > 1) pattern.remove_prefix(1);
    return take_rune(pattern);
  };
  for (bool first = true; !pattern.empty(); first = false) {
    if (pattern.starts_with(']') && !first) {
      pattern.remove_prefix(1);
      return found != negated;
    }
    const char32_t low = take();
    char32_t high = low;
    if (pattern.starts_with('-') && pattern.size() > 1 && pattern[1] != ']') {
      pattern.remove_prefix(1);
      high = take();
    }
    found = found || (low <= c && c <= high);
  }
  return std::nullopt;
}

}  // namespace

bool is_literal(std::string_view pattern) {
  return pattern.find_first_of("*?[\\") == std::string_view::npos;
}

// Backtracks only to the last star, so the work is at most the product of the lengths.
Result<bool> name_matches(std::string_view pattern, std::string_view name) {
  std::optional<std::string_view> star_pattern;
  std::string_view star_name;
  for (;;) {
    bool same = false;
    if (pattern.starts_with('*')) {
      pattern.remove_prefix(1);
      star_pattern = pattern;
      star_name = name;
      continue;
    }
    if (pattern.empty() && name.empty()) return true;
    if (!pattern.empty() && !name.empty()) {
      const char32_t c = take_rune(name);
      if (pattern.starts_with('[')) {
        pattern.remove_prefix(1);
        const auto in = take_class(pattern, c);
        if (!in) return bad_pattern();
        same = *in;
      } else if (pattern.starts_with('?')) {
        pattern.remove_prefix(1);
        same = true;
      } else {
        if (pattern.starts_with('\\') && pattern.size() > 1) pattern.remove_prefix(1);
        same = take_rune(pattern) == c;
      }
    }
    if (same) continue;
    if (!star_pattern || star_name.empty()) return false;
    take_rune(star_name);
    pattern = *star_pattern;
    name = star_name;
  }
}

}  // namespace kiln::tmpl
