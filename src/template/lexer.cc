#include "template/lexer.h"

#include <unicode/uchar.h>
#include <unicode/utf8.h>

#include <algorithm>

#include "base/text.h"

namespace kiln::tmpl {

namespace {

/// Bytes of the number at the start of text: digits, dots and exponents, whatever their order; not ending in a dot.
std::size_t number_bytes(std::string_view text) {
  std::size_t n = 0;
  std::size_t good = 0;
  while (n < text.size()) {
    std::size_t piece = 0;
    if (is_ascii_digit(text[n]) || text[n] == '.') {
      piece = 1;
    } else if (text[n] == 'e' || text[n] == 'E') {
      const std::size_t sign = n + 1 < text.size() && (text[n + 1] == '+' || text[n + 1] == '-') ? 1 : 0;
      if (n + 1 + sign < text.size() && is_ascii_digit(text[n + 1 + sign])) piece = 2 + sign;
    }
    if (piece == 0) break;
    n += piece;
    if (text[n - 1] != '.') good = n;
  }
  return good;
}

/// Bytes of the character at the start of text, judged by its first byte and the number of bytes that go on; 0 where
/// that does not hold.
std::size_t character_bytes(std::string_view text) {
  if (text.empty()) return 0;
  const auto byte = [&](std::size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U; };
  const unsigned first = byte(0);
  const std::size_t n = first < 0x80   ? 1
                        : first < 0xC0 ? 0
                        : first < 0xE0 ? 2
                        : first < 0xF0 ? 3
                        : first < 0xF8 ? 4
                                       : 0;
  for (std::size_t i = 1; i < n; ++i) {
    if ((byte(i) & 0xC0U) != 0x80U) return 0;
  }
  return n;
}

std::size_t newline_bytes(std::string_view text) {
  return text.starts_with("\n") ? 1 : text.starts_with("\r\n") ? 2 : 0;
}

/// "<<EOT" or "<<-EOT" with the line's end: all bytes, and the marker.
std::size_t heredoc_start(std::string_view text, std::string_view& marker) {
  const std::size_t dash = text.starts_with("<<-") ? 3 : 2;
  if (!text.starts_with("<<")) return 0;
  const std::size_t n = identifier_bytes(text.substr(dash));
  const std::size_t newline = n > 0 ? newline_bytes(text.substr(dash + n)) : 0;
  marker = text.substr(dash, n);
  return newline > 0 ? dash + n + newline : 0;
}

}  // namespace

std::size_t identifier_bytes(std::string_view text) {
  std::int32_t at = 0;
  const auto size = static_cast<std::int32_t>(text.size());
  while (at < size) {
    const char c = text[static_cast<std::size_t>(at)];
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
    if (letter || (at > 0 && (is_ascii_digit(c) || c == '-'))) {
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

Lexer::Lexer(const SourceFile& file, Mode mode)
    : file_(file), text_(file.text()), states_{mode == Mode::config ? State::code : State::bare} {
  at_ = static_cast<std::uint32_t>(file.mark_bytes());
}

void Lexer::skip_to_end() {
  at_ = static_cast<std::uint32_t>(text_.size());
  newline_due_ = false;
}

Tok Lexer::take(std::size_t bytes, Tok kind) {
  at_ += static_cast<std::uint32_t>(bytes);
  return kind;
}

Token Lexer::next() {
  Token token;
  token.kind = read();
  token.span = {begin_, at_};
  file_.note_token(token.span);
  return token;
}

Tok Lexer::read() {
  if (std::exchange(newline_due_, false)) {
    begin_ = at_;
    return take(newline_bytes(text_.substr(at_)), Tok::newline);
  }
  const State state = states_.back();
  if (state == State::code) {
    while (at_ < text_.size()) {
      if (text_[at_] == ' ' || text_[at_] == '\t') {
        ++at_;
      } else if (!comment()) {
        break;
      } else if (std::exchange(comment_line_, false)) {
        return Tok::newline;
      }
    }
  }
  begin_ = at_;
  if (at_ >= text_.size()) return Tok::end;
  return state == State::code      ? code()
         : state == State::quoted  ? quoted()
         : state == State::heredoc ? heredoc()
                                   : bare();
}

/// Skips a comment; one that ends with its line is a newline for those who want one.
bool Lexer::comment() {
  begin_ = at_;
  if (at("#") || at("//")) {
    const std::size_t end = text_.find('\n', at_);
    comment_line_ = end != std::string_view::npos;
    at_ = static_cast<std::uint32_t>(comment_line_ ? end + 1 : text_.size());
  } else {
    const std::size_t close = at("/*") ? text_.find("*/", at_ + 2) : std::string_view::npos;
    if (close == std::string_view::npos) return false;
    at_ = static_cast<std::uint32_t>(close + 2);
  }
  file_.note_token({begin_, at_});
  return true;
}

Tok Lexer::code() {
  const std::string_view rest = text_.substr(at_);
  if (rest[0] == '\n') return take(1, Tok::newline);
  if (const std::size_t n = identifier_bytes(rest); n > 0) return take(n, Tok::identifier);
  if (is_ascii_digit(rest[0])) return take(number_bytes(rest), Tok::number);
  switch (rest[0]) {
    case '"':
      states_.push_back(State::quoted);
      return take(1, Tok::open_quote);
    case '{':
      ++braces_;
      return take(1, Tok::open_brace);
    case '}':
      return close_brace(false);
    case '~':
      if (rest.starts_with("~}")) return close_brace(true);
      break;
    case '<': {
      std::string_view marker;
      if (const std::size_t n = heredoc_start(rest, marker); n > 0) {
        heredocs_.push_back({marker, true});
        states_.push_back(State::heredoc);
        return take(n, Tok::open_heredoc);
      }
      break;
    }
    default:
      break;
  }
  return sign();
}

Tok Lexer::sign() {
  struct Sign {
    std::string_view text;
    Tok tok;
  };
  static constexpr Sign kSigns[] = {
      // longer ones first
      {"...", Tok::ellipsis},  {"\r\n", Tok::newline},    {"=>", Tok::arrow},        {"==", Tok::equal},
      {"!=", Tok::not_equal},  {"<=", Tok::at_most},      {">=", Tok::at_least},     {"&&", Tok::logical_and},
      {"||", Tok::logical_or}, {"::", Tok::double_colon}, {"\n", Tok::newline},      {"(", Tok::open_paren},
      {")", Tok::close_paren}, {"[", Tok::open_bracket},  {"]", Tok::close_bracket}, {",", Tok::comma},
      {".", Tok::dot},         {":", Tok::colon},         {"?", Tok::question},      {"=", Tok::assign},
      {"<", Tok::less},        {">", Tok::greater},       {"+", Tok::plus},          {"-", Tok::minus},
      {"*", Tok::star},        {"/", Tok::slash},         {"%", Tok::percent},       {"!", Tok::bang},
      {"&", Tok::bitwise},     {"|", Tok::bitwise},       {"^", Tok::bitwise},       {"~", Tok::bitwise},
      {"`", Tok::backtick},    {"'", Tok::apostrophe},    {";", Tok::semicolon},
  };
  for (const Sign& sign : kSigns) {
    if (at(sign.text)) return take(sign.text.size(), sign.tok);
  }
  const std::size_t n = character_bytes(text_.substr(at_));
  return n == 0 ? take(1, Tok::bad_utf8) : take(n, Tok::invalid);
}

Tok Lexer::close_brace(bool tilde) {
  at_ += tilde ? 2 : 1;
  const bool ends = !sequence_braces_.empty() && sequence_braces_.back() == braces_;
  --braces_;
  if (!ends) return tilde ? Tok::sequence_end : Tok::close_brace;
  sequence_braces_.pop_back();
  states_.pop_back();
  return Tok::sequence_end;
}

Tok Lexer::open_sequence() {
  const Tok kind = text_[at_] == '$' ? Tok::interpolation : Tok::control;
  at_ += text_.substr(at_ + 2).starts_with("~") ? 3 : 2;
  sequence_braces_.push_back(++braces_);
  if (!heredocs_.empty()) heredocs_.back().line_start = false;
  states_.push_back(State::code);
  return kind;
}

/// At '$' or '%' that begins no sequence: bytes of the text it makes, with "$${" as one; 0 at the end of all text.
std::size_t Lexer::dollar_bytes() const {
  const std::string_view rest = text_.substr(at_);
  if (rest.size() < 2) return 0;
  if (rest[1] != rest[0] || !rest.substr(2).starts_with("{")) return 1;
  return rest.substr(3).starts_with("~") ? 4 : 3;
}

/// Bytes of whole characters up to one of stops, a line's end or broken text.
std::size_t Lexer::run(std::string_view stops) const {
  std::size_t n = 0;
  for (std::string_view rest = text_.substr(at_); !rest.empty();) {
    if (rest[0] == '\r' || rest[0] == '\n' || stops.find(rest[0]) != std::string_view::npos) break;
    const std::size_t one = character_bytes(rest);
    if (one == 0) break;
    n += one;
    rest.remove_prefix(one);
  }
  return n;
}

Tok Lexer::quoted() {
  const char c = text_[at_];
  if (c == '"') {
    states_.pop_back();
    return take(1, Tok::close_quote);
  }
  if (at("${") || at("%{")) return open_sequence();
  if (c == '\r' || c == '\n') {
    const std::size_t end = std::min(text_.find_first_not_of("\r\n", at_), text_.size());
    return take(end - at_, Tok::quoted_newline);
  }
  if (c == '$' || c == '%') {
    const std::size_t n = dollar_bytes();
    return n == 0 ? take(1, Tok::invalid) : take(n, Tok::quoted_text);
  }
  const std::uint32_t begin = at_;
  for (;;) {
    at_ += static_cast<std::uint32_t>(run("$%\"\\"));
    const std::string_view rest = text_.substr(at_);
    const std::size_t escaped = rest.starts_with("\\") ? character_bytes(rest.substr(1)) : 0;
    if (escaped == 0 || rest[1] == '\r' || rest[1] == '\n') break;
    at_ += static_cast<std::uint32_t>(1 + escaped);
  }
  if (at_ > begin) return Tok::quoted_text;
  return c == '\\' ? take(1, Tok::invalid) : take(1, Tok::bad_utf8);
}

Tok Lexer::heredoc() {
  if (at("${") || at("%{")) return open_sequence();
  std::size_t n = 0;
  if (text_[at_] == '$' || text_[at_] == '%') {
    n = dollar_bytes();
    if (n == 0) return take(1, Tok::invalid);
  } else {
    n = run("$%");
  }
  return heredoc_text(n);
}

Tok Lexer::heredoc_text(std::size_t bytes) {
  const std::size_t newline = newline_bytes(text_.substr(at_ + bytes));
  Heredoc& doc = heredocs_.back();
  if (newline == 0) {
    doc.line_start = false;
    if (bytes > 0) return take(bytes, Tok::text);
    if (character_bytes(text_.substr(at_)) == 0) return take(1, Tok::bad_utf8);
    return take(text_.size() - at_, Tok::invalid);  // a carriage return alone
  }
  if (doc.line_start && trim(text_.substr(at_, bytes)) == doc.marker) {
    heredocs_.pop_back();
    states_.pop_back();
    newline_due_ = true;
    return take(bytes, Tok::close_heredoc);
  }
  doc.line_start = true;
  return take(bytes + newline, Tok::text);
}

Tok Lexer::bare() {
  if (at("${") || at("%{")) return open_sequence();
  std::size_t n = 0;
  if (text_[at_] == '$' || text_[at_] == '%') {
    n = std::max<std::size_t>(dollar_bytes(), 1);
  } else {
    n = run("$%");
  }
  n += newline_bytes(text_.substr(at_ + n));
  if (n > 0) return take(n, Tok::text);
  if (character_bytes(text_.substr(at_)) == 0) return take(1, Tok::bad_utf8);
  return take(text_.size() - at_, Tok::text);  // from a carriage return alone on nothing is special
}

}  // namespace kiln::tmpl
