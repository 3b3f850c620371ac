// A second expression that is the same, for programs that need one in two places. Private to the room.
#pragma once

#include "template/syntax.h"

namespace kiln::tmpl {

/// Empty when the expression has more nodes than that.
ExprPtr expr_copy(const Expr& expr, std::size_t most);

}  // namespace kiln::tmpl
