#include "template/cty_json.h"

#include "template/functions_support.h"

namespace kiln::tmpl {

namespace {

template <class Items, class Text>
std::string listed(const Items& items, Text text) {
  std::string out;
  for (const auto& item : items) out += (out.empty() ? "" : ",") + text(item);
  return out;
}

std::string object_type_json(const Type& type) {
  const auto attribute = [](const auto& a) { return json_quoted(a.first) + ":" + type_json(a.second); };
  std::string out = "[\"object\",{" + listed(type.attributes(), attribute) + "}";
  if (!type.optional_names().empty()) out += ",[" + listed(type.optional_names(), json_quoted) + "]";
  return out + "]";
}

Result<std::string> entries_json(const Value& value, JsonNulls nulls) {
  std::string out;
  for (const auto& [key, part] : value.entries()) {
    if (part.is_null() && nulls == JsonNulls::drop) continue;
    out += (out.empty() ? "" : ",") + json_quoted(key) + ":" + TRY(value_json(part, nulls));
  }
  return "{" + out + "}";
}

Result<std::string> elements_json(const Value& value, JsonNulls nulls) {
  std::string out;
  for (const Value& part : value.elements()) out += (out.empty() ? "" : ",") + TRY(value_json(part, nulls));
  return "[" + out + "]";
}

}  // namespace

std::string type_json(const Type& type) {
  switch (type.kind()) {
    case Kind::list:
      return "[\"list\"," + type_json(type.element()) + "]";
    case Kind::set:
      return "[\"set\"," + type_json(type.element()) + "]";
    case Kind::map:
      return "[\"map\"," + type_json(type.element()) + "]";
    case Kind::object:
      return object_type_json(type);
    case Kind::tuple:
      return "[\"tuple\",[" + listed(type.elements(), type_json) + "]]";
    default:
      return "\"" + type.name() + "\"";
  }
}

Result<std::string> value_json(const Value& value, JsonNulls nulls) {
  if (value.is_null()) return std::string("null");
  if (value.is_unknown()) return error(Errc::bad_template, "value is not known");
  switch (value.type().kind()) {
    case Kind::string:
      return json_quoted(value.text());
    case Kind::number:
      if (value.number().is_infinite()) return error(Errc::bad_template, "an infinite number has no form in JSON");
      return value.number().text();
    case Kind::boolean:
      return std::string(value.truth() ? "true" : "false");
    case Kind::map:
    case Kind::object:
      return entries_json(value, nulls);
    default:
      return elements_json(value, nulls);
  }
}

Result<std::string> typed_value_json(const Value& value, JsonNulls nulls) {
  if (value.is_null() && value.type().is_dynamic()) return std::string("null");
  const std::string type = "\"type\":" + type_json(value.type());
  if (value.is_null() && nulls == JsonNulls::drop) return "{" + type + "}";
  return "{\"value\":" + TRY(value_json(value, nulls)) + "," + type + "}";
}

}  // namespace kiln::tmpl
