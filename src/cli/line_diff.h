// What formatting changed, as a unified diff.
#pragma once

#include <string>
#include <string_view>

namespace kiln::cli {

/// Unified diff with three lines of context, as `diff -u` writes it, of two texts that have the same number of lines: a
/// line is compared with the one in its place. Labels are old/NAME and new/NAME. Empty when the texts are equal.
std::string line_diff(std::string_view before, std::string_view after, const std::string& name);

}  // namespace kiln::cli
