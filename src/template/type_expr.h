// Type constraints as they are written: string, list(number), object({ name = string, size = optional(number, 10) }).
#pragma once

#include "template/evaluate.h"

namespace kiln::tmpl {

/// Defaults of optional attributes, by the shape of the type.
struct Defaults {
  std::map<std::string, Value> values;       // of an object's attributes
  std::map<std::string, Defaults> children;  // by attribute, index, or "" for all elements of a collection
  bool empty() const { return values.empty() && children.empty(); }
};

struct Constraint {
  Type type;
  Defaults defaults;
};

/// Reads a constraint; problems are reported and the answer is empty.
std::optional<Constraint> read_type(const Expr& expr, Evaluation& evaluation);

/// The value with defaults put where optional attributes are missing or null. Convert it afterwards.
Value with_defaults(const Value& value, const Defaults& defaults);

}  // namespace kiln::tmpl
