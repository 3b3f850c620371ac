// JSON: one value type for the whole program, strict parsing and stable text. Wraps nlohmann-json.
#pragma once

#include <nlohmann/json.hpp>

#include "base/error.h"

namespace kiln {

/// Objects keep their keys sorted, so that equal values have equal text.
using Json = nlohmann::json;

/// Parses untrusted text: at most 200 levels deep, valid UTF-8, no name twice in an object. Errc::corrupt says where.
Result<Json> parse_json(std::string_view text);

/// One line, sorted keys, invalid UTF-8 replaced.
std::string render_json(const Json& value);

/// Two-space indentation, no final newline (Packer's manifest form).
std::string render_json_pretty(const Json& value);

/// value[name] as a string, number or nothing when it is missing or of another type. Never throws.
std::string json_string(const Json& value, const std::string& name, std::string otherwise = {});
std::uint64_t json_uint(const Json& value, const std::string& name, std::uint64_t otherwise = 0);

}  // namespace kiln
