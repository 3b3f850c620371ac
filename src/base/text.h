// Text for people and text from strangers: making control characters visible, nearest names for suggestions, sizes and
// durations as Packer prints them, splitting and joining.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace kiln {

/// Control characters (except tab, and newline where kept), DEL, C1 and invalid UTF-8 become \xNN, so that nothing that
/// a step or a server printed can move the cursor.
std::string visible(std::string_view text, bool keep_newlines = false);

/// The known name nearest to what was written, when it is near enough to suggest.
std::optional<std::string> nearest(std::string_view written, const std::vector<std::string>& known);

/// "455.4 MB", "12.0 kB", "17 B" (powers of 1000).
std::string human_bytes(std::uint64_t bytes);

/// Packer's form, the two largest units: "2 minutes 3 seconds", "450 milliseconds".
std::string human_duration(std::uint64_t milliseconds);

std::vector<std::string> split(std::string_view text, char separator);
std::string join(std::span<const std::string> parts, std::string_view separator);
std::string replace_all(std::string text, std::string_view from, std::string_view to);
std::string_view trim(std::string_view text);

/// ASCII only, whatever the locale.
bool is_ascii_letter(char c);
bool is_ascii_digit(char c);
std::string ascii_lower(std::string_view text);

/// Quotes for /bin/sh: single quotes around, where needed.
std::string shell_quote(std::string_view text);

/// Whether text is well-formed UTF-8 (no surrogates, no overlong forms).
bool is_utf8(std::string_view text);

/// gobwas-style glob without separators, as Packer's -only and -except use: * ? [a-z] [!x] {a,b} and backslash.
bool glob_match(std::string_view pattern, std::string_view text);

}  // namespace kiln
