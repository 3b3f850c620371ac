// The canonical form of native syntax: two spaces of indentation, one space where one belongs, equals signs and
// comments of neighbouring lines below each other. Works on tokens, so that comments and line breaks stay where they
// are. The rules are those of hashicorp/hcl's hclwrite; docs/format.md states them.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "template/diagnostic.h"

namespace kiln::tmpl {

/// The text in canonical form. It should parse; what does not is laid out as far as its tokens make sense.
std::string formatted(std::string_view text);

/// The canonical form of a file that parses; its problems are added to diagnostics, and then the answer is empty.
std::optional<std::string> format_file(const std::string& name, std::string text, Diagnostics& diagnostics);

}  // namespace kiln::tmpl
