// JSON as Go's encoding/json writes it, which Packer's tools print. Private to the room.
#pragma once

#include <string>

#include "base/json.h"

namespace kiln::tmpl {

/// Sorted keys, two spaces of indentation, no newline at the end. Numbers are float64; "&" becomes \u0026.
std::string go_json(const Json& value);

}  // namespace kiln::tmpl
