// Version constraints as in required_version: ">= 1.7.0, < 2.0", "~> 1.9".
#pragma once

#include <string_view>

#include "base/error.h"

namespace kiln::tmpl {

/// Whether a version (1.16.0) meets all the constraints. Errc::bad_template when they cannot be read.
Result<bool> version_meets(std::string_view version, std::string_view constraints);

}  // namespace kiln::tmpl
