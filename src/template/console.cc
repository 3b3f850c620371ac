#include "template/console.h"

#include <fmt/format.h>
#include <unicode/uchar.h>
#include <unicode/utf8.h>

#include <charconv>
#include <cmath>

namespace kiln::tmpl {

namespace {

/// Go's 'g' format of a float64 with the fewest digits.
std::string go_float(double d) {
  if (std::isinf(d)) return d < 0 ? "-Inf" : "+Inf";
  char buffer[64];
  const auto end = std::to_chars(buffer, buffer + sizeof buffer, d, std::chars_format::scientific).ptr;
  std::string text(buffer, end);
  const int exponent = std::stoi(text.substr(text.find('e') + 1));
  constexpr int kWide = 21;  // Go writes integers up to here without exponent
  const bool whole = std::floor(d) == d;
  if (exponent >= -4 && exponent < (whole ? kWide : 6)) return fmt::format("{}", d);
  return text;
}

std::string scalar(const Value& v) {
  if (v.is(Kind::boolean)) return v.truth() ? "true" : "false";
  const auto small = v.number().to_int();
  return small ? std::to_string(*small) : go_float(v.number().to_double());
}

/// How deep a value stands, and whether one around it is sensitive: then its strings are hidden.
struct Place {
  std::size_t indent = 0;
  bool top = true, hidden = false;
  Place inside(bool now_hidden) const { return {indent + 2, false, now_hidden}; }
};

std::string text_of(const Value& v, const Place& at) {
  const bool hidden = at.hidden || v.marks().contains(Marks::sensitive());
  if (v.is_unknown()) return hidden ? "<sensitive>" : "<unknown>";
  if (v.is_null()) return "null";
  if (v.type().is_primitive() && hidden) return at.top ? "<sensitive>" : "\"<sensitive>\"";
  if (v.is(Kind::string)) return at.top ? v.text() : go_quoted(v.text());
  if (v.type().is_primitive()) return scalar(v);
  const std::string pad(at.indent + 2, ' ');
  std::string out;
  if (v.is(Kind::map) || v.is(Kind::object)) {
    for (const auto& [key, part] : v.entries()) {
      if (!part.is_null()) out += fmt::format("{}{} = {}\n", pad, go_quoted(key), text_of(part, at.inside(hidden)));
    }
    return out.empty() ? "{}" : "{\n" + out + std::string(at.indent, ' ') + "}";
  }
  for (const Value& part : v.elements()) out += fmt::format("{}{},\n", pad, text_of(part, at.inside(hidden)));
  return out.empty() ? "[]" : "[\n" + out + std::string(at.indent, ' ') + "]";
}

}  // namespace

std::string go_quoted(std::string_view text) {
  std::string out = "\"";
  std::int32_t at = 0;
  const auto size = static_cast<std::int32_t>(text.size());
  constexpr std::string_view kEscaped = "\a\b\f\n\r\t\v\\\"";
  constexpr std::string_view kLetters = "abfnrtv\\\"";
  while (at < size) {
    const std::int32_t begin = at;
    UChar32 code = 0;
    U8_NEXT(text.data(), at, size, code);
    const auto which = code >= 0 && code < 0x80 ? kEscaped.find(static_cast<char>(code)) : std::string_view::npos;
    if (which != std::string_view::npos) {
      out += '\\';
      out += kLetters[which];
    } else if (code < 0) {
      out += fmt::format("\\x{:02x}", static_cast<unsigned char>(text[static_cast<std::size_t>(begin)]));
    } else if (code == ' ' || (u_isgraph(code) != 0)) {
      out += text.substr(static_cast<std::size_t>(begin), static_cast<std::size_t>(at - begin));
    } else if (code < 0x80) {
      out += fmt::format("\\x{:02x}", static_cast<std::uint32_t>(code));
    } else {
      const auto number = static_cast<std::uint32_t>(code);
      out += number < 0x10000 ? fmt::format("\\u{:04x}", number) : fmt::format("\\U{:08x}", number);
    }
  }
  return out + '"';
}

std::string console_text(const Value& value) {
  return text_of(value, {});
}

}  // namespace kiln::tmpl
