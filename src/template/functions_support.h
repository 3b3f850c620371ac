// What the files of functions share: the groups of the table, parameters, and checked readers and makers of values.
// Private to functions*.cc. Meaning and edge cases of each function are those of go-cty's standard library and of
// Packer's own functions.
#pragma once

#include <optional>
#include <string>

#include "template/function.h"

namespace kiln::tmpl {

void add_number_functions(FunctionTable& table);
void add_string_functions(FunctionTable& table);
void add_regex_functions(FunctionTable& table);
void add_format_functions(FunctionTable& table);
void add_list_functions(FunctionTable& table);
void add_map_functions(FunctionTable& table);
void add_set_functions(FunctionTable& table);
void add_encoding_functions(FunctionTable& table);
void add_json_functions(FunctionTable& table);
void add_csv_functions(FunctionTable& table);
void add_yaml_functions(FunctionTable& table);
void add_file_functions(FunctionTable& table);
void add_date_functions(FunctionTable& table);
void add_hash_functions(FunctionTable& table);
void add_network_functions(FunctionTable& table);
void add_secret_functions(FunctionTable& table);

inline Parameter text_parameter(std::string name) {
  return {.name = std::move(name), .type = Type::string()};
}
inline Parameter number_parameter(std::string name) {
  return {.name = std::move(name), .type = Type::number()};
}
/// Any value without marks, known in full.
inline Parameter any_parameter(std::string name) {
  return {.name = std::move(name)};
}
/// Any value whose parts may be unknown or marked; the function keeps the marks of what it passes on.
inline Parameter parts_parameter(std::string name) {
  return {.name = std::move(name), .allow_partial = true, .allow_marked = true};
}

/// A string of at most kMaxString bytes.
Result<Value> text_value(std::string_view text);

/// An argument as a whole number of 64 bits.
Result<std::int64_t> whole_number(Arguments arguments, std::size_t index, FunctionContext& context);

/// An error when a collection of n elements is above kMaxCollection.
Result<> check_elements(std::size_t n);

inline bool is_sequence(const Type& type) {
  return type.is(Kind::list) || type.is(Kind::set) || type.is(Kind::tuple);
}
inline bool is_mapping(const Type& type) {
  return type.is(Kind::map) || type.is(Kind::object);
}

/// A string as JSON text, escaping < > & and the line separators as Go does.
std::string json_quoted(std::string_view text);

/// A known value as JSON; infinities and too much text are errors.
Result<std::string> json_text(const Value& value);

/// Standard base64 with padding.
std::string base64_encoded(std::string_view bytes);

/// Strict but for line ends, which are skipped; nothing when it is not base64.
std::optional<std::string> base64_decoded(std::string_view text);

}  // namespace kiln::tmpl
