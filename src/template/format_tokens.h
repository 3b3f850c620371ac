// The tokens of native syntax with nothing left out: comments, line ends and the pieces of templates, each with the
// spaces before it. For formatting; the parser uses lexer.h. Joined again they are the text. Private to the formatter.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "template/lexer.h"

namespace kiln::tmpl {

/// What a token is to the formatter: Tok, and what the lexer leaves to the parser.
enum class Glyph : std::uint8_t {
  plain,          // as its tok says
  comment,        // a line comment holds its line end
  quote_open,     // "
  quote_close,    // "
  heredoc_open,   // <<EOT and its line end
  heredoc_close,  // the line that ends it, without its line end
  literal,        // text in a template
  sequence_open,  // ${ %{ ${~ %{~
  sequence_close  // } ~}
};

struct Piece {
  Glyph glyph = Glyph::plain;
  Tok tok = Tok::invalid;  // of plain ones
  std::string_view text;
  std::size_t spaces = 0;  // before it

  bool is(Tok kind) const { return glyph == Glyph::plain && tok == kind; }
  bool ends_line() const { return is(Tok::newline) || (glyph == Glyph::comment && text.ends_with('\n')); }
  /// 1 for what opens a bracket or sequence, -1 for what closes one.
  int bracket() const;
};

/// Reads the pieces of a file one after the other.
class PieceReader {
 public:
  explicit PieceReader(const SourceFile& file)
      : lexer_(file, Lexer::Mode::config), end_(static_cast<std::uint32_t>(file.mark_bytes())) {}
  /// Appends the next token and the comments before it, as views into the file's text; the last one is Tok::end.
  void next(std::vector<Piece>& out);

 private:
  Lexer lexer_;
  std::uint32_t end_;  // of what was read
};

}  // namespace kiln::tmpl
