// Whether a space stands between two tokens of a line in canonical form. Private to the formatter.
#pragma once

#include <span>

#include "template/format_tokens.h"

namespace kiln::tmpl {

/// Sets the spaces before each token but the first.
void space_between(std::span<Piece> cell);

}  // namespace kiln::tmpl
