// Unification of types, as go-cty's convert.UnifyUnsafe does it.
#include <algorithm>
#include <map>

#include "template/convert.h"

namespace kiln::tmpl {

namespace {

/// One collection for collections and structures of its kind: what the structures hold unifies first.
std::optional<Type> unify_elements(std::span<const Type> types, bool unsafe, Type (*make)(Type)) {
  std::vector<Type> inside;
  std::vector<Type> parts;
  bool structural = false;
  for (const Type& t : types) {
    if (t.is_dynamic()) return Type::dynamic();
    structural = structural || t.is_structural();
    if (t.is(Kind::tuple)) {
      parts.insert(parts.end(), t.elements().begin(), t.elements().end());
    } else if (t.is(Kind::object)) {
      for (const auto& [name, part] : t.attributes()) parts.push_back(part);
    } else {
      inside.push_back(t.element());
    }
  }
  Type between;  // what structures become on their way, where they have parts
  if (structural && (!parts.empty() || inside.empty())) {
    const auto one = unify(parts, unsafe);
    if (!one) return std::nullopt;
    inside.push_back(*one);
    between = make(*one);
  }
  const auto one = unify(inside, unsafe);
  if (!one) return std::nullopt;
  Type result = make(*one);
  const auto fits = [&](const Type& t) {
    if (!t.is_structural() || between.is_dynamic()) return convertible(t, result, unsafe);
    return convertible(t, between, unsafe) && convertible(between, result, unsafe);
  };
  return std::all_of(types.begin(), types.end(), fits) ? std::optional(std::move(result)) : std::nullopt;
}

std::optional<Type> unify_objects(std::span<const Type> types, bool unsafe) {
  std::map<std::string, Type> attributes;
  for (const Type& t : types) {
    if (t.is_dynamic()) return Type::dynamic();
    const bool same = std::equal(t.attributes().begin(), t.attributes().end(), types[0].attributes().begin(),
                                 types[0].attributes().end(), [](auto& a, auto& b) { return a.first == b.first; });
    if (!same) return unify_elements(types, unsafe, Type::map);
  }
  for (const auto& [name, first] : types[0].attributes()) {
    std::vector<Type> parts;
    for (const Type& t : types) parts.push_back(t.attributes().at(name));
    const auto one = unify(parts, unsafe);
    if (!one) return std::nullopt;
    attributes[name] = *one;
  }
  return Type::object(std::move(attributes));
}

std::optional<Type> unify_tuples(std::span<const Type> types, bool unsafe) {
  std::vector<Type> elements;
  for (const Type& t : types) {
    if (t.is_dynamic()) return Type::dynamic();
    if (t.elements().size() != types[0].elements().size()) return unify_elements(types, unsafe, Type::list);
  }
  for (std::size_t i = 0; i < types[0].elements().size(); ++i) {
    std::vector<Type> parts;
    for (const Type& t : types) parts.push_back(t.elements()[i]);
    const auto one = unify(parts, unsafe);
    if (!one) return std::nullopt;
    elements.push_back(*one);
  }
  return Type::tuple(std::move(elements));
}

}  // namespace

std::optional<Type> unify(std::span<const Type> types, bool unsafe) {
  if (types.empty()) return Type::dynamic();
  if (std::all_of(types.begin(), types.end(), [&](const Type& t) { return t == types[0]; })) return types[0];
  std::size_t count[9] = {};
  for (const Type& t : types) ++count[static_cast<std::size_t>(t.kind())];
  const auto some = [&](Kind kind) { return count[static_cast<std::size_t>(kind)] > 0; };
  const auto all = [&](std::initializer_list<Kind> kinds) {
    std::size_t n = count[static_cast<std::size_t>(Kind::dynamic)];
    for (const Kind kind : kinds) n += count[static_cast<std::size_t>(kind)];
    return n == types.size() && count[static_cast<std::size_t>(*kinds.begin())] > 0;
  };
  if (all({Kind::map})) return unify_elements(types, unsafe, Type::map);
  if (all({Kind::list})) return unify_elements(types, unsafe, Type::list);
  if (all({Kind::set})) return unify_elements(types, unsafe, Type::set);
  if (all({Kind::object})) return unify_objects(types, unsafe);
  if (all({Kind::tuple})) return unify_tuples(types, unsafe);
  // Structures among collections are often meant as such; if not, one may still become the other.
  if (all({Kind::map, Kind::object}) && !some(Kind::dynamic)) {
    if (auto one = unify_elements(types, unsafe, Type::map)) return one;
  }
  if (all({Kind::list, Kind::tuple}) && !some(Kind::dynamic)) {
    if (auto one = unify_elements(types, unsafe, Type::list)) return one;
  }
  for (const bool lossy : {false, true}) {
    for (const Type& wanted : types) {
      if (wanted.is_dynamic() || (lossy && !unsafe)) continue;
      const bool fits = std::all_of(types.begin(), types.end(),
                                    [&](const Type& t) { return t.is_dynamic() || convertible(t, wanted, lossy); });
      if (fits) return wanted;
    }
  }
  // anything becomes what is not known yet, but objects and tuples never meet
  if (some(Kind::dynamic) && !(some(Kind::object) && some(Kind::tuple))) return Type::dynamic();
  return std::nullopt;
}

}  // namespace kiln::tmpl
