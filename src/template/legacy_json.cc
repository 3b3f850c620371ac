#include "template/legacy_json.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/text.h"

namespace kiln::tmpl {

namespace {

using Node = JsonNode;
using Property = JsonNode::Property;

const std::vector<std::string> kRootKeys = {"builders",           "provisioners", "post-processors",
                                            "variables",          "description",  "sensitive-variables",
                                            "min_packer_version", "push",         "error-cleanup-provisioner"};

class LegacyReader {
 public:
  LegacyReader(const Node& root, const GoTextContext& context, Diagnostics& diagnostics)
      : root_(root), context_(context), diagnostics_(diagnostics) {}
  SyntaxBody read();

 private:
  void fail(Span at, std::string summary, std::string detail) {
    diagnostics_.push_back(
        {.summary = std::move(summary), .detail = std::move(detail), .subject = root_.file->range(at), .context = {}});
  }
  const Node* find(const Node& node, const std::string& name);
  bool is(const Node& node, Node::Kind kind, const char* what);
  std::string text(const Node& node, const std::string& name);
  ExprPtr make(Span at, decltype(Expr::node) node) const {
    return std::make_unique<const Expr>(Expr{root_.file, at, std::move(node)});
  }
  ExprPtr literal(Span at, const std::string& value) const { return make(at, LiteralExpr{Value::string(value)}); }
  ExprPtr expression(const Node& node);
  SyntaxBody body(const Node& node) const;
  void add(SyntaxBody& out, const std::string& name, Span at, ExprPtr value);
  SyntaxBody component(const Node& node, const std::set<std::string>& without);
  Block block(std::string type, std::vector<std::string> labels, const Node& node, SyntaxBody inside) const;

  void check_keys();
  void check_builder_names(const Node& node);
  void check_builder_name(const std::string& name, Span at, const char* what);
  ExprPtr duration(const Node& node);
  void minimum_version(SyntaxBody& out);
  void variables(SyntaxBody& out);
  void builders(SyntaxBody& out, Block& build);
  void builder(const Node& node, SyntaxBody& out, Block& build);
  void step(const Node& node, const char* type, SyntaxBody& out);
  void provisioners(SyntaxBody& out);
  void post_processors(SyntaxBody& out);
  void post_processor(const Node& node, SyntaxBody& out);

  const Node& root_;
  GoTextContext context_;
  Diagnostics& diagnostics_;
  std::set<std::string> builder_names_;
};

const Node* LegacyReader::find(const Node& node, const std::string& name) {
  const Node* found = nullptr;
  for (const Property& p : node.properties) {
    if (p.name != name) continue;
    if (found != nullptr) fail(p.name_span, "Duplicate key", fmt::format("\"{}\" is already set.", name));
    found = &p.value;
  }
  return found;
}

bool LegacyReader::is(const Node& node, Node::Kind kind, const char* what) {
  if (node.kind != kind) fail(node.start(), "Wrong JSON value", fmt::format("{} is needed here.", what));
  return node.kind == kind;
}

/// A string without actions in it; empty when it is absent.
std::string LegacyReader::text(const Node& node, const std::string& name) {
  const Node* value = find(node, name);
  if (value == nullptr || !is(*value, Node::Kind::string, "A string")) return {};
  if (value->text.find("{{") != std::string::npos)
    fail(value->span, "Value must be fixed", fmt::format("\"{}\" must be known before variables are.", name));
  return value->text;
}

ExprPtr LegacyReader::expression(const Node& node) {
  switch (node.kind) {
    case Node::Kind::string:
      return go_text(*root_.file, node.span, node.text, context_, diagnostics_);
    case Node::Kind::array: {
      TupleExpr out;
      for (const Node& item : node.items) out.elements.push_back(expression(item));
      return make(node.span, std::move(out));
    }
    case Node::Kind::object: {
      ObjectExpr out;
      out.json = true;
      for (const Property& p : node.properties) {
        ExprPtr key = go_text(*root_.file, p.name_span, p.name, context_, diagnostics_);
        out.items.push_back({std::move(key), expression(p.value)});
      }
      return make(node.span, std::move(out));
    }
    case Node::Kind::null:
      return make(node.span, LiteralExpr{Value::null()});
    default:
      return make(node.span, LiteralExpr{node.value});
  }
}

SyntaxBody LegacyReader::body(const Node& node) const {
  SyntaxBody out;
  out.file = root_.file;
  out.span = node.span;
  out.missing = node.start();
  return out;
}

void LegacyReader::add(SyntaxBody& out, const std::string& name, Span at, ExprPtr value) {
  if (out.find(name) != nullptr) {
    fail(at, "Duplicate key", fmt::format("\"{}\" is already set.", name));
  } else {
    out.attributes.push_back({name, at, std::move(value)});
  }
}

/// The options of an object, but for comments and the names in without.
SyntaxBody LegacyReader::component(const Node& node, const std::set<std::string>& without) {
  SyntaxBody out = body(node);
  for (const Property& p : node.properties) {
    if (without.contains(p.name) || p.name.starts_with('_')) continue;
    const bool time = p.name == "pause_before" || p.name == "timeout";
    add(out, p.name, p.name_span, time ? duration(p.value) : expression(p.value));
  }
  return out;
}

Block LegacyReader::block(std::string type, std::vector<std::string> labels, const Node& node,
                          SyntaxBody inside) const {
  Block out;
  out.type = std::move(type);
  out.labels = std::move(labels);
  out.type_span = out.header = out.open = node.start();
  out.label_spans.assign(out.labels.size(), node.start());
  out.body = std::move(inside);
  return out;
}

void LegacyReader::check_keys() {
  for (const Property& p : root_.properties) {
    if (p.name.starts_with('_')) {
      is(p.value, Node::Kind::string, "A string, a comment,");
      continue;
    }
    if (std::find(kRootKeys.begin(), kRootKeys.end(), p.name) != kRootKeys.end()) continue;
    const auto near = nearest(p.name, kRootKeys);
    fail(p.name_span, "Unknown root level key in template",
         fmt::format("A template has no \"{}\".{}", p.name, near ? " Did you mean \"" + *near + "\"?" : ""));
  }
}

void LegacyReader::minimum_version(SyntaxBody& out) {
  const std::string version = text(root_, "min_packer_version");
  if (version.empty()) return;
  const Node& node = *find(root_, "min_packer_version");
  SyntaxBody inside = body(node);
  add(inside, "required_version", node.span, literal(node.span, ">= " + version));
  out.blocks.push_back(block("packer", {}, node, std::move(inside)));
}

void LegacyReader::variables(SyntaxBody& out) {
  std::set<std::string> secret;
  const Node* names = find(root_, "sensitive-variables");
  if (names != nullptr && is(*names, Node::Kind::array, "An array of names")) {
    for (const Node& name : names->items) secret.insert(name.text);
  }
  const Node* all = find(root_, "variables");
  if (all == nullptr || !is(*all, Node::Kind::object, "An object of variables")) return;
  for (const Property& p : all->properties) {
    if (p.value.kind != Node::Kind::null && !is(p.value, Node::Kind::string, "A string, a variable's value,")) continue;
    SyntaxBody inside = body(p.value);
    if (p.value.kind != Node::Kind::null) add(inside, "default", p.name_span, expression(p.value));
    add(inside, "type", p.name_span, make(p.name_span, NameExpr{"string"}));
    if (secret.contains(p.name))
      add(inside, "sensitive", p.name_span, make(p.name_span, LiteralExpr{Value::boolean(true)}));
    Block variable = block("variable", {p.name}, p.value, std::move(inside));
    variable.type_span = variable.header = p.name_span;
    out.blocks.push_back(std::move(variable));
  }
}

/// A source with a made-up name and its use under the real one, which may hold dots and actions.
void LegacyReader::builder(const Node& node, SyntaxBody& out, Block& build) {
  if (!is(node, Node::Kind::object, "An object, a builder,")) return;
  const std::string type = text(node, "type");
  if (type.empty()) return fail(node.start(), "Missing type", "A builder needs its \"type\".");
  const Node* named = find(node, "name");
  if (named != nullptr && !is(*named, Node::Kind::string, "A string")) return;
  const std::string name = named == nullptr || named->text.empty() ? type : named->text;
  if (!builder_names_.insert(name).second)
    return fail(node.start(), "Duplicate builder name",
                fmt::format("There is already a builder \"{}\". Give this one another \"name\".", name));
  context_.builder = type;
  const std::string label = fmt::format("builder-{}", builder_names_.size());
  out.blocks.push_back(block("source", {type, label}, node, component(node, {"type", "name"})));
  SyntaxBody use = body(node);
  const Span at = named == nullptr ? node.start() : named->span;
  add(use, "name", at, go_text(*root_.file, at, name, context_, diagnostics_));
  context_.builder.clear();
  build.body.blocks.push_back(block("source", {type + "." + label}, node, std::move(use)));
}

void LegacyReader::builders(SyntaxBody& out, Block& build) {
  const Node* all = find(root_, "builders");
  if (all != nullptr && is(*all, Node::Kind::array, "An array of builders")) {
    for (const Node& node : all->items) builder(node, out, build);
  }
  if (all == nullptr || all->items.empty()) fail(root_.open, "No builders", "A template needs at least one builder.");
}

void LegacyReader::check_builder_name(const std::string& name, Span at, const char* what) {
  if (builder_names_.contains(name)) return;
  const auto near = nearest(name, std::vector<std::string>(builder_names_.begin(), builder_names_.end()));
  fail(at, "Unknown builder",
       fmt::format("\"{}\" names \"{}\", which no builder is called.{}", what, name,
                   near ? " Did you mean \"" + *near + "\"?" : ""));
}

/// Names in only, except and override must be those of builders.
void LegacyReader::check_builder_names(const Node& node) {
  for (const Property& p : node.properties) {
    if (p.name == "override") {
      for (const Property& own : p.value.properties) check_builder_name(own.name, own.name_span, "override");
    }
    if (p.name != "only" && p.name != "except") continue;
    for (const Node& item : p.value.items) check_builder_name(item.text, item.span, p.name.c_str());
  }
}

/// A number is nanoseconds.
ExprPtr LegacyReader::duration(const Node& node) {
  if (node.kind != Node::Kind::number) return expression(node);
  return literal(node.span, node.value.number().text() + "ns");
}

/// A provisioner or post-processor.
void LegacyReader::step(const Node& node, const char* kind, SyntaxBody& out) {
  if (!is(node, Node::Kind::object, "An object")) return;
  const std::string type = text(node, "type");
  if (type.empty()) return fail(node.start(), "Missing type", fmt::format("A {} needs its \"type\".", kind));
  check_builder_names(node);
  out.blocks.push_back(block(kind, {type}, node, component(node, {"type"})));
}

void LegacyReader::provisioners(SyntaxBody& out) {
  const Node* all = find(root_, "provisioners");
  if (all != nullptr && is(*all, Node::Kind::array, "An array of provisioners")) {
    for (const Node& node : all->items) step(node, "provisioner", out);
  }
  if (const Node* cleanup = find(root_, "error-cleanup-provisioner")) step(*cleanup, "error-cleanup-provisioner", out);
}

/// A name alone, or an object.
void LegacyReader::post_processor(const Node& node, SyntaxBody& out) {
  if (node.kind == Node::Kind::string) {
    out.blocks.push_back(block("post-processor", {node.text}, node, body(node)));
  } else {
    step(node, "post-processor", out);
  }
}

void LegacyReader::post_processors(SyntaxBody& out) {
  const Node* all = find(root_, "post-processors");
  if (all == nullptr || !is(*all, Node::Kind::array, "An array of post-processors")) return;
  for (const Node& node : all->items) {
    if (node.kind != Node::Kind::array) {
      post_processor(node, out);
      continue;
    }
    SyntaxBody chain = body(node);
    for (const Node& item : node.items) post_processor(item, chain);
    out.blocks.push_back(block("post-processors", {}, node, std::move(chain)));
  }
}

SyntaxBody LegacyReader::read() {
  SyntaxBody out = body(root_);
  if (!is(root_, Node::Kind::object, "An object, a template,")) return out;
  check_keys();
  const std::string description = text(root_, "description");
  minimum_version(out);
  variables(out);
  Block build = block("build", {}, root_, body(root_));
  if (!description.empty()) add(build.body, "description", root_.start(), literal(root_.start(), description));
  builders(out, build);
  provisioners(build.body);
  post_processors(build.body);
  out.blocks.push_back(std::move(build));
  return out;
}

}  // namespace

SyntaxBody legacy_body(const JsonNode& root, const GoTextContext& context, Diagnostics& diagnostics) {
  return LegacyReader(root, context, diagnostics).read();
}

}  // namespace kiln::tmpl
