// Values and types as go-cty writes them in JSON: numbers in full decimal, types as "string", ["list","string"],
// ["object",{...}].
#pragma once

#include "base/error.h"
#include "template/value.h"

namespace kiln::tmpl {

std::string type_json(const Type& type);

/// Nulls inside objects and maps may be left out. Errors: a value that is not known, an infinite number.
enum class JsonNulls : std::uint8_t { keep, drop };
Result<std::string> value_json(const Value& value, JsonNulls nulls);

/// {"value":...,"type":...}
Result<std::string> typed_value_json(const Value& value, JsonNulls nulls);

}  // namespace kiln::tmpl
