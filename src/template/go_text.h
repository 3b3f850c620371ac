// The template engine of Packer's old JSON templates: Go's text/template, translated to expressions, so that what is
// not known before a build runs stays unknown and secrets stay marked. {{ user `x` }} becomes var["x"]. Language:
// pkg.go.dev/text/template; functions: Packer's interpolation functions. Private to the room.
#pragma once

#include <map>

#include "template/syntax.h"

namespace kiln::tmpl {

/// What the functions of the engine answer without looking at the template.
struct GoTextContext {
  std::int64_t now = 0;  // timestamp
  std::string cwd, template_dir, packer_version;
  std::string builder;  // type, for clean_resource_name; empty outside builders
  bool symbolic =
      false;         // what this program knows stays a reference (path.cwd, local.timestamp ...), to be written down
  bool hcl = false;  // in an HCL2 template, which has var.x and env("X")
  const std::map<std::string, std::string>* data = nullptr;  // what a component knows: {{.Vars}}
};

/// The text as an expression that is a string. Actions that speak of data (.Vars, .Path) stay as they are: the
/// component that has the data renders them. at: the string in its file, for messages.
ExprPtr go_text(const SourceFile& file, Span at, const std::string& text, const GoTextContext& context,
                Diagnostics& diagnostics);

}  // namespace kiln::tmpl
