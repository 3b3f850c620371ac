// Parts of loading that an overview needs too. Private to the room.
#pragma once

#include "template/variables.h"

namespace kiln::tmpl {

/// path and packer, as expressions see them.
void set_context(Loading& loading);

/// What a caller is told of variables; sensitive ones are marked.
std::vector<VariableInfo> variable_infos(const Variables& variables);

}  // namespace kiln::tmpl
