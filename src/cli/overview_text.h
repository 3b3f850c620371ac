// An overview of a template in words, as Packer's inspect and console print it, and as JSON.
#pragma once

#include "template/overview.h"

namespace kiln::cli {

/// The values of variables and locals.
std::string variables_text(const tmpl::Overview& overview);

/// What each build is made of.
std::string builds_text(const tmpl::Overview& overview);

/// All of it; a sensitive value is "<sensitive>", one that is not known null.
Json overview_json(const tmpl::Overview& overview);

}  // namespace kiln::cli
