// UTF-8 a code point at a time, as the engine of old JSON templates counts. Private to go_*.cc.
#pragma once

#include <unicode/utf8.h>

#include <string>
#include <string_view>

namespace kiln::tmpl {

/// The code point at `at`, which moves behind it; U+FFFD for what is no UTF-8.
inline char32_t read_code_point(std::string_view text, std::size_t& at) {
  auto i = static_cast<std::int32_t>(at);
  UChar32 c = 0;
  U8_NEXT_OR_FFFD(text.data(), i, static_cast<std::int32_t>(text.size()), c);
  at = static_cast<std::size_t>(i);
  return static_cast<char32_t>(c);
}

/// Not for surrogates and what lies above U+10FFFF.
inline void append_code_point(std::string& out, char32_t c) {
  char buffer[U8_MAX_LENGTH];
  std::int32_t n = 0;
  U8_APPEND_UNSAFE(buffer, n, static_cast<UChar32>(c));
  out.append(buffer, static_cast<std::size_t>(n));
}

/// Bytes of the first n code points, or of all there are.
inline std::size_t code_point_bytes(std::string_view text, std::size_t n) {
  std::size_t at = 0;
  while (n-- > 0 && at < text.size()) read_code_point(text, at);
  return at;
}

inline std::size_t count_code_points(std::string_view text) {
  std::size_t n = 0;
  for (std::size_t at = 0; at < text.size(); ++n) read_code_point(text, at);
  return n;
}

}  // namespace kiln::tmpl
