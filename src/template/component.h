// What stands behind a Component: the blocks that make its body and what they can see. Private to the room.
#pragma once

#include "template/program.h"

namespace kiln::tmpl {

struct Component::Source {
  std::shared_ptr<const Program> program;
  const SyntaxBody* body = nullptr;
  std::shared_ptr<const Scope> scope;  // of body
  const SyntaxBody* extra = nullptr;   // what a build adds to a source; may not set what body sets
  std::shared_ptr<const Scope> extra_scope;
  std::set<std::string> meta;            // attributes that are not the component's: only, timeout ...
  std::optional<Option> overrides;       // options that replace those of body
  std::string build_name;                // build.name
  std::string source_type, source_name;  // source.type, source.name
  bool in_build = false;                 // sees build.ID and the others
};

}  // namespace kiln::tmpl
