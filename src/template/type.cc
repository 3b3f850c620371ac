#include "template/type.h"

#include <algorithm>
#include <utility>

namespace kiln::tmpl {

Type::Type(Kind kind, Parts parts) : kind_(kind), parts_(std::make_shared<const Parts>(std::move(parts))) {}

Type Type::list(Type element) {
  const bool dynamic = element.has_dynamic();
  return {Kind::list, {.element = std::move(element), .dynamic = dynamic}};
}

Type Type::set(Type element) {
  const bool dynamic = element.has_dynamic();
  return {Kind::set, {.element = std::move(element), .dynamic = dynamic}};
}

Type Type::map(Type element) {
  const bool dynamic = element.has_dynamic();
  return {Kind::map, {.element = std::move(element), .dynamic = dynamic}};
}

Type Type::object(std::map<std::string, Type> attributes, std::set<std::string> optional) {
  const bool dynamic =
      std::any_of(attributes.begin(), attributes.end(), [](const auto& a) { return a.second.has_dynamic(); });
  return {Kind::object,
          {.attributes = std::move(attributes), .optional = std::move(optional), .elements = {}, .dynamic = dynamic}};
}

Type Type::tuple(std::vector<Type> elements) {
  const bool dynamic = std::any_of(elements.begin(), elements.end(), [](const Type& t) { return t.has_dynamic(); });
  return {Kind::tuple, {.elements = std::move(elements), .dynamic = dynamic}};
}

bool Type::has_dynamic() const {
  return is_dynamic() || (parts_ && parts_->dynamic);
}
const Type& Type::element() const {
  return parts_->element;
}
const std::map<std::string, Type>& Type::attributes() const {
  return parts_->attributes;
}
const std::set<std::string>& Type::optional_names() const {
  return parts_->optional;
}
const std::vector<Type>& Type::elements() const {
  return parts_->elements;
}

std::string Type::name() const {
  switch (kind_) {
    case Kind::dynamic:
      return "dynamic";
    case Kind::string:
      return "string";
    case Kind::number:
      return "number";
    case Kind::boolean:
      return "bool";
    case Kind::list:
      return "list of " + (element().is_dynamic() ? "any single type" : element().name());
    case Kind::set:
      return "set of " + (element().is_dynamic() ? "any single type" : element().name());
    case Kind::map:
      return "map of " + (element().is_dynamic() ? "any single type" : element().name());
    case Kind::object:
      return "object";
    case Kind::tuple:
      return "tuple";
  }
  return {};
}

std::string Type::text() const {
  switch (kind_) {
    case Kind::dynamic:
      return "any";
    case Kind::list:
      return "list(" + element().text() + ")";
    case Kind::set:
      return "set(" + element().text() + ")";
    case Kind::map:
      return "map(" + element().text() + ")";
    case Kind::object: {
      std::string out;
      for (const auto& [key, type] : attributes()) {
        out += (out.empty() ? "" : ", ") + key + " = ";
        out += optional_names().contains(key) ? "optional(" + type.text() + ")" : type.text();
      }
      return "object({" + out + "})";
    }
    case Kind::tuple: {
      std::string out;
      for (const Type& type : elements()) out += (out.empty() ? "" : ", ") + type.text();
      return "tuple([" + out + "])";
    }
    default:
      return name();
  }
}

bool Type::operator==(const Type& other) const {
  if (kind_ != other.kind_) return false;
  if (parts_ == other.parts_) return true;
  const Parts& a = *parts_;
  const Parts& b = *other.parts_;
  return a.element == b.element && a.attributes == b.attributes && a.optional == b.optional && a.elements == b.elements;
}

bool conforms(const Type& given, const Type& wanted) {
  if (wanted.is_dynamic() || given == wanted) return true;
  if (given.kind() != wanted.kind() || !wanted.has_dynamic()) return false;
  if (wanted.is_collection()) return conforms(given.element(), wanted.element());
  if (wanted.is(Kind::tuple))
    return std::equal(given.elements().begin(), given.elements().end(), wanted.elements().begin(),
                      wanted.elements().end(), conforms);
  const auto fits = [](const auto& a, const auto& b) { return a.first == b.first && conforms(a.second, b.second); };
  return std::equal(given.attributes().begin(), given.attributes().end(), wanted.attributes().begin(),
                    wanted.attributes().end(), fits);
}

}  // namespace kiln::tmpl
