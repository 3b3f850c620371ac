#include "template/go_tokens.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>

#include "template/go_utf8.h"

namespace kiln::tmpl {

namespace {

constexpr std::string_view kSpace = " \t\r\n";

bool is_space(char c) {
  return kSpace.find(c) != std::string_view::npos;
}

/// Where the quoted text at `at` ends, behind its closing quote; the end of text when it has none.
std::size_t quoted_end(std::string_view text, std::size_t at) {
  const char quote = text[at];
  for (++at; at < text.size() && text[at] != quote; ++at) {
    if (quote != '`' && text[at] == '\n') return text.size() + 1;
    if (quote != '`' && text[at] == '\\') ++at;
  }
  return at + 1;
}

/// Where the closing braces of the action at `open` stand; quotes and comments hide braces.
std::optional<std::size_t> action_end(std::string_view text, std::size_t open, std::string& problem) {
  std::size_t at = open + 2;
  if (at + 1 < text.size() && text[at] == '-' && is_space(text[at + 1])) at += 2;
  if (text.substr(at).starts_with("/*")) {
    at = text.find("*/", at);
    if (at == std::string_view::npos) problem = "a comment has no end";
    at = std::min(at, text.size());
  }
  while (at < text.size() && !text.substr(at).starts_with("}}")) {
    const bool quote = text[at] == '`' || text[at] == '"' || text[at] == '\'';
    at = quote ? quoted_end(text, at) : at + 1;
    if (at > text.size() && problem.empty()) problem = "a string has no closing quote";
  }
  if (at >= text.size() && problem.empty()) problem = "an action that begins with \"{{\" has no \"}}\"";
  return problem.empty() ? std::optional(at) : std::nullopt;
}

struct Digits {
  std::string text;  // of base, without prefix and "_"
  int base = 10;
  bool real = false;
};

Digits digits_of(std::string_view text) {
  Digits out;
  std::string plain;
  std::copy_if(text.begin(), text.end(), std::back_inserter(plain), [](char c) { return c != '_'; });
  const std::size_t sign = plain.starts_with('-') || plain.starts_with('+') ? 1 : 0;
  const std::string_view magnitude = std::string_view(plain).substr(sign);
  const auto starts = [&](char low) {
    return magnitude.size() > 1 && magnitude[0] == '0' && (magnitude[1] | 0x20) == low;
  };
  if (starts('x')) out.base = 16;
  if (starts('o')) out.base = 8;
  if (starts('b')) out.base = 2;
  std::size_t prefix = out.base == 10 ? 0 : 2;
  out.real = out.base == 10 && magnitude.find_first_of(".eE") != std::string_view::npos;
  if (out.base == 10 && !out.real && magnitude.size() > 1 && magnitude[0] == '0') {
    out.base = 8;
    prefix = 1;
  }
  out.text = (plain.starts_with('-') ? "-" : "") + std::string(magnitude.substr(prefix));
  return out;
}

class GoLexer {
 public:
  GoLexer(std::string_view action, std::string& problem) : rest_(action), problem_(problem) {}
  std::vector<GoToken> tokens();

 private:
  void fail(std::string why) {
    if (problem_.empty()) problem_ = std::move(why);
  }
  void quoted();
  bool escape(std::string_view s, std::size_t& at, std::string& out);
  void number();
  void named();
  std::string_view rest_;
  std::string& problem_;
  std::vector<GoToken> out_;
};

/// What follows a backslash, which stands before `at`.
bool GoLexer::escape(std::string_view s, std::size_t& at, std::string& out) {
  constexpr std::string_view kLetters = "abfnrtv\\'\"";
  constexpr std::string_view kMeant = "\a\b\f\n\r\t\v\\'\"";
  const char c = s[at++];
  if (const std::size_t which = kLetters.find(c); which != std::string_view::npos) {
    out += kMeant[which];
    return true;
  }
  const bool octal = c >= '0' && c <= '7';
  const std::size_t length = octal ? 3 : c == 'x' ? 2 : c == 'u' ? 4 : c == 'U' ? 8 : 0;
  if (octal) --at;
  std::uint32_t code = 0;
  const std::string_view digits = s.substr(std::min(at, s.size()), length);
  const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), code, octal ? 8 : 16);
  if (length == 0 || digits.size() != length || read.ptr != digits.data() + length) return false;
  at += length;
  const bool byte = octal || c == 'x';
  if (byte ? code > 0xff : code > 0x10ffff || (code >= 0xd800 && code < 0xe000)) return false;
  if (byte) out += static_cast<char>(code);
  if (!byte) append_code_point(out, code);
  return true;
}

void GoLexer::quoted() {
  const std::size_t end = quoted_end(rest_, 0);
  if (end > rest_.size()) return fail("a string has no closing quote");
  const char quote = rest_[0];
  const std::string_view inside = rest_.substr(1, end - 2);
  rest_.remove_prefix(end);
  std::string text;
  for (std::size_t at = 0; at < inside.size();) {
    if (quote == '`' || inside[at] != '\\') {
      text += inside[at++];
    } else if (++at >= inside.size() || !escape(inside, at, text)) {
      return fail("a string has an escape that is none");
    }
  }
  if (quote != '\'') return out_.push_back({GoTok::text, std::move(text)});
  if (count_code_points(text) != 1) return fail("a character constant is not one character");
  std::size_t at = 0;
  out_.push_back({GoTok::integer, std::to_string(static_cast<std::uint32_t>(read_code_point(text, at)))});
}

void GoLexer::number() {
  std::size_t n = 1;
  const auto goes_on = [&](char c) {
    const bool exponent = (rest_[n - 1] | 0x20) == 'e' && (c == '-' || c == '+') && !rest_.starts_with("0x");
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '.' || exponent;
  };
  while (n < rest_.size() && goes_on(rest_[n])) ++n;
  const std::string_view written = rest_.substr(0, n);
  rest_.remove_prefix(n);
  const Digits digits = digits_of(written);
  const char* const begin = digits.text.data();
  const char* const end = begin + digits.text.size();
  std::int64_t whole = 0;
  double real = 0;
  const auto read = digits.real ? std::from_chars(begin, end, real) : std::from_chars(begin, end, whole, digits.base);
  if (read.ec != std::errc() || read.ptr != end || digits.text.empty())
    return fail(fmt::format("\"{}\" is no number that can stand here", written));
  out_.push_back({digits.real ? GoTok::real : GoTok::integer, digits.real ? digits.text : std::to_string(whole)});
}

/// A word, .Field or $variable.
void GoLexer::named() {
  const auto is_word = [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || (static_cast<unsigned char>(c) & 0x80) != 0;
  };
  const bool path = rest_[0] == '.' || rest_[0] == '$';
  std::size_t n = path ? 1 : 0;
  while (n < rest_.size() && (is_word(rest_[n]) || (path && rest_[n] == '.'))) ++n;
  const GoTok kind = rest_[0] == '.' ? GoTok::field : rest_[0] == '$' ? GoTok::variable : GoTok::word;
  if (n == 0) {
    out_.push_back({GoTok::sign, std::string(1, rest_[0])});
    n = 1;
  } else {
    out_.push_back({kind, std::string(rest_.substr(0, n))});
    constexpr std::string_view kAfter = " \t\r\n,|:)(=";
    if (n < rest_.size() && kAfter.find(rest_[n]) == std::string_view::npos)
      fail(fmt::format("\"{}\" cannot stand behind \"{}\"", rest_[n], rest_.substr(0, n)));
  }
  rest_.remove_prefix(n);
}

std::vector<GoToken> GoLexer::tokens() {
  while (problem_.empty()) {
    const std::size_t space = std::min(rest_.find_first_not_of(kSpace), rest_.size());
    rest_.remove_prefix(space);
    if (rest_.empty()) break;
    const std::size_t before = out_.size();
    const char c = rest_[0];
    const auto is_digit = [&](std::size_t i) {
      return i < rest_.size() && std::isdigit(static_cast<unsigned char>(rest_[i])) != 0;
    };
    if (c == '"' || c == '`' || c == '\'') {
      quoted();
    } else if (is_digit(0) || c == '-' || c == '+' || (c == '.' && is_digit(1))) {
      number();
    } else {
      named();
    }
    if (out_.size() > before) out_[before].apart = space > 0;
  }
  out_.push_back({});
  return std::move(out_);
}

}  // namespace

std::vector<GoPiece> go_pieces(const std::string& text, std::string& problem) {
  std::vector<GoPiece> pieces;
  std::size_t from = 0;
  bool trim_next = false;
  for (;;) {
    const std::size_t open = std::min(text.find("{{", from), text.size());
    std::string plain = text.substr(from, open - from);
    if (trim_next) plain.erase(0, std::min(plain.find_first_not_of(kSpace), plain.size()));
    const std::string_view rest = std::string_view(text).substr(open);
    const bool trim = rest.size() > 3 && rest.starts_with("{{-") && is_space(rest[3]);
    if (trim) plain.erase(plain.find_last_not_of(kSpace) + 1);
    if (!plain.empty()) pieces.push_back({false, std::move(plain), from, open});
    if (open >= text.size()) return pieces;
    const auto close = action_end(text, open, problem);
    if (!close) return pieces;
    std::string inside = text.substr(open + 2, *close - open - 2);
    trim_next = inside.size() > 1 && inside.ends_with('-') && is_space(inside[inside.size() - 2]);
    if (trim_next) inside.pop_back();
    if (trim) inside.erase(0, std::min<std::size_t>(2, inside.size()));
    from = *close + 2;
    const bool comment = inside.starts_with("/*") && inside.find("*/") + 2 == inside.find_last_not_of(kSpace) + 1;
    if (!comment) pieces.push_back({true, std::move(inside), open, from});
  }
}

std::vector<GoToken> go_tokens(std::string_view action, std::string& problem) {
  return GoLexer(action, problem).tokens();
}

}  // namespace kiln::tmpl
