// kiln hcl2_upgrade: an old JSON template as a template of the native syntax that means the same. What the engine of
// old templates does becomes expressions, as it does when kiln builds from the JSON itself.
#pragma once

#include "template/diagnostic.h"

namespace kiln::tmpl {

struct Upgraded {
  std::string text;         // in canonical form; empty when there is an error among the diagnostics
  Diagnostics diagnostics;  // in order of position
  Sources sources;
};

/// name: of the file, for diagnostics. annotations: comments that say what each part is.
Upgraded upgraded_template(const std::string& name, std::string text, bool annotations);

}  // namespace kiln::tmpl
