#include "template/convert.h"

#include <algorithm>

namespace kiln::tmpl {

namespace {

bool safe_primitive(Kind from, Kind to) {
  return from == to || to == Kind::string;
}

bool primitives_convert(Kind from, Kind to, bool unsafe) {
  return safe_primitive(from, to) || (unsafe && from == Kind::string);
}

bool object_converts(const Type& from, const Type& to, bool unsafe) {
  return std::all_of(to.attributes().begin(), to.attributes().end(), [&](const auto& attribute) {
    const auto it = from.attributes().find(attribute.first);
    if (it == from.attributes().end()) return to.optional_names().contains(attribute.first);
    return convertible(it->second, attribute.second, unsafe);
  });
}

bool tuple_converts(const Type& from, const Type& to, bool unsafe) {
  if (from.elements().size() != to.elements().size()) return false;
  for (std::size_t i = 0; i < from.elements().size(); ++i) {
    if (!convertible(from.elements()[i], to.elements()[i], unsafe)) return false;
  }
  return true;
}

/// The one type of all parts of a collection. Not where it is open only because some part is not known yet.
std::optional<Type> one_type(const std::vector<Type>& types, bool unsafe) {
  auto one = unify(types, unsafe);
  const bool open = one && one->is_dynamic();
  if (open && !std::all_of(types.begin(), types.end(), [](const Type& t) { return t.is_dynamic(); }))
    return std::nullopt;
  return one;
}

/// All parts of a tuple or object to the element type of a collection.
bool parts_convert(const Type& from, const Type& element, bool unsafe) {
  std::vector<Type> types;
  if (from.is(Kind::tuple)) types = from.elements();
  if (from.is(Kind::object)) {
    for (const auto& [name, type] : from.attributes()) types.push_back(type);
  }
  if (element.is_dynamic() && from.is(Kind::object)) return unify(types, unsafe).has_value();
  if (element.is_dynamic()) return one_type(types, unsafe).has_value();
  return std::all_of(types.begin(), types.end(), [&](const Type& t) { return convertible(t, element, unsafe); });
}

Error mismatch(const Type& have, const Type& wanted);

/// Why the part at a place inside does not fit; nothing if it does.
std::optional<Error> part_mismatch(const std::string& place, const Type& have, const Type& wanted) {
  if (convertible(have, wanted)) return std::nullopt;
  Error e = mismatch(have, wanted);
  e.push(place);
  return e;
}

std::optional<Error> inner_mismatch(const Type& have, const Type& wanted) {
  if (have.is(Kind::object) && wanted.is(Kind::object)) {
    for (const auto& [name, type] : wanted.attributes()) {
      const auto it = have.attributes().find(name);
      if (it != have.attributes().end()) {
        if (auto e = part_mismatch(fmt::format("attribute \"{}\"", name), it->second, type)) return e;
      } else if (!wanted.optional_names().contains(name)) {
        return error(Errc::bad_template, "attribute \"{}\" is required", name);
      }
    }
  }
  if (have.is(Kind::object) && wanted.is(Kind::map)) {
    for (const auto& [name, type] : have.attributes()) {
      if (auto e = part_mismatch(fmt::format("element \"{}\"", name), type, wanted.element())) return e;
    }
  }
  if (!have.is(Kind::tuple)) return std::nullopt;
  for (std::size_t i = 0; i < have.elements().size(); ++i) {
    const bool tuple = wanted.is(Kind::tuple);
    if (!tuple && !wanted.is(Kind::list) && !wanted.is(Kind::set)) break;
    if (tuple && i >= wanted.elements().size()) break;
    const Type& type = tuple ? wanted.elements()[i] : wanted.element();
    if (auto e = part_mismatch(fmt::format("element {}", i), have.elements()[i], type)) return e;
  }
  return std::nullopt;
}

/// Why one type cannot become another, with the place inside.
Error mismatch(const Type& have, const Type& wanted) {
  if (auto inner = inner_mismatch(have, wanted)) return std::move(*inner);
  if (wanted.is(Kind::tuple) && have.is(Kind::tuple) && wanted.elements().size() != have.elements().size())
    return error(Errc::bad_template, "tuple of {} elements required, but have {}", wanted.elements().size(),
                 have.elements().size());
  if (wanted.is_collection() && wanted.element().is_dynamic() && have.is_structural())
    return error(Errc::bad_template, "all {} elements must have the same type",
                 wanted.is(Kind::list)  ? "list"
                 : wanted.is(Kind::set) ? "set"
                                        : "map");
  return error(Errc::bad_template, "{} required, but have {}", wanted.name(), have.name());
}

Result<Value> primitive(const Value& v, const Type& wanted) {
  if (v.type() == wanted) return v;
  if (wanted.is(Kind::string)) {
    if (v.is(Kind::boolean)) return Value::string(v.truth() ? "true" : "false");
    return Value::string(v.number().text());
  }
  if (v.is(Kind::string) && wanted.is(Kind::number)) {
    const auto number = Number::parse(v.text());
    if (!number) return error(Errc::bad_template, "a number is required");
    return Value::number(*number);
  }
  if (v.is(Kind::string) && wanted.is(Kind::boolean)) {
    if (v.text() == "true" || v.text() == "1") return Value::boolean(true);
    if (v.text() == "false" || v.text() == "0") return Value::boolean(false);
    for (const std::string_view good : {"true", "false"}) {
      const bool same = std::equal(good.begin(), good.end(), v.text().begin(), v.text().end(),
                                   [](char a, char b) { return a == (b >= 'A' && b <= 'Z' ? b + 32 : b); });
      if (same)
        return error(Errc::bad_template, "a bool is required; to convert from string, use lowercase \"{}\"", good);
    }
    return error(Errc::bad_template, "a bool is required");
  }
  return mismatch(v.type(), wanted);
}

/// The one type among those that are known.
std::optional<Type> agreed_type(const std::vector<Type>& types) {
  Type one;
  for (const Type& t : types) {
    if (one.is_dynamic()) one = t;
    if (!t.is_dynamic() && !(t == one)) return std::nullopt;
  }
  return one;
}

/// The type of all elements: the wanted one, or what they unify to where that leaves it open.
Result<Type> element_type(const std::vector<Type>& types, const Type& wanted, const Type& have, const Type& outer) {
  if (!wanted.has_dynamic()) return wanted;
  if (types.empty()) return wanted;
  auto one = one_type(types, true);
  if (!one && outer.is(Kind::map)) one = agreed_type(types);
  if (!one) return mismatch(have, outer);
  return *one;
}

/// Parts whose type stays open inside (tuples of null, say) may differ in it though they unify.
Result<void> all_of_one_type(const std::vector<Type>& types, std::string_view parts, std::string_view whole) {
  if (agreed_type(types)) return {};
  return error(Errc::bad_template, "{} types must all match for conversion to {}", parts, whole);
}

Result<Value> to_sequence(const Value& v, const Type& wanted) {
  Value::Elements parts;
  std::vector<Type> types;
  for (std::size_t i = 0; i < v.elements().size(); ++i) {
    parts.push_back(TRY(convert(v.elements()[i], wanted.element()).context("element {}", i)));
    types.push_back(parts.back().type());
  }
  const Type inside = v.type().is_collection() && types.empty() && wanted.element().is_dynamic()
                          ? v.type().element()
                          : TRY(element_type(types, wanted.element(), v.type(), wanted));
  types.clear();
  for (Value& part : parts) {
    part = TRY(convert(part, inside));
    types.push_back(part.type());
  }
  TRY(all_of_one_type(types, "element", wanted.is(Kind::list) ? "list" : "set"));
  return wanted.is(Kind::list) ? Value::list(inside, std::move(parts)) : Value::set(inside, std::move(parts));
}

Result<Value> to_map(const Value& v, const Type& wanted) {
  Value::Entries parts;
  std::vector<Type> types;
  for (const auto& [key, part] : v.entries()) {
    parts[key] = TRY(convert(part, wanted.element()).context("element \"{}\"", key));
    types.push_back(parts[key].type());
  }
  const Type inside = v.type().is_collection() && types.empty() && wanted.element().is_dynamic()
                          ? v.type().element()
                          : TRY(element_type(types, wanted.element(), v.type(), wanted));
  types.clear();
  for (auto& [key, part] : parts) {
    part = TRY(convert(part, inside));
    types.push_back(part.type());
  }
  TRY(all_of_one_type(types, "attribute", "map"));
  return Value::map(inside, std::move(parts));
}

Result<Value> to_object(const Value& v, const Type& wanted) {
  Value::Entries parts;
  for (const auto& [name, type] : wanted.attributes()) {
    const auto it = v.entries().find(name);
    if (it != v.entries().end()) {
      parts[name] = TRY(convert(it->second, type).context("attribute \"{}\"", name));
    } else if (wanted.optional_names().contains(name)) {
      parts[name] = Value::null(type);
    } else {
      return error(Errc::bad_template, "attribute \"{}\" is required", name);
    }
  }
  return Value::object(std::move(parts));
}

Result<Value> to_tuple(const Value& v, const Type& wanted) {
  Value::Elements parts;
  for (std::size_t i = 0; i < v.elements().size(); ++i) {
    parts.push_back(TRY(convert(v.elements()[i], wanted.elements()[i]).context("element {}", i)));
  }
  return Value::tuple(std::move(parts));
}

Result<Value> known(const Value& v, const Type& wanted) {
  if (!convertible(v.type(), wanted)) return mismatch(v.type(), wanted);
  switch (wanted.kind()) {
    case Kind::list:
    case Kind::set:
      return to_sequence(v, wanted);
    case Kind::map:
      return to_map(v, wanted);
    case Kind::object:
      return to_object(v, wanted);
    case Kind::tuple:
      return to_tuple(v, wanted);
    default:
      return primitive(v, wanted);
  }
}

}  // namespace

Type without_optional(const Type& type) {
  switch (type.kind()) {
    case Kind::list:
      return Type::list(without_optional(type.element()));
    case Kind::set:
      return Type::set(without_optional(type.element()));
    case Kind::map:
      return Type::map(without_optional(type.element()));
    case Kind::object: {
      std::map<std::string, Type> attributes;
      for (const auto& [name, t] : type.attributes()) attributes[name] = without_optional(t);
      return Type::object(std::move(attributes));
    }
    case Kind::tuple: {
      std::vector<Type> elements;
      for (const Type& t : type.elements()) elements.push_back(without_optional(t));
      return Type::tuple(std::move(elements));
    }
    default:
      return type;
  }
}

namespace {

Type completed(const Type& have, const Type& wanted);

/// What completed gives for the elements of a collection.
Type completed_element(const Type& have, const Type& wanted) {
  if (have.is_collection()) return completed(have.element(), wanted);
  std::vector<Type> types;
  if (have.is(Kind::tuple)) types = have.elements();
  if (have.is(Kind::object)) {
    for (const auto& [name, type] : have.attributes()) types.push_back(type);
  }
  return completed(unify(types).value_or(Type()), wanted);
}

/// The wanted type, where it is open filled in from the type that a value has now.
Type completed(const Type& have, const Type& wanted) {
  if (have.is_dynamic() || !wanted.has_dynamic()) return wanted;
  if (wanted.is_dynamic()) return have;
  if (wanted.is(Kind::list)) return Type::list(completed_element(have, wanted.element()));
  if (wanted.is(Kind::set)) return Type::set(completed_element(have, wanted.element()));
  if (wanted.is(Kind::map)) return Type::map(completed_element(have, wanted.element()));
  if (wanted.is(Kind::tuple)) {
    std::vector<Type> types;
    for (std::size_t i = 0; i < wanted.elements().size(); ++i)
      types.push_back(completed(have.elements()[i], wanted.elements()[i]));
    return Type::tuple(std::move(types));
  }
  std::map<std::string, Type> attributes;
  for (const auto& [name, type] : wanted.attributes()) {
    Type now;  // dynamic: that of an attribute that the value does not have
    if (have.is(Kind::map)) now = have.element();
    if (have.is(Kind::object) && have.attributes().contains(name)) now = have.attributes().at(name);
    attributes[name] = completed(now, type);
  }
  return Type::object(std::move(attributes));
}

/// What is known of an unknown value that becomes one of another type.
Refinement kept(const Value& value, const Type& wanted) {
  Refinement out = {.not_null = value.is_not_null()};
  const Type& type = value.type();
  if (!wanted.is_collection() || type.is_dynamic()) return out;
  const Refinement known = value.refinement();
  const bool tuple = type.is(Kind::tuple);
  const std::size_t parts = tuple ? type.elements().size() : type.is(Kind::object) ? type.attributes().size() : 0;
  out.min_length = type.is_structural() ? parts : known.min_length;
  out.max_length = type.is_structural() ? parts : known.max_length;
  if (wanted.is(Kind::set)) out.min_length = std::min<std::size_t>(out.min_length, 1);  // equal ones become one
  return out;
}

}  // namespace

bool convertible(const Type& from, const Type& to, bool unsafe) {
  if (to.is_dynamic() || from == to) return true;
  if (from.is_dynamic()) return unsafe;
  if (from.is_primitive() && to.is_primitive()) return primitives_convert(from.kind(), to.kind(), unsafe);
  const bool sequence = from.is(Kind::list) || from.is(Kind::set);
  switch (to.kind()) {
    case Kind::object:
      if (from.is(Kind::object)) return object_converts(from, to, unsafe);
      if (!from.is(Kind::map) || !unsafe) return false;
      return std::all_of(to.attributes().begin(), to.attributes().end(),
                         [&](const auto& a) { return convertible(from.element(), a.second, unsafe); });
    case Kind::tuple:
      return from.is(Kind::tuple) && tuple_converts(from, to, unsafe);
    case Kind::list:
    case Kind::set:
      if (from.is(Kind::list) && to.is(Kind::set) && !unsafe) return false;
      if (sequence) return convertible(from.element(), to.element(), unsafe);
      return from.is(Kind::tuple) && parts_convert(from, to.element(), unsafe);
    case Kind::map:
      if (from.is(Kind::map)) return convertible(from.element(), to.element(), unsafe);
      return from.is(Kind::object) && parts_convert(from, to.element(), unsafe);
    default:
      return false;
  }
}

Result<Value> convert(const Value& value, const Type& wanted) {
  if (wanted.is_dynamic() || value.type() == wanted) return value;
  if (value.is_known()) return TRY(known(value, wanted)).marked(value.marks());
  if (!convertible(value.type(), wanted)) return mismatch(value.type(), wanted);
  const Type type = completed(value.type(), without_optional(wanted));
  return (value.is_null() ? Value::null(type) : Value::unknown(type, kept(value, type))).marked(value.marks());
}

}  // namespace kiln::tmpl
