// Expressions as text of the native syntax: what is read again means the same. For expressions that a program made
// (old JSON templates); those of a file are better copied from it. Private to the room.
#pragma once

#include <set>
#include <string>

#include "template/syntax.h"

namespace kiln::tmpl {

/// A string in quotes with the escapes of the native syntax; "${" and "%{" stay text.
std::string quoted_text(std::string_view text);

/// Whether a name can stand without quotes: as a key, behind a dot.
bool is_plain_name(std::string_view name);

/// What is called otherwise in the text than in the expression.
struct NewNames {
  std::set<std::string> locals;                  // variables that are locals now: var.x becomes local.x
  std::set<std::string>* environment = nullptr;  // set: env("X") becomes var.env_X, and X is added here
  std::string timestamp = "timestamp";           // what local.timestamp is called
};

std::string expression_text(const Expr& expr, const NewNames& names = {});

}  // namespace kiln::tmpl
