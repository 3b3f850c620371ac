// Tokens of HCL's native syntax, made on demand. Quoted strings and heredocs are only announced (quote, heredoc): the
// parser reads their inside with the characters themselves, as templates nest expressions and expressions templates.
#pragma once

#include <optional>

#include "template/source_file.h"

namespace kiln::tmpl {

enum class Tok : std::uint8_t {
  end,
  newline,
  identifier,
  number,
  quote,
  heredoc,
  invalid,
  open_paren,
  close_paren,
  open_bracket,
  close_bracket,
  open_brace,
  close_brace,
  comma,
  dot,
  ellipsis,
  colon,
  double_colon,
  question,
  assign,
  arrow,
  equal,
  not_equal,
  less,
  at_most,
  greater,
  at_least,
  plus,
  minus,
  star,
  slash,
  percent,
  logical_and,
  logical_or,
  bang,
};

struct Token {
  Tok kind = Tok::end;
  Span span;
};

class Lexer {
 public:
  explicit Lexer(const SourceFile& file) : text_(file.text()) {}
  /// The next token, behind spaces and comments; line ends are tokens only where wanted.
  Token next(bool newlines);
  Token peek(bool newlines) const;
  std::uint32_t position() const { return at_; }
  void seek(std::uint32_t byte) { at_ = byte; }
  std::string_view text() const { return text_; }
  std::string_view text(Span span) const { return text_.substr(span.begin, span.end - span.begin); }
  /// Where a comment that never ends began.
  std::optional<std::uint32_t> open_comment() const { return open_comment_; }

 private:
  void skip_space(bool newlines);
  Tok read();
  bool accept(std::string_view s);
  Tok operator_or_invalid();
  std::string_view text_;
  std::uint32_t at_ = 0;
  std::optional<std::uint32_t> open_comment_;
};

/// Skips one token's worth of text, a quoted string or heredoc as a whole, without judging it; for error recovery.
Token skip_item(Lexer& lexer);

/// Bytes of the identifier at the start of text; 0 if there is none.
std::size_t identifier_bytes(std::string_view text);

/// Whether a line ends the heredoc of this marker: spaces around the marker do not count.
bool ends_heredoc(std::string_view line, std::string_view marker);

/// The marker of a heredoc whose "<<" stands at byte: its name, whether it began "<<-", and where its first line
/// starts.
struct HeredocStart {
  std::string_view marker;
  bool flush = false;
  std::uint32_t body = 0;
};
std::optional<HeredocStart> read_heredoc_start(std::string_view text, std::uint32_t byte);

}  // namespace kiln::tmpl
