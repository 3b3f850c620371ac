// Styled text in terminal columns. Widths are an approximation by tables of our own (no ICU here): East Asian wide and
// emoji characters take two columns, combining marks and joiners none, all else one.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace kiln::report {

enum class Ink : std::uint8_t { plain, bold, dim, red, green, cyan, magenta, yellow, blue };

/// The colour of the build with this index: Packer's five in turn.
Ink ink_of_build(std::size_t index);

struct Span {
  std::string text;  // UTF-8 without control characters
  Ink ink = Ink::plain;
  bool operator==(const Span&) const = default;
};

struct Line {
  std::vector<Span> spans;
  bool operator==(const Line&) const = default;
};

/// Columns that UTF-8 text takes.
std::size_t width_of(std::string_view text);
std::size_t width_of(const Line& line);

/// At most so many columns: what does not fit is cut at the end, or out of the middle, and marked with the mark.
std::string cut_end(std::string_view text, std::size_t columns, std::string_view mark);
std::string cut_middle(std::string_view text, std::size_t columns, std::string_view mark);

/// A line's text without its colours.
std::string text_of(const Line& line);

/// With escape sequences for its colours, if they are wanted.
std::string rendered(const Line& line, bool colour);

}  // namespace kiln::report
