// The text of old JSON templates cut at its actions {{ }}, and an action cut into tokens, as Go's text/template does.
// Private to go_text.cc.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace kiln::tmpl {

struct GoToken {
  enum class Kind : std::uint8_t { end, word, field, variable, text, integer, real, sign } kind = Kind::end;
  std::string text;    // of a text what it says, of an integer its decimal digits
  bool apart = false;  // space stands before it
  bool is(Kind k, std::string_view t) const { return kind == k && text == t; }
};

using GoTok = GoToken::Kind;

/// A piece of the whole text: literal, or an action without its braces.
struct GoPiece {
  bool action = false;
  std::string text;
  std::size_t begin = 0, end = 0;  // in the whole text
  bool after_else = false;         // what follows "else" in an action
};

/// {{- and -}} take the space beside them away; comments are left out. problem says what is wrong, if something is.
std::vector<GoPiece> go_pieces(const std::string& text, std::string& problem);

/// The word that an action begins with; empty for others.
std::string go_first_word(const GoPiece& piece);

using GoTemplates = std::map<std::string, std::vector<GoPiece>>;
/// Takes {{ define }} and {{ block }} out of the pieces; afterwards each {{ end }} has something to end.
GoTemplates go_definitions(std::vector<GoPiece>& pieces, std::string& problem);

/// The last token is an end.
std::vector<GoToken> go_tokens(std::string_view action, std::string& problem);

}  // namespace kiln::tmpl
