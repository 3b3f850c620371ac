#include "template/format_spaces.h"

#include <algorithm>
#include <optional>

namespace kiln::tmpl {

namespace {

bool is_any(const Piece& p, std::initializer_list<Tok> kinds) {
  return p.glyph == Glyph::plain && std::find(kinds.begin(), kinds.end(), p.tok) != kinds.end();
}

bool is_any(const Piece& p, std::initializer_list<Glyph> glyphs) {
  return std::find(glyphs.begin(), glyphs.end(), p.glyph) != glyphs.end();
}

/// A minus behind one of these, or behind nothing, is a sign; behind anything else it subtracts.
bool minus_is_sign(const Piece* before) {
  return before == nullptr ||
         is_any(*before,
                {Tok::open_paren,  Tok::open_brace, Tok::open_bracket, Tok::assign,   Tok::colon,   Tok::comma,
                 Tok::question,    Tok::plus,       Tok::star,         Tok::slash,    Tok::percent, Tok::minus,
                 Tok::equal,       Tok::not_equal,  Tok::greater,      Tok::at_least, Tok::less,    Tok::at_most,
                 Tok::logical_and, Tok::logical_or, Tok::bang});
}

/// The "in" of a for expression, which is no name to be indexed: [for x in [1] : x].
bool is_in(const Piece* before, const Piece& subject) {
  return subject.is(Tok::identifier) && subject.text == "in" && before != nullptr && before->is(Tok::identifier);
}

/// Within templates everything counts.
bool touches_template(const Piece& subject, const Piece& after) {
  return is_any(subject, {Glyph::literal, Glyph::quote_open, Glyph::heredoc_open}) ||
         is_any(after, {Glyph::literal, Glyph::quote_close, Glyph::heredoc_close});
}

/// Rules that come first; nothing where none of them holds.
std::optional<bool> close_rules(const Piece* before, const Piece& subject, const Piece& after) {
  if (after.is(Tok::newline)) return false;
  if (subject.is(Tok::identifier) && after.is(Tok::open_paren)) return false;  // a call
  if ((subject.is(Tok::identifier) && after.is(Tok::double_colon)) ||
      (subject.is(Tok::double_colon) && after.is(Tok::identifier)))
    return false;
  if (subject.is(Tok::dot) || after.is(Tok::dot)) return false;
  if (is_any(after, {Tok::comma, Tok::ellipsis})) return false;
  if (subject.is(Tok::comma)) return true;
  if (touches_template(subject, after)) return false;
  if (is_in(before, subject)) return true;
  if (after.is(Tok::open_bracket) && (is_any(subject, {Tok::identifier, Tok::number}) || subject.bracket() < 0))
    return false;  // an index
  if (subject.is(Tok::bang)) return false;
  if (subject.is(Tok::minus)) return !minus_is_sign(before);
  return std::nullopt;
}

bool wants_space(const Piece* before, const Piece& subject, const Piece& after) {
  if (const auto answer = close_rules(before, subject, after)) return *answer;
  if (subject.is(Tok::open_brace) || after.is(Tok::close_brace))
    return !(subject.is(Tok::open_brace) && after.is(Tok::close_brace));  // {} but { a = 1 }
  if (subject.glyph == Glyph::sequence_open && after.is(Tok::open_brace)) return true;
  if (subject.is(Tok::close_brace) && after.glyph == Glyph::sequence_close) return true;
  if (subject.glyph == Glyph::sequence_close && after.glyph == Glyph::sequence_open) return false;
  return subject.bracket() <= 0 && after.bracket() >= 0;
}

}  // namespace

void space_between(std::span<Piece> cell) {
  for (std::size_t i = 1; i < cell.size(); ++i) {
    const Piece* before = i > 1 ? &cell[i - 2] : nullptr;
    cell[i].spaces = wants_space(before, cell[i - 1], cell[i]) ? 1 : 0;
  }
}

}  // namespace kiln::tmpl
