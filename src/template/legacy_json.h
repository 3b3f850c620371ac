// Packer's old JSON templates ("builders", "provisioners", ...) as bodies of the new language, which the rest of the
// room reads as any other template. Private to the room.
#pragma once

#include "template/go_text.h"
#include "template/json_syntax.h"

namespace kiln::tmpl {

/// Variables, sources and one build. Keys that begin with "_" are comments.
SyntaxBody legacy_body(const JsonNode& root, const GoTextContext& context, Diagnostics& diagnostics);

}  // namespace kiln::tmpl
