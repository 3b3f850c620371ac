// kiln fix: old JSON templates whose keys had other names once, in the form of the last Packer that reads JSON. Each
// fix is one row of a table in fix.cc; the order is that of Packer's fix.
#pragma once

#include <string>
#include <string_view>

#include "base/error.h"

namespace kiln::tmpl {

/// The template's text, mended: sorted keys, two spaces of indentation, a newline at the end, numbers as Go prints
/// them. Errc::corrupt when it is no JSON object.
Result<std::string> fixed_template(std::string_view text);

}  // namespace kiln::tmpl
