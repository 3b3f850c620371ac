// Local values: evaluated once, each after those it refers to.
#pragma once

#include <set>

#include "template/program.h"

namespace kiln::tmpl {

/// Evaluates all locals against the program's scope and sets local in it. Adds the texts of sensitive ones to secrets.
/// Answers the names of those that failed or need one that did; their problems are reported.
std::set<std::string> evaluate_locals(Loading& loading, std::vector<std::string>& secrets);

/// Texts of everything marked sensitive inside a value.
void collect_secrets(const Value& value, std::vector<std::string>& secrets);

}  // namespace kiln::tmpl
