#include "template/function.h"

namespace kiln::tmpl {

namespace {

const Parameter kText{.name = "str", .type = Type::string()};

std::string map_ascii(const std::string& text, char from, char to, int by) {
  std::string out = text;
  for (char& c : out) {
    if (c >= from && c <= to) c = static_cast<char>(c + by);
  }
  return out;
}

Result<Value> upper(Arguments a, FunctionContext&) {
  return Value::string(map_ascii(a[0].text(), 'a', 'z', 'A' - 'a'));
}
Result<Value> lower(Arguments a, FunctionContext&) {
  return Value::string(map_ascii(a[0].text(), 'A', 'Z', 'a' - 'A'));
}

Result<Value> length(Arguments a, FunctionContext& context) {
  if (a[0].is(Kind::string)) return context.bad_argument(0, "argument must be a list, tuple, map, object or set");
  if (a[0].type().is_primitive()) return context.bad_argument(0, "a collection is required");
  return Value::number(static_cast<std::int64_t>(a[0].length()));
}

}  // namespace

const std::map<std::string, Function>& functions() {
  static const std::map<std::string, Function> table = {
      {"length", {.parameters = {{.name = "value", .allow_partial = true}}, .result = Type::number(), .call = length}},
      {"lower", {.parameters = {kText}, .result = Type::string(), .call = lower}},
      {"upper", {.parameters = {kText}, .result = Type::string(), .call = upper}},
  };
  return table;
}

}  // namespace kiln::tmpl
