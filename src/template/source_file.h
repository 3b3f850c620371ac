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
  SourceFile(std::string name, std::string text);
  const std::string& name() const { return name_; }
  std::string_view text() const { return text_; }
  std::string_view text(Span span) const { return std::string_view(text_).substr(span.begin, span.end - span.begin); }
  Range range(Span span) const;
  Pos pos(std::uint32_t byte) const;

 private:
  std::string name_, text_;
  std::vector<std::uint32_t> lines_;  // where each begins
};

/// Grapheme clusters in UTF-8 text, as an editor counts columns.
std::uint32_t count_graphemes(std::string_view text);

/// Bytes of the first n grapheme clusters, or all there are.
std::size_t grapheme_bytes(std::string_view text, std::size_t n);

}  // namespace kiln::tmpl
