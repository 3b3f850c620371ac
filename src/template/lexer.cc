#include "template/lexer.h"

#include <unicode/uchar.h>
#include <unicode/utf8.h>

#include <vector>

#include "base/text.h"

namespace kiln::tmpl {

namespace {

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

/// Bytes of the number at the start of text: digits, fraction, exponent.
std::size_t number_bytes(std::string_view text) {
  std::size_t n = 0;
  const auto digits = [&](std::size_t from) {
    while (from < text.size() && is_digit(text[from])) ++from;
    return from;
  };
  n = digits(0);
  if (n + 1 < text.size() && text[n] == '.' && is_digit(text[n + 1])) n = digits(n + 1);
  if (n < text.size() && (text[n] == 'e' || text[n] == 'E')) {
    std::size_t sign = n + 1;
    if (sign < text.size() && (text[sign] == '+' || text[sign] == '-')) ++sign;
    if (sign < text.size() && is_digit(text[sign])) n = digits(sign);
  }
  return n;
}

}  // namespace

std::size_t identifier_bytes(std::string_view text) {
  std::int32_t at = 0;
  const auto size = static_cast<std::int32_t>(text.size());
  while (at < size) {
    const char c = text[static_cast<std::size_t>(at)];
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
    if (letter || (at > 0 && (is_digit(c) || c == '-'))) {
      ++at;
      continue;
    }
    if (static_cast<signed char>(c) >= 0) break;
    std::int32_t next = at;
    UChar32 code = 0;
    U8_NEXT(text.data(), next, size, code);
    if (code < 0 || !u_hasBinaryProperty(code, at == 0 ? UCHAR_ID_START : UCHAR_ID_CONTINUE)) break;
    at = next;
  }
  return static_cast<std::size_t>(at);
}

void Lexer::skip_space(bool newlines) {
  while (at_ < text_.size()) {
    const char c = text_[at_];
    const std::string_view rest = text_.substr(at_);
    if (c == ' ' || c == '\t' || (c == '\n' && !newlines) || (c == '\r' && (!newlines || rest.starts_with("\r\n")))) {
      if (c == '\r' && newlines) return;  // "\r\n" is one newline token
      ++at_;
    } else if (c == '#' || rest.starts_with("//")) {
      while (at_ < text_.size() && text_[at_] != '\n') ++at_;
    } else if (rest.starts_with("/*")) {
      const std::size_t close = text_.find("*/", at_ + 2);
      if (close == std::string_view::npos) open_comment_ = at_;
      at_ = static_cast<std::uint32_t>(close == std::string_view::npos ? text_.size() : close + 2);
    } else {
      return;
    }
  }
}

bool Lexer::accept(std::string_view s) {
  if (!text_.substr(at_).starts_with(s)) return false;
  at_ += static_cast<std::uint32_t>(s.size());
  return true;
}

Tok Lexer::operator_or_invalid() {
  struct Sign {
    std::string_view text;
    Tok tok;
  };
  static constexpr Sign kSigns[] = {
      // longer ones first
      {"\r\n", Tok::newline},  {"...", Tok::ellipsis},    {"=>", Tok::arrow},        {"==", Tok::equal},
      {"!=", Tok::not_equal},  {"<=", Tok::at_most},      {">=", Tok::at_least},     {"&&", Tok::logical_and},
      {"||", Tok::logical_or}, {"::", Tok::double_colon}, {"\n", Tok::newline},      {"(", Tok::open_paren},
      {")", Tok::close_paren}, {"[", Tok::open_bracket},  {"]", Tok::close_bracket}, {"{", Tok::open_brace},
      {"}", Tok::close_brace}, {",", Tok::comma},         {".", Tok::dot},           {":", Tok::colon},
      {"?", Tok::question},    {"=", Tok::assign},        {"<", Tok::less},          {">", Tok::greater},
      {"+", Tok::plus},        {"-", Tok::minus},         {"*", Tok::star},          {"/", Tok::slash},
      {"%", Tok::percent},     {"!", Tok::bang},
  };
  for (const Sign& sign : kSigns) {
    if (accept(sign.text)) return sign.tok;
  }
  std::int32_t next = 0;
  UChar32 code = 0;
  const std::string_view rest = text_.substr(at_);
  U8_NEXT(rest.data(), next, static_cast<std::int32_t>(rest.size()), code);
  at_ += static_cast<std::uint32_t>(next);
  return Tok::invalid;
}

Tok Lexer::read() {
  if (at_ >= text_.size()) return Tok::end;
  const std::string_view rest = text_.substr(at_);
  if (const std::size_t n = identifier_bytes(rest); n > 0) {
    at_ += static_cast<std::uint32_t>(n);
    return Tok::identifier;
  }
  if (is_digit(rest[0])) {
    at_ += static_cast<std::uint32_t>(number_bytes(rest));
    return Tok::number;
  }
  if (rest[0] == '"') {
    ++at_;
    return Tok::quote;
  }
  if (rest.starts_with("<<")) {
    if (const auto start = read_heredoc_start(text_, at_)) {
      at_ = start->body;
      return Tok::heredoc;
    }
  }
  return operator_or_invalid();
}

Token Lexer::next(bool newlines) {
  skip_space(newlines);
  const std::uint32_t begin = at_;
  const Tok kind = read();
  return {kind, {begin, at_}};
}

Token Lexer::peek(bool newlines) const {
  Lexer copy = *this;
  return copy.next(newlines);
}

bool ends_heredoc(std::string_view line, std::string_view marker) {
  return trim(line) == marker;
}

std::optional<HeredocStart> read_heredoc_start(std::string_view text, std::uint32_t byte) {
  HeredocStart start;
  std::size_t at = byte + 2;
  if (at < text.size() && text[at] == '-') {
    start.flush = true;
    ++at;
  }
  const std::size_t n = identifier_bytes(text.substr(std::min(at, text.size())));
  start.marker = text.substr(std::min(at, text.size()), n);
  at += n;
  if (n > 0 && at < text.size() && text[at] == '\r') ++at;
  if (n == 0 || at >= text.size() || text[at] != '\n') return std::nullopt;
  start.body = static_cast<std::uint32_t>(at + 1);
  return start;
}

namespace {

/// Skips the inside of a heredoc and its closing line, up to the line's end.
void skip_heredoc(Lexer& lexer, const HeredocStart& start) {
  std::size_t line = start.body;
  const std::string_view text = lexer.text();
  while (line < text.size()) {
    const std::size_t end = std::min(text.find('\n', line), text.size());
    const std::string_view content = text.substr(line, end - line);
    line = end;
    if (ends_heredoc(content, start.marker)) break;
    ++line;
  }
  lexer.seek(static_cast<std::uint32_t>(std::min(line, text.size())));
}

/// Skips the inside of a quoted string with the expressions in it; a line's end ends it too.
void skip_quoted(Lexer& lexer) {
  const std::string_view text = lexer.text();
  std::size_t at = lexer.position();
  std::vector<char> open = {'"'};  // '"' in a string, '{' in an expression
  while (at < text.size() && !open.empty()) {
    const char c = text[at];
    if (open.back() == '"') {
      if (c == '\n') break;
      const bool sequence = (c == '$' || c == '%') && at + 1 < text.size() && text[at + 1] == '{';
      const bool escaped = sequence && at > 0 && text[at - 1] == c;
      if (c == '"') open.pop_back();
      if (sequence && !escaped) open.push_back('{');
      at += c == '\\' || sequence ? 2 : 1;
    } else {
      if (c == '}') open.pop_back();
      if (c == '{') open.push_back('{');
      if (c == '"') open.push_back('"');
      ++at;
    }
  }
  lexer.seek(static_cast<std::uint32_t>(std::min(at, text.size())));
}

}  // namespace

Token skip_item(Lexer& lexer) {
  const Token token = lexer.next(true);
  if (token.kind == Tok::quote) skip_quoted(lexer);
  if (token.kind == Tok::heredoc) skip_heredoc(lexer, *read_heredoc_start(lexer.text(), token.span.begin));
  return token;
}

}  // namespace kiln::tmpl
