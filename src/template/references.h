// What an expression refers to, without evaluating it: for ordering locals and for checking validation conditions.
#pragma once

#include "template/syntax.h"

namespace kiln::tmpl {

/// A root name and, where it is written as root.name or root["name"], the name behind it, and the one behind that.
struct Reference {
  std::string root, name, part;
  Range range;
};

/// All references that leave the expression (not to variables of its own for expressions), in order of appearance.
std::vector<Reference> references_of(const Expr& expr);
/// The same of everything in a body.
std::vector<Reference> references_of(const SyntaxBody& body);

}  // namespace kiln::tmpl
