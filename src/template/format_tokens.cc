#include "template/format_tokens.h"

#include <algorithm>

namespace kiln::tmpl {

namespace {

Glyph glyph_of(Tok kind, std::string_view text) {
  switch (kind) {
    case Tok::newline:  // the lexer makes a line's comment its end
      return text.starts_with("#") || text.starts_with("/") ? Glyph::comment : Glyph::plain;
    case Tok::open_quote:
      return Glyph::quote_open;
    case Tok::close_quote:
      return Glyph::quote_close;
    case Tok::open_heredoc:
      return Glyph::heredoc_open;
    case Tok::close_heredoc:
      return Glyph::heredoc_close;
    case Tok::quoted_text:
    case Tok::text:
      return Glyph::literal;
    case Tok::interpolation:
    case Tok::control:
      return Glyph::sequence_open;
    case Tok::sequence_end:
      return Glyph::sequence_close;
    default:
      return Glyph::plain;
  }
}

/// Bytes of the comment at the start of text, which is known to be whole.
std::size_t comment_bytes(std::string_view text) {
  return text.starts_with("/*") ? text.find("*/", 2) + 2 : text.size();
}

/// What the lexer passed over before a token: spaces, and comments that end within a line or with the text. Answers the
/// spaces left.
std::size_t add_comments(std::string_view gap, std::vector<Piece>& out) {
  for (;;) {
    const std::size_t spaces = std::min(gap.find_first_not_of(" \t"), gap.size());
    gap.remove_prefix(spaces);
    if (gap.empty()) return spaces;
    const std::size_t bytes = comment_bytes(gap);
    out.push_back({Glyph::comment, Tok::invalid, gap.substr(0, bytes), spaces});
    gap.remove_prefix(bytes);
  }
}

}  // namespace

int Piece::bracket() const {
  if (glyph == Glyph::sequence_open || is(Tok::open_brace) || is(Tok::open_bracket) || is(Tok::open_paren)) return 1;
  if (glyph == Glyph::sequence_close || is(Tok::close_brace) || is(Tok::close_bracket) || is(Tok::close_paren))
    return -1;
  return 0;
}

void PieceReader::next(std::vector<Piece>& out) {
  const Token token = lexer_.next();
  const std::size_t spaces = add_comments(lexer_.text().substr(end_, token.span.begin - end_), out);
  const std::string_view text = lexer_.text(token.span);
  out.push_back({glyph_of(token.kind, text), token.kind, text, spaces});
  end_ = token.span.end;
}

}  // namespace kiln::tmpl
