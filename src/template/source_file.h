// The text of one file and the places in it. The syntax tree keeps byte offsets only; lines and columns are worked out
// when a diagnostic needs them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "template/diagnostic.h"

namespace kiln::tmpl {

/// Bytes begin to end of a file.
struct Span {
  std::uint32_t begin = 0, end = 0;
  bool operator==(const Span&) const = default;
};

class SourceFile {
 public:
  /// origin: where the text begins, when it is a part of a file.
  SourceFile(std::string name, std::string text, Pos origin = {});
  const std::string& name() const { return name_; }
  std::string_view text() const { return text_; }
  std::string_view text(Span span) const { return std::string_view(text_).substr(span.begin, span.end - span.begin); }
  Range range(Span span) const;
  Pos pos(std::uint32_t byte) const;
  /// Bytes of the mark that some editors put in front of UTF-8 text. It takes no column.
  std::size_t mark_bytes() const;
  /// Told by the lexer: grapheme clusters do not reach from one token into the next, and columns count them so.
  void note_token(Span token) const;
  /// Told by the JSON parser, in order of bytes: in JSON a tab takes two columns.
  void note_place(Pos place) const;

 private:
  Pos advance(Pos from, std::uint32_t byte) const;
  Pos local_pos(std::uint32_t byte) const;
  std::string name_, text_;
  Pos origin_;                        // of the first byte, for text that stands inside another file
  mutable bool plain_;                // columns are bytes
  mutable std::vector<Pos> tokens_;   // ends of tokens, in order; only where that is not clear from the bytes
  std::vector<std::uint32_t> lines_;  // where each begins
};

/// Grapheme clusters in UTF-8 text, as an editor counts columns.
std::uint32_t count_graphemes(std::string_view text);

/// Bytes of the first n grapheme clusters, or all there are.
std::size_t grapheme_bytes(std::string_view text, std::size_t n);

}  // namespace kiln::tmpl
