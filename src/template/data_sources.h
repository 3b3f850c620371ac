// Data sources: blocks whose values come from outside the template. Private to the room.
#pragma once

#include "template/program.h"

namespace kiln::tmpl {

/// Whether the block's type and labels are those of a data source that can be read; otherwise reported.
bool check_data_source(Loading& loading, const Block& block);

/// The object that data.TYPE.NAME stands for; unknown when something was wrong (reported).
Value read_data_source(Loading& loading, const Block& block, const std::shared_ptr<const Scope>& scope);

}  // namespace kiln::tmpl
