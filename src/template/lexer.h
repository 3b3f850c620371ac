// Tokens of HCL's native syntax, made on demand. The lexer keeps the nesting of quoted strings, heredocs and the
// expressions inside them, and makes for any bytes exactly the tokens that hashicorp/hcl v2 makes: places in messages
// and what is skipped after an error follow from them.
#pragma once

#include "template/source_file.h"

namespace kiln::tmpl {

enum class Tok : std::uint8_t {
  end,
  newline,  // also a comment up to its line's end
  identifier,
  number,
  // templates
  open_quote,
  close_quote,
  open_heredoc,  // "<<EOT" with its line's end
  close_heredoc,
  quoted_text,    // in a quoted string, escapes not yet read
  text,           // in a heredoc or bare template
  interpolation,  // "${" or "${~"
  control,        // "%{" or "%{~"
  sequence_end,   // "}" or "~}" of these two
  // what cannot be
  quoted_newline,
  bad_utf8,
  bitwise,
  backtick,
  apostrophe,
  semicolon,
  invalid,
  // signs
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
  enum class Mode : std::uint8_t { config, bare_template };
  Lexer(const SourceFile& file, Mode mode);
  /// Line ends included; at the end of the text again and again its end.
  Token next();
  std::string_view text() const { return text_; }
  std::string_view text(Span span) const { return text_.substr(span.begin, span.end - span.begin); }
  void skip_to_end();

 private:
  enum class State : std::uint8_t { code, quoted, heredoc, bare };
  struct Heredoc {
    std::string_view marker;
    bool line_start = true;
  };
  Tok read();
  Tok code();
  Tok sign();
  Tok quoted();
  Tok heredoc();
  Tok heredoc_text(std::size_t bytes);
  Tok bare();
  bool comment();
  Tok open_sequence();
  Tok close_brace(bool tilde);
  bool at(std::string_view s) const { return text_.substr(at_).starts_with(s); }
  Tok take(std::size_t bytes, Tok kind);
  std::size_t run(std::string_view stops) const;
  std::size_t dollar_bytes() const;

  const SourceFile& file_;
  std::string_view text_;
  std::uint32_t at_ = 0, begin_ = 0;
  std::vector<State> states_;
  int braces_ = 0;
  std::vector<int> sequence_braces_;  // levels of braces at which a sequence ends
  std::vector<Heredoc> heredocs_;
  bool newline_due_ = false;  // behind the marker of a heredoc
  bool comment_line_ = false;
};

/// Bytes of the identifier at the start of text; 0 if there is none.
std::size_t identifier_bytes(std::string_view text);

}  // namespace kiln::tmpl
