// The engine of old templates over the strings of an evaluated component. Private to the room.
#pragma once

#include "template/evaluate.h"
#include "template/go_text.h"

namespace kiln::tmpl {

/// Each string with {{ }} in it as the engine leaves it. What speaks of the component's data stays; problems are
/// reported at the option that they are in.
void render_component(Body& body, const GoTextContext& context, const Scope& scope, Evaluation& evaluation);

}  // namespace kiln::tmpl
