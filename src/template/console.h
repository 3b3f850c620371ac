// Values as Packer's console prints them: strings raw at the top and quoted inside, lists one element a line.
#pragma once

#include "template/value.h"

namespace kiln::tmpl {

/// Without a final newline. Sensitive parts print as <sensitive>, unknown ones as <unknown>.
std::string console_text(const Value& value);

/// Text in double quotes with Go's escapes (%q).
std::string go_quoted(std::string_view text);

}  // namespace kiln::tmpl
