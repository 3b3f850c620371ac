// Packer's templates in HCL's JSON syntax (.pkr.json): which properties are blocks, and with how many labels. Private
// to the room.
#pragma once

#include "template/json_syntax.h"

namespace kiln::tmpl {

/// The body as it would be in the native syntax. In the body of a component every property but "dynamic" is an
/// argument; who reads it takes objects for blocks where it wants blocks.
SyntaxBody packer_json_body(const SourceFile& file, std::shared_ptr<const JsonNode> root, Diagnostics& diagnostics);

/// The text of a string of a JSON file that holds no template sequences.
std::optional<std::string> json_text(const Expr& expr);

}  // namespace kiln::tmpl
