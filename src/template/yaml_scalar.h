// What YAML scalars mean, as Packer resolves them: YAML 1.1's yes, no, on and off are truths, timestamps become RFC
// 3339 text, 0o and 0x numbers are read, not-a-number is refused.
#pragma once

#include "base/error.h"
#include "template/value.h"

namespace kiln::tmpl {

/// A plain scalar without a tag.
Result<Value> implicit_value(const std::string& text);

/// Whether tagged_value() knows a tag: str, bool, int, float, null, timestamp, binary.
bool is_scalar_tag(std::string_view tag);

/// A scalar with one of those tags.
Result<Value> tagged_value(std::string_view tag, const std::string& text);

}  // namespace kiln::tmpl
