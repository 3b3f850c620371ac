// Functions of maps and objects. What is unknown or marked inside stays where it is.
#include "template/convert.h"
#include "template/functions_support.h"

namespace kiln::tmpl {

namespace {

Result<Type> keys_type(Arguments a, FunctionContext& context) {
  const Type& type = a[0].type();
  if (type.is_dynamic()) return Type();
  if (type.is(Kind::map)) return Type::list(Type::string());
  if (!type.is(Kind::object)) return context.bad_argument(0, "must have map or object type");
  return Type::tuple(std::vector<Type>(type.attributes().size(), Type::string()));
}

Result<Value> keys(Arguments a, FunctionContext& context) {
  const Type type = TRY(keys_type(a, context));
  const Marks marks = a[0].marks();
  Value::Elements names;
  if (a[0].is(Kind::object)) {
    for (const auto& [name, t] : a[0].type().attributes()) names.push_back(Value::string(name));
    return Value::tuple(std::move(names)).marked(marks);
  }
  if (a[0].is_unknown()) return Value::unknown(type).marked(marks);
  for (const auto& [name, v] : a[0].entries()) names.push_back(Value::string(name));
  return Value::list(Type::string(), std::move(names)).marked(marks);
}

Result<Type> values_type(Arguments a, FunctionContext&) {
  const Type& type = a[0].type();
  if (type.is_dynamic()) return Type();
  if (type.is(Kind::map)) return Type::list(type.element());
  if (!type.is(Kind::object)) return error(Errc::bad_template, "values() requires a map as the first argument");
  std::vector<Type> types;
  for (const auto& [name, t] : type.attributes()) types.push_back(t);
  return Type::tuple(std::move(types));
}

Result<Value> values(Arguments a, FunctionContext& context) {
  const Type type = TRY(values_type(a, context));
  Value::Elements out;
  for (const auto& [name, v] : a[0].entries()) out.push_back(v);
  Value v = type.is(Kind::list) ? Value::list(type.element(), std::move(out)) : Value::tuple(std::move(out));
  return v.marked(a[0].marks());
}

Result<Type> lookup_type(Arguments a, FunctionContext& context) {
  const Type& type = a[0].type();
  if (type.is_dynamic()) return Type();
  if (type.is(Kind::map)) {
    if (!convertible(a[2].type(), type.element()) || (a[2].is_known() && !convert(a[2], type.element())))
      return context.bad_argument(2, "the default value must have the same type as the map elements");
    return type.element();
  }
  if (!type.is(Kind::object)) return context.bad_argument(0, "lookup() requires a map as the first argument");
  if (!a[1].is_known()) return Type();
  const auto it = type.attributes().find(a[1].text());
  return it == type.attributes().end() ? a[2].type() : it->second;
}

Result<Value> lookup(Arguments a, FunctionContext& context) {
  const Type type = TRY(lookup_type(a, context));
  const Marks marks = a[0].marks() | a[1].marks();
  if (!a[0].is_wholly_known()) return Value::unknown(type).marked(marks);
  const auto it = a[0].entries().find(a[1].text());
  if (it != a[0].entries().end()) return it->second.marked(marks);
  return TRY(convert(a[2], type)).marked(marks);
}

/// The type of a merge where it can be told: that of all arguments when they agree, else an object of all names.
Result<Type> merge_type(Arguments a, FunctionContext&) {
  std::map<std::string, Type> attributes;
  bool named = true;
  bool alike = true;
  const auto shape = [](const Value& v) { return v.is(Kind::object) && v.is_null() ? Type::object({}) : v.type(); };
  for (const Value& v : a) {
    const Type& type = v.type();
    if (type.is_dynamic()) return Type();
    if (!is_mapping(type))
      return error(Errc::bad_template, "arguments must be maps or objects, got \"{}\"", type.name());
    alike = alike && shape(v) == shape(a[0]);
    if (type.is(Kind::object) && !v.is_null()) {
      for (const auto& [name, t] : type.attributes()) attributes[name] = t;
    } else if (type.is(Kind::map) && v.is_known()) {
      for (const auto& [name, entry] : v.entries()) attributes[name] = type.element();
    } else if (v.is_unknown()) {
      named = false;
    }
  }
  if (!a.empty() && alike) return shape(a[0]);
  return named ? Type::object(std::move(attributes)) : Type();
}

Result<Value> merge(Arguments a, FunctionContext& context) {
  const Type type = TRY(merge_type(a, context));
  Value::Entries out;
  Marks marks;
  for (const Value& v : a) {
    marks |= v.marks();
    if (v.is_null()) continue;
    if (!is_mapping(v.type()))
      return error(Errc::bad_template, "arguments must be maps or objects, got \"{}\"", v.type().name());
    for (const auto& [name, part] : v.entries()) out[name] = part;
    TRY(check_elements(out.size()));
  }
  Value v = type.is(Kind::map) ? Value::map(type.element(), std::move(out)) : Value::object(std::move(out));
  return v.marked(marks);
}

Result<Type> zipmap_type(Arguments a, FunctionContext&) {
  const Type& type = a[1].type();
  if (type.is_dynamic()) return Type();
  if (type.is(Kind::list)) return Type::map(type.element());
  if (!type.is(Kind::tuple)) return error(Errc::bad_template, "values argument must be a list or tuple value");
  if (!a[0].is_wholly_known()) return Type();
  const std::size_t names = a[0].length();
  const std::size_t parts = type.elements().size();
  if (names != parts)
    return error(Errc::bad_template, "number of keys ({}) does not match number of values ({})", names, parts);
  std::map<std::string, Type> attributes;
  for (std::size_t i = 0; i < names; ++i) {
    const Value& key = a[0].elements()[i];
    if (key.is_null()) return error(Errc::bad_template, "keys list has null value at index {}", i);
    attributes[key.text()] = type.elements()[i];
  }
  return Type::object(std::move(attributes));
}

Result<Value> zipmap(Arguments a, FunctionContext& context) {
  const Type type = TRY(zipmap_type(a, context));
  Marks marks = a[0].deep_marks() | a[1].marks();
  if (!a[0].is_wholly_known()) return Value::unknown(type).marked(marks);
  const Value::Elements& names = a[0].elements();
  const Value::Elements& parts = a[1].elements();
  if (names.size() != parts.size())
    return error(Errc::bad_template, "number of keys ({}) does not match number of values ({})", names.size(),
                 parts.size());
  Value::Entries out;
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (names[i].is_null()) return error(Errc::bad_template, "keys list has null value at index {}", i);
    out[names[i].text()] = parts[i];
  }
  Value v = type.is(Kind::map) ? Value::map(type.element(), std::move(out)) : Value::object(std::move(out));
  return v.marked(marks);
}

}  // namespace

void add_map_functions(FunctionTable& t) {
  t["keys"] = {.parameters = {{.name = "inputMap", .allow_unknown = true, .allow_partial = true, .allow_marked = true}},
               .result_of = keys_type,
               .call = keys};
  t["values"] = {.parameters = {parts_parameter("mapping")}, .result_of = values_type, .call = values};
  t["lookup"] = {.parameters = {parts_parameter("inputMap"),
                                {.name = "key", .type = Type::string(), .allow_marked = true},
                                parts_parameter("default")},
                 .result_of = lookup_type,
                 .call = lookup};
  t["merge"] = {.rest = Parameter{.name = "maps", .allow_null = true, .allow_partial = true, .allow_marked = true},
                .result_of = merge_type,
                .call = merge};
  t["zipmap"] = {
      .parameters = {{.name = "keys", .type = Type::list(Type::string()), .allow_partial = true, .allow_marked = true},
                     parts_parameter("values")},
      .result_of = zipmap_type,
      .call = zipmap};
}

}  // namespace kiln::tmpl
