// Input variables: their declarations, their values by precedence (default, environment, var files, command line), and
// the checks on the value finally chosen.
#pragma once

#include "template/program.h"
#include "template/type_expr.h"

namespace kiln::tmpl {

struct Variable {
  std::string name, description;
  Range range;  // of the declaration
  Constraint constraint;
  bool sensitive = false;
  std::vector<const Block*> validations;
  std::optional<Value> value;
  const Expr* late_default = nullptr;  // of old JSON templates: speaks of other variables
  bool broken = false;                 // the declaration or a value of it has been reported
  std::optional<Range> value_range;
};
using Variables = std::map<std::string, Variable>;

/// Declarations of all files, with defaults as values.
Variables read_variables(Loading& loading);

/// Gives values by precedence and reports what has none.
void assign_variables(Loading& loading, Variables& variables);

/// Runs the validation blocks.
void validate_variables(Loading& loading, const Variables& variables);

/// The object that templates see as var; broken variables are unknown in it.
Value variables_object(const Variables& variables);

}  // namespace kiln::tmpl
