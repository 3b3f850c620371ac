#include "template/convert.h"
#include "template/evaluate.h"

namespace kiln::tmpl {

namespace {

std::vector<std::string> names_in(const Value& v) {
  std::vector<std::string> names;
  if (v.is_known()) {
    for (const auto& [name, part] : v.entries()) names.push_back(name);
  } else {
    for (const auto& [name, type] : v.type().attributes()) names.push_back(name);
  }
  return names;
}

/// What a map or an object has under a name; of an object that is not known its type knows the names.
std::optional<Value> entry_of(const Value& v, const std::string& name) {
  if (v.is_known()) {
    const auto it = v.entries().find(name);
    return it != v.entries().end() ? std::optional(it->second) : std::nullopt;
  }
  const auto it = v.type().attributes().find(name);
  return it != v.type().attributes().end() ? std::optional(Value::unknown(it->second)) : std::nullopt;
}

Value missing_entry(const Value& v, const std::string& name, const Range& at, Evaluation& evaluation) {
  const std::string hint = v.deep_marks().empty() ? did_you_mean(name, names_in(v)) : "";
  if (v.is(Kind::map))
    return fail(evaluation, at, "Missing map element",
                fmt::format("This map does not have an element with the key \"{}\".{}", name, hint));
  return fail(evaluation, at, "Unsupported attribute",
              fmt::format("This object does not have an attribute named \"{}\".{}", name, hint));
}

/// What comes out where the key or the whole collection is not known; nothing where there is a part to look for.
std::optional<Value> undetermined(const Value& v, const Value& key) {
  const bool collection = v.type().is_collection();
  if (key.is_known() && !(collection && v.is_unknown())) return std::nullopt;
  return collection ? Value::unknown(v.type().element()) : Value::unknown();
}

Value index_sequence(const Value& v, const Value& key, const Range& at, Evaluation& evaluation) {
  const auto bad = [&](std::string_view why) {
    return fail(evaluation, at, "Invalid index",
                fmt::format("The given key does not identify an element in this collection value: {}.", why));
  };
  const auto number = convert(key, Type::number());
  if (!number) return bad("a number is required");
  if (auto open = undetermined(v, key)) return std::move(*open);
  const Number& n = (*number).number();
  if (!n.is_integer()) return bad("a sequence has only whole numbers as indices");
  if (n.sign() < 0) return bad("a sequence has no negative indices");
  const auto i = n.to_int();
  const std::size_t size = v.is_known() ? v.length() : v.type().elements().size();
  if (size == 0) return bad("the collection has no elements");
  if (!i || static_cast<std::uint64_t>(*i) >= size)
    return bad(fmt::format("it has {} element{}, counted from 0", size, size == 1 ? "" : "s"));
  if (!v.is_known()) return Value::unknown(v.type().elements()[static_cast<std::size_t>(*i)]);
  return v.elements()[static_cast<std::size_t>(*i)];
}

Value index_named(const Value& v, const Value& key, const Range& at, Evaluation& evaluation) {
  const auto name = convert(key, Type::string());
  if (!name) return fail(evaluation, at, "Invalid index", "The key must be a string.");
  if (auto open = undetermined(v, key)) return std::move(*open);
  const std::string& text = (*name).text();
  if (auto entry = entry_of(v, text)) return std::move(*entry);
  const bool secret = !key.deep_marks().empty() || !v.deep_marks().empty();
  return fail(evaluation, at, "Invalid index",
              "The given key does not identify an element in this collection value." +
                  (secret ? std::string() : did_you_mean(text, names_in(v))));
}

Value index_plain(const Value& v, const Value& key, const Range& at, Evaluation& evaluation) {
  if (v.is_null())
    return fail(evaluation, at, "Attempt to index null value", "This value is null, so it does not have any indices.");
  if (key.is_null()) return fail(evaluation, at, "Invalid index", "A null value cannot be used as an index.");
  if (key.type().is_dynamic()) return Value::unknown();
  switch (v.type().kind()) {
    case Kind::list:
    case Kind::tuple:
      return index_sequence(v, key, at, evaluation);
    case Kind::map:
    case Kind::object:
      return index_named(v, key, at, evaluation);
    case Kind::dynamic:
      return Value::unknown();
    case Kind::set:
      return fail(evaluation, at, "Invalid index",
                  "The elements of a set have no index or key; a 'for' expression can go over all of them.");
    default:
      return fail(evaluation, at, "Invalid index", "This value does not have any indices.");
  }
}

Value attribute_plain(const Value& v, const std::string& name, const Range& at, Evaluation& evaluation) {
  if (v.is_null())
    return fail(evaluation, at, "Attempt to get attribute from null value",
                "This value is null, so it does not have any attributes.");
  if (v.is(Kind::dynamic)) return Value::unknown();
  if (v.is(Kind::map) && v.is_unknown()) return Value::unknown(v.type().element());
  if (v.is(Kind::object) || v.is(Kind::map)) {
    auto entry = entry_of(v, name);
    return entry ? std::move(*entry) : missing_entry(v, name, at, evaluation);
  }
  const bool sequence = v.is(Kind::list) || v.is(Kind::set) || v.is(Kind::tuple);
  return fail(evaluation, at, "Unsupported attribute",
              sequence ? fmt::format("This value is a {} and has no attributes. To take \"{}\" of every element, write "
                                     "[*].{}.",
                                     v.type().name(), name, name)
                       : fmt::format("This value is a {} and has no attributes.", v.type().name()));
}

}  // namespace

Value get_attribute(const Value& value, const std::string& name, const Range& at, Evaluation& evaluation) {
  return attribute_plain(value, name, at, evaluation).marked(value.marks());
}

Value get_index(const Value& value, const Value& key, const Range& at, Evaluation& evaluation) {
  return index_plain(value, key, at, evaluation).marked(value.marks() | key.deep_marks());
}

bool is_iterable(const Type& type) {
  return type.is_collection() || type.is_structural();
}

void each_part(const Value& collection, const EachPart& visit) {
  if (collection.is(Kind::map) || collection.is(Kind::object)) {
    for (const auto& [key, part] : collection.entries()) {
      if (!visit(Value::string(key), part)) return;
    }
    return;
  }
  std::int64_t index = 0;
  for (const Value& part : collection.elements()) {
    if (!visit(collection.is(Kind::set) ? part : Value::number(index++), part)) return;
  }
}

}  // namespace kiln::tmpl
