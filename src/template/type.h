// Types of the template language: string, number, bool, list, set, map, object, tuple, and dynamic ("any"), as go-cty
// has them. Structural equality; copies are cheap.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

namespace kiln::tmpl {

enum class Kind : std::uint8_t { dynamic, string, number, boolean, list, set, map, object, tuple };

class Type {
 public:
  Type() = default;  // dynamic
  static Type dynamic() { return {}; }
  static Type string() { return Type(Kind::string); }
  static Type number() { return Type(Kind::number); }
  static Type boolean() { return Type(Kind::boolean); }
  static Type list(Type element);
  static Type set(Type element);
  static Type map(Type element);
  /// Attributes in optional may be missing from what is converted to this type; they become null.
  static Type object(std::map<std::string, Type> attributes, std::set<std::string> optional = {});
  static Type tuple(std::vector<Type> elements);

  Kind kind() const { return kind_; }
  bool is(Kind kind) const { return kind_ == kind; }
  bool is_dynamic() const { return kind_ == Kind::dynamic; }
  bool is_primitive() const { return is(Kind::string) || is(Kind::number) || is(Kind::boolean); }
  bool is_collection() const { return is(Kind::list) || is(Kind::set) || is(Kind::map); }
  bool is_structural() const { return is(Kind::object) || is(Kind::tuple); }
  /// Whether dynamic is this type or inside it.
  bool has_dynamic() const;

  const Type& element() const;                            // list, set, map
  const std::map<std::string, Type>& attributes() const;  // object
  const std::set<std::string>& optional_names() const;    // object
  const std::vector<Type>& elements() const;              // tuple

  /// For people: "list of string".
  std::string name() const;
  /// As a type constraint: "list(string)".
  std::string text() const;
  bool operator==(const Type& other) const;

 private:
  struct Parts;
  explicit Type(Kind kind) : kind_(kind) {}
  Type(Kind kind, Parts parts);
  Kind kind_ = Kind::dynamic;
  std::shared_ptr<const Parts> parts_;
};

/// Whether the given type is the wanted one, where dynamic in that stands for any type.
bool conforms(const Type& given, const Type& wanted);

struct Type::Parts {
  Type element;
  std::map<std::string, Type> attributes;
  std::set<std::string> optional;
  std::vector<Type> elements;
  bool dynamic = false;  // has_dynamic()
};

}  // namespace kiln::tmpl
