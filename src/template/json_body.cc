// From JSON nodes to bodies and expressions of the native syntax.
#include "template/json_syntax.h"

namespace kiln::tmpl {

namespace {

ExprPtr make(const JsonNode& node, Span span, decltype(Expr::node) what) {
  return std::make_unique<const Expr>(Expr{node.file, span, std::move(what)});
}

/// A string as a template. Its places are counted from behind the quote, as if it held no escapes.
ExprPtr text_expression(const JsonNode& node, Span span, const std::string& text, JsonStrings strings) {
  if (strings == JsonStrings::literal) return make(node, span, LiteralExpr{Value::string(text)});
  Pos origin = node.file->pos(span.begin);
  ++origin.byte;
  ++origin.column;
  LateExpr out;
  auto file = std::make_shared<const SourceFile>(node.file->name(), text, origin);
  out.expr = parse_template(*file, out.problems);
  out.file = std::move(file);
  return make(node, span, std::move(out));
}

}  // namespace

ExprPtr json_expression(const JsonNode& node, JsonStrings strings) {
  switch (node.kind) {
    case JsonNode::Kind::string:
      return text_expression(node, node.span, node.text, strings);
    case JsonNode::Kind::number:
    case JsonNode::Kind::boolean:
      return make(node, node.span, LiteralExpr{node.value});
    case JsonNode::Kind::null:
      return make(node, node.span, LiteralExpr{Value::null()});
    case JsonNode::Kind::array: {
      TupleExpr out;
      for (const JsonNode& item : node.items) out.elements.push_back(json_expression(item, strings));
      return make(node, node.span, std::move(out));
    }
    case JsonNode::Kind::object: {
      ObjectExpr out;
      out.json = true;
      for (const JsonNode::Property& p : node.properties) {
        out.items.push_back({text_expression(node, p.name_span, p.name, strings), json_expression(p.value, strings)});
      }
      return make(node, node.span, std::move(out));
    }
    default:
      return make(node, node.span, LiteralExpr{Value::unknown()});
  }
}

SyntaxBody json_body(const SourceFile& file, std::shared_ptr<const JsonNode> root) {
  SyntaxBody out;
  out.file = &file;
  out.span = root->span;
  out.missing = root->kind == JsonNode::Kind::object  ? root->close
                : root->kind == JsonNode::Kind::array ? root->open
                                                      : root->span;
  out.json = std::move(root);
  return out;
}

}  // namespace kiln::tmpl
