// What a body holds of what is looked for: arguments and blocks by name, in either syntax. In JSON only the one who
// asks knows whether a property is an argument or a block, and how many of the objects inside it are labels.
#pragma once

#include <set>

#include "template/json_syntax.h"

namespace kiln::tmpl {

struct BodySchema {
  struct Argument {
    std::string name;
    bool required = false;
  };
  struct BlockType {
    std::string type;
    std::vector<std::string> labels;  // their names
  };
  std::vector<Argument> arguments;
  std::vector<BlockType> blocks;
};

struct Content {
  std::map<std::string, const Attribute*> arguments;
  std::vector<const Block*> blocks;             // in order
  Range missing;                                // where something would have to be added
  std::shared_ptr<const SyntaxBody> made = {};  // owns what came from JSON
};

/// Names that were looked for before: they are not there any more.
struct Taken {
  std::set<std::string> arguments, blocks;
};

/// All of the body: what the schema does not name is an error.
Content read_content(const SyntaxBody& body, const BodySchema& schema, Diagnostics& diagnostics, Taken taken = {});

/// What the schema names; it is added to taken. The rest is left alone.
Content read_part(const SyntaxBody& body, const BodySchema& schema, Diagnostics& diagnostics, Taken& taken);

/// The body as nothing but arguments.
Content read_arguments(const SyntaxBody& body, Diagnostics& diagnostics, JsonStrings strings = JsonStrings::templates);

}  // namespace kiln::tmpl
