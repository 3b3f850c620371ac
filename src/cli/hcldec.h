// kiln hcldec: the conformance entry. Takes the flags of hashicorp's hcldec, writes what it writes.
#pragma once

#include "cli/cli.h"

namespace kiln::cli {

/// argv without "hcldec". 0 with one line on stdout; 2 with diagnostics on stderr; 1 for everything else.
int hcldec(const std::vector<std::string>& argv, const Environment& environment);

}  // namespace kiln::cli
