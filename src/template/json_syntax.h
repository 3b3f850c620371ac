// HCL's JSON syntax: JSON text to a tree with places, and from that tree, when it is known what is looked for, to the
// bodies and expressions of the native syntax. Every string is a template.
#pragma once

#include "template/parser.h"

namespace kiln::tmpl {

struct JsonNode {
  enum class Kind : std::uint8_t { object, array, string, number, boolean, null, invalid } kind = Kind::invalid;
  const SourceFile* file = nullptr;
  Span span, open, close;  // the brackets of objects and arrays
  std::string text;        // string
  Value value;             // number, boolean
  struct Property;
  std::vector<Property> properties;  // in order; names may come twice
  std::vector<JsonNode> items;
  Span start() const { return kind == Kind::object || kind == Kind::array ? open : span; }
};
struct JsonNode::Property {
  std::string name;
  Span name_span;
  JsonNode value;
};

/// A whole file: an object or an array of objects, or problems.
std::shared_ptr<const JsonNode> read_json(const SourceFile& file, Diagnostics& diagnostics);

/// Strings of JSON values: templates, or taken as they are (values of variables).
enum class JsonStrings : std::uint8_t { templates, literal };
ExprPtr json_expression(const JsonNode& node, JsonStrings strings);

/// The whole file as a body; what is in it is worked out by read_content() (body_content.h).
SyntaxBody json_body(const SourceFile& file, std::shared_ptr<const JsonNode> root);

}  // namespace kiln::tmpl
