#include "template/pkr_json.h"

#include <fmt/format.h>

#include <set>

#include "template/body_content.h"
#include "template/parser.h"

namespace kiln::tmpl {

namespace {

/// Which properties of a body are blocks.
struct Shape {
  struct Inner {
    BodySchema::BlockType type;
    const Shape* shape;
  };
  std::vector<Inner> blocks;
};

/// A body of arguments, with dynamic blocks in it.
const Shape& component_shape() {
  static Shape dynamic;
  static Shape component{{{{"dynamic", {"type"}}, &dynamic}}};
  if (dynamic.blocks.empty()) dynamic.blocks.push_back({{"content", {}}, &component});
  return component;
}

const Shape& chain_shape() {
  static const Shape chain{
      {{{"post-processor", {"type"}}, &component_shape()}, {{"dynamic", {"type"}}, &component_shape()}}};
  return chain;
}

const Shape& build_shape() {
  static const Shape build{{{{"source", {"source"}}, &component_shape()},
                            {{"provisioner", {"type"}}, &component_shape()},
                            {{"error-cleanup-provisioner", {"type"}}, &component_shape()},
                            {{"post-processor", {"type"}}, &component_shape()},
                            {{"post-processors", {}}, &chain_shape()},
                            {{"hcp_packer_registry", {}}, &component_shape()}}};
  return build;
}

const Shape& file_shape() {
  static const Shape plain;
  static const Shape packer{{{{"required_plugins", {}}, &plain}}};
  static const Shape variable{{{{"validation", {}}, &plain}}};
  static const Shape file{{{{"packer", {}}, &packer},
                           {{"variable", {"name"}}, &variable},
                           {{"variables", {}}, &plain},
                           {{"local", {"name"}}, &plain},
                           {{"locals", {}}, &plain},
                           {{"source", {"type", "name"}}, &component_shape()},
                           {{"data", {"type", "name"}}, &component_shape()},
                           {{"build", {}}, &build_shape()},
                           {{"hcp_packer_registry", {}}, &component_shape()},
                           {{"communicator", {"type", "name"}}, &component_shape()}}};
  return file;
}

class Converter {
 public:
  explicit Converter(Diagnostics& diagnostics) : diagnostics_(diagnostics) {}
  SyntaxBody body(const SyntaxBody& json, const Shape& shape);

 private:
  void argument(SyntaxBody& out, const JsonNode::Property& property, std::set<std::string>& names);
  void arguments(SyntaxBody& out, const JsonNode& node, const Taken& taken, std::set<std::string>& names);
  Block block(const Block& json, const Shape& shape);
  Diagnostics& diagnostics_;
  std::size_t told_ = 0;  // names that stand twice; the first ones will do
};

void Converter::argument(SyntaxBody& out, const JsonNode::Property& property, std::set<std::string>& names) {
  if (names.insert(property.name).second) {
    out.attributes.push_back(
        {property.name, property.name_span, json_expression(property.value, JsonStrings::templates)});
    return;
  }
  if (++told_ > kMaxErrors) return;
  diagnostics_.push_back(
      {.summary = "Duplicate argument",
       .detail = fmt::format("The argument \"{}\" was already set. Each may be set only once.", property.name),
       .subject = out.file->range(property.name_span),
       .context = {}});
}

/// The properties that are no blocks.
void Converter::arguments(SyntaxBody& out, const JsonNode& node, const Taken& taken, std::set<std::string>& names) {
  for (const JsonNode::Property& property : node.properties) {
    if (property.name != "//" && !taken.arguments.contains(property.name)) argument(out, property, names);
  }
  if (node.kind != JsonNode::Kind::array) return;
  for (const JsonNode& item : node.items) arguments(out, item, taken, names);
}

Block Converter::block(const Block& json, const Shape& shape) {
  Block out;
  out.type = json.type;
  out.labels = json.labels;
  out.type_span = json.type_span;
  out.header = json.type_span;  // what is shown: the name of the property
  out.open = json.open;
  out.label_spans = json.label_spans;
  out.body = body(json.body, shape);
  return out;
}

SyntaxBody Converter::body(const SyntaxBody& json, const Shape& shape) {
  SyntaxBody out;
  out.file = json.file;
  out.span = json.span;
  out.missing = json.missing;
  BodySchema schema;
  for (const Shape::Inner& inner : shape.blocks) schema.blocks.push_back(inner.type);
  Taken taken;
  const Content content = read_part(json, schema, diagnostics_, taken);
  for (const Block* found : content.blocks) {
    for (const Shape::Inner& inner : shape.blocks) {
      if (inner.type.type == found->type) out.blocks.push_back(block(*found, *inner.shape));
    }
  }
  std::set<std::string> names;  // so far
  arguments(out, *json.json, taken, names);
  return out;
}

}  // namespace

std::optional<std::string> json_text(const Expr& expr) {
  const auto* late = std::get_if<LateExpr>(&expr.node);
  const auto* text = late != nullptr && late->expr ? std::get_if<LiteralExpr>(&late->expr->node) : nullptr;
  return text != nullptr ? std::optional(text->value.text()) : std::nullopt;
}

SyntaxBody packer_json_body(const SourceFile& file, std::shared_ptr<const JsonNode> root, Diagnostics& diagnostics) {
  return Converter(diagnostics).body(json_body(file, std::move(root)), file_shape());
}

}  // namespace kiln::tmpl
