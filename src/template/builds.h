// Source and build blocks: one Build for each selected pair, filtered and merged.
#pragma once

#include "template/program.h"

namespace kiln::tmpl {

std::vector<Build> read_builds(Loading& loading);

}  // namespace kiln::tmpl
