// Conversion of values between types and unification of types, with go-cty's rules.
#pragma once

#include <optional>
#include <span>

#include "base/error.h"
#include "template/value.h"

namespace kiln::tmpl {

/// Whether a value of one type can be converted to another; with unsafe also where it depends on the value
/// (string to number, map to object, list to set).
bool convertible(const Type& from, const Type& to, bool unsafe = true);

/// The value as the wanted type, marks kept. dynamic in the wanted type takes what comes (all elements of list(any)
/// become one type). The error says what is wrong and where inside the value: "element 2: a number is required".
Result<Value> convert(const Value& value, const Type& wanted);

/// Without optional attributes: the type that values have.
Type without_optional(const Type& type);

/// The type that values of all these types can be converted to; nothing if there is none. No types: dynamic.
std::optional<Type> unify(std::span<const Type> types, bool unsafe = true);

}  // namespace kiln::tmpl
