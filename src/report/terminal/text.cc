#include "report/terminal/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace kiln::report {

namespace {

struct Block {
  char32_t first, last;
};

/// Two columns: Unicode 14's East Asian Width W and F, neighbouring blocks joined. Sorted.
constexpr Block kWideBlocks[] = {
    {0x1100, 0x115F},   {0x231A, 0x231B},   {0x2329, 0x232A},   {0x23E9, 0x23EC},   {0x23F0, 0x23F0},
    {0x23F3, 0x23F3},   {0x25FD, 0x25FE},   {0x2614, 0x2615},   {0x2648, 0x2653},   {0x267F, 0x267F},
    {0x2693, 0x2693},   {0x26A1, 0x26A1},   {0x26AA, 0x26AB},   {0x26BD, 0x26BE},   {0x26C4, 0x26C5},
    {0x26CE, 0x26CE},   {0x26D4, 0x26D4},   {0x26EA, 0x26EA},   {0x26F2, 0x26F3},   {0x26F5, 0x26F5},
    {0x26FA, 0x26FA},   {0x26FD, 0x26FD},   {0x2705, 0x2705},   {0x270A, 0x270B},   {0x2728, 0x2728},
    {0x274C, 0x274C},   {0x274E, 0x274E},   {0x2753, 0x2755},   {0x2757, 0x2757},   {0x2795, 0x2797},
    {0x27B0, 0x27B0},   {0x27BF, 0x27BF},   {0x2B1B, 0x2B1C},   {0x2B50, 0x2B50},   {0x2B55, 0x2B55},
    {0x2E80, 0x303E},   {0x3041, 0x3247},   {0x3250, 0x4DBF},   {0x4E00, 0xA4CF},   {0xA960, 0xA97C},
    {0xAC00, 0xD7A3},   {0xF900, 0xFAFF},   {0xFE10, 0xFE19},   {0xFE30, 0xFE6B},   {0xFF01, 0xFF60},
    {0xFFE0, 0xFFE6},   {0x16FE0, 0x1B2FB}, {0x1F004, 0x1F004}, {0x1F0CF, 0x1F0CF}, {0x1F18E, 0x1F18E},
    {0x1F191, 0x1F19A}, {0x1F200, 0x1F320}, {0x1F32D, 0x1F335}, {0x1F337, 0x1F37C}, {0x1F37E, 0x1F393},
    {0x1F3A0, 0x1F3CA}, {0x1F3CF, 0x1F3D3}, {0x1F3E0, 0x1F3F0}, {0x1F3F4, 0x1F3F4}, {0x1F3F8, 0x1F43E},
    {0x1F440, 0x1F440}, {0x1F442, 0x1F4FC}, {0x1F4FF, 0x1F53D}, {0x1F54B, 0x1F54E}, {0x1F550, 0x1F567},
    {0x1F57A, 0x1F57A}, {0x1F595, 0x1F596}, {0x1F5A4, 0x1F5A4}, {0x1F5FB, 0x1F64F}, {0x1F680, 0x1F6C5},
    {0x1F6CC, 0x1F6CC}, {0x1F6D0, 0x1F6D2}, {0x1F6D5, 0x1F6DF}, {0x1F6EB, 0x1F6EC}, {0x1F6F4, 0x1F6FC},
    {0x1F7E0, 0x1F7F0}, {0x1F90C, 0x1F93A}, {0x1F93C, 0x1F945}, {0x1F947, 0x1F9FF}, {0x1FA70, 0x1FAF6},
    {0x20000, 0x3FFFD},
};

/// No column: the combining marks and format characters that are met in practice. Sorted.
constexpr Block kNarrow[] = {
    {0x0300, 0x036F}, {0x0483, 0x0489}, {0x0591, 0x05BD}, {0x0610, 0x061A}, {0x064B, 0x065F}, {0x06D6, 0x06DC},
    {0x093A, 0x093A}, {0x0941, 0x0948}, {0x0E31, 0x0E31}, {0x0E34, 0x0E3A}, {0x0E47, 0x0E4E}, {0x1AB0, 0x1AFF},
    {0x1DC0, 0x1DFF}, {0x200B, 0x200F}, {0x202A, 0x202E}, {0x2060, 0x2064}, {0x2066, 0x2069}, {0x20D0, 0x20F0},
    {0x302A, 0x302D}, {0x3099, 0x309A}, {0xFE00, 0xFE0F}, {0xFE20, 0xFE2F}, {0xFEFF, 0xFEFF}, {0xE0100, 0xE01EF},
};

template <std::size_t N>
bool among(const Block (&blocks)[N], char32_t c) {
  const auto* it = std::ranges::lower_bound(blocks, c, {}, &Block::last);
  return it != std::end(blocks) && it->first <= c;
}

struct Character {
  std::string_view bytes;
  std::size_t width = 0;
};

/// Takes the first character off the text, which is UTF-8; a stray byte counts as one column.
Character next_character(std::string_view& text) {
  const auto lead = static_cast<unsigned char>(text[0]);
  const std::size_t wanted = lead < 0xC0 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
  const std::string_view bytes = text.substr(0, wanted);
  text.remove_prefix(bytes.size());
  char32_t c = wanted == 1 ? lead : lead & (0xFFU >> (wanted + 1));
  for (std::size_t i = 1; i < bytes.size(); ++i) c = (c << 6) | (static_cast<unsigned char>(bytes[i]) & 0x3FU);
  if (among(kNarrow, c)) return {bytes, 0};
  return {bytes, among(kWideBlocks, c) ? 2U : 1U};
}

/// The longest start of the text that fits.
std::string_view head(std::string_view text, std::size_t columns) {
  std::string_view rest = text;
  std::size_t used = 0, bytes = 0;
  while (!rest.empty()) {
    const Character c = next_character(rest);
    if (used + c.width > columns) break;
    used += c.width;
    bytes += c.bytes.size();
  }
  return text.substr(0, bytes);
}

/// The longest end of the text that fits.
std::string_view tail(std::string_view text, std::size_t columns) {
  std::size_t width = width_of(text);
  while (!text.empty() && width > columns) width -= next_character(text).width;
  while (!text.empty()) {  // a mark without its letter would join what stands before
    std::string_view rest = text;
    if (next_character(rest).width > 0) break;
    text = rest;
  }
  return text;
}

}  // namespace

Ink ink_of_build(std::size_t index) {
  constexpr std::array kTurns = {Ink::green, Ink::cyan, Ink::magenta, Ink::yellow, Ink::blue};
  return kTurns.at(index % kTurns.size());
}

std::size_t width_of(std::string_view text) {
  std::size_t width = 0;
  while (!text.empty()) width += next_character(text).width;
  return width;
}

std::size_t width_of(const Line& line) {
  std::size_t width = 0;
  for (const Span& span : line.spans) width += width_of(span.text);
  return width;
}

std::string cut_end(std::string_view text, std::size_t columns, std::string_view mark) {
  if (width_of(text) <= columns) return std::string(text);
  const std::size_t marked = width_of(mark);
  if (columns < marked) return std::string(head(text, columns));
  return std::string(head(text, columns - marked)).append(mark);
}

std::string cut_middle(std::string_view text, std::size_t columns, std::string_view mark) {
  if (width_of(text) <= columns) return std::string(text);
  const std::size_t marked = width_of(mark);
  if (columns < marked + 2) return cut_end(text, columns, mark);
  const std::size_t left = columns - marked;
  const std::string_view start = head(text, left / 2);
  return std::string(start).append(mark).append(tail(text, left - width_of(start)));
}

std::string text_of(const Line& line) {
  std::string text;
  for (const Span& span : line.spans) text += span.text;
  return text;
}

std::string rendered(const Line& line, bool colour) {
  if (!colour) return text_of(line);
  constexpr std::array kCodes = {"", "1", "2", "1;31", "1;32", "1;36", "1;35", "1;33", "1;34"};
  std::string text;
  for (const Span& span : line.spans) {
    const char* code = kCodes.at(static_cast<std::size_t>(span.ink));
    text += *code == '\0' ? span.text : fmt::format("\x1b[{}m{}\x1b[0m", code, span.text);
  }
  return text;
}

}  // namespace kiln::report
