// The engine of Packer's old templates, where it still speaks in HCL2: a component's strings may call its functions
// ({{timestamp}}) and name what only the component knows ({{.Vars}}). Language: go_text.h.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/error.h"

namespace kiln::tmpl {

/// The names of a component's data in a text, each once: ".Vars".
std::vector<std::string> engine_fields(const std::string& text);

/// The text with what the component knows put in; what it does not know stays as it is written.
Result<std::string> engine_text(const std::string& text, const std::map<std::string, std::string>& data);

}  // namespace kiln::tmpl
