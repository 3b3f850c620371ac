#include "template/go_json.h"

#include <charconv>
#include <cmath>
#include <cstdlib>

namespace kiln::tmpl {

namespace {

/// The shortest digits that mean the same float64; an exponent below 1e-6 and from 1e21 on.
std::string number_text(double value) {
  char buffer[64];
  const auto end = std::to_chars(buffer, buffer + sizeof buffer, value, std::chars_format::scientific).ptr;
  const std::string text(buffer, end);
  const std::size_t e = text.find('e');
  const int exponent = static_cast<int>(std::strtol(text.c_str() + e + 1, nullptr, 10));
  std::string digits = text.substr(0, e);
  const std::string sign = digits[0] == '-' ? "-" : "";
  if (value != 0 && (exponent < -6 || exponent >= 21))
    return fmt::format("{}e{}{}", digits, exponent < 0 ? "-" : "+", std::abs(exponent));
  std::erase_if(digits, [](char c) { return c == '.' || c == '-'; });
  if (exponent < 0) return sign + "0." + std::string(static_cast<std::size_t>(-exponent) - 1, '0') + digits;
  const std::size_t whole = static_cast<std::size_t>(exponent) + 1;
  if (digits.size() <= whole) return sign + digits + std::string(whole - digits.size(), '0');
  return sign + digits.substr(0, whole) + "." + digits.substr(whole);
}

std::string string_text(const std::string& value) {
  std::string out = "\"";
  for (std::size_t i = 0; i < value.size(); ++i) {
    const auto c = static_cast<unsigned char>(value[i]);
    const std::string_view rest = std::string_view(value).substr(i);
    const bool separator = rest.starts_with("\u2028") || rest.starts_with("\u2029");
    if (separator) {
      out += value[i + 2] == '\xA8' ? "\\u2028" : "\\u2029";
      i += 2;
    } else if (c == '"' || c == '\\') {
      out += {'\\', value[i]};
    } else if (c == '\n' || c == '\r' || c == '\t') {
      out += c == '\n' ? "\\n" : c == '\r' ? "\\r" : "\\t";
    } else if (c < 0x20 || c == '&') {
      out += fmt::format("\\u{:04x}", c);
    } else {
      out += value[i];
    }
  }
  return out + '"';
}

void write(std::string& out, const Json& value, const std::string& indent) {
  const std::string inner = indent + "  ";
  if (value.is_number()) {
    out += number_text(value.get<double>());
  } else if (value.is_string()) {
    out += string_text(value.get_ref<const std::string&>());
  } else if (!value.is_structured()) {
    out += value.is_null() ? "null" : value.get<bool>() ? "true" : "false";
  } else if (value.empty()) {
    out += value.is_object() ? "{}" : "[]";
  } else {
    const char* brackets = value.is_object() ? "{}" : "[]";
    out += brackets[0];
    for (auto it = value.begin(); it != value.end(); ++it) {
      out += (it == value.begin() ? "\n" : ",\n") + inner;
      if (value.is_object()) out += string_text(it.key()) + ": ";
      write(out, *it, inner);
    }
    out += "\n" + indent + brackets[1];
  }
}

}  // namespace

std::string go_json(const Json& value) {
  std::string out;
  write(out, value, "");
  return out;
}

}  // namespace kiln::tmpl
