// The functions of Go's text/template itself, as the engine of old JSON templates has them: print, printf, eq, len ...
// They stand in a table of their own under names with a space, which no template can write; go_calls.cc calls them.
// Values: strings, whole numbers, truths, null (nil), and floats as a tuple of one number. Language:
// pkg.go.dev/text/template and pkg.go.dev/fmt. Private to the room.
#pragma once

#include "template/function.h"

namespace kiln::tmpl {

/// What a name of the table starts with.
inline constexpr std::string_view kGoPrefix = "go ";

const FunctionTable& go_functions();

/// Text by a format with Go's verbs; what does not fit is said in the text itself, as Go does: "%!d(string=x)".
Result<std::string> go_printf(std::string_view format, Arguments arguments);

/// What is not empty, nil or zero is true.
bool is_go_true(const Value& value);

/// One value as Go's %v writes it.
std::string go_plain(const Value& value);

/// "string", "int", "float64", "bool" or "nil".
std::string_view go_type(const Value& value);
/// The number of an int or a float.
const Number& go_number(const Value& value);

}  // namespace kiln::tmpl
