// Path patterns of fileset: * ? [a-z] [!a-z] {a,b} within a name, ** for any number of directories, backslash escapes.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace kiln::tmpl {

/// A pattern with its {a,b} written out; at most 1,000 patterns.
Result<std::vector<std::string>> expand_braces(std::string_view pattern);

/// Whether one name of a path matches one part of a pattern (no slashes, no braces). An error for an unclosed [.
Result<bool> name_matches(std::string_view pattern, std::string_view name);

/// Whether a part of a pattern has no special characters.
bool is_literal(std::string_view pattern);

}  // namespace kiln::tmpl
