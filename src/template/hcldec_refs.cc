#include <fmt/format.h>

#include "template/cty_json.h"
#include "template/functions_support.h"
#include "template/hcldec_spec.h"
#include "template/walk.h"

namespace kiln::tmpl {

namespace {

/// A path of names and literal indices from a root name: what an expression asks of the scope.
struct Path {
  const Expr* expr;  // of the root name
  std::vector<const Step*> steps;
};

class PathCollector : public ExprWalker<PathCollector> {
 public:
  std::vector<Path> found;

 private:
  friend ExprWalker;
  using ExprWalker::visit;

  void add(const Expr& root, const std::string& name, std::vector<const Step*> steps) {
    if (!is_bound(name)) found.push_back({&root, std::move(steps)});
  }
  void visit(const Expr& e, const NameExpr& n) { add(e, n.name, {}); }
  void visit(const Expr&, const PostfixExpr& e) {
    const std::size_t n = path_steps(e);
    if (const auto* root = std::get_if<NameExpr>(&e.base->node)) {
      std::vector<const Step*> steps;
      for (std::size_t i = 0; i < n; ++i) steps.push_back(&e.steps[i]);
      add(*e.base, root->name, std::move(steps));
    } else {
      walk(*e.base);
    }
    walk_steps(e.steps);
  }
};

std::string pos_json(const Pos& p) {
  return fmt::format("{{\"line\":{},\"column\":{},\"byte\":{}}}", p.line, p.column, p.byte);
}

std::string range_json(const Range& r) {
  return fmt::format("{{\"filename\":{},\"start\":{},\"end\":{}}}", json_quoted(r.file), pos_json(r.start),
                     pos_json(r.end));
}

std::string step_json(const Step& step, const SourceFile& file) {
  const std::string range = ",\"range\":" + range_json(file.range(step.span)) + "}";
  if (step.how == Step::How::attribute) return "{\"kind\":\"attr\",\"name\":" + json_quoted(step.name) + range;
  const auto key = value_json(literal_key(step)->value, JsonNulls::keep);
  return "{\"kind\":\"index\"" + (key ? ",\"key\":" + *key : std::string()) + range;
}

class ReferenceWriter {
 public:
  ReferenceWriter(const SpecScope& scope, const World& world) : scope_(scope), world_(world) {}
  void body(const Spec& spec, const SyntaxBody& syntax);
  std::string text() const { return "[" + out_ + "]"; }

 private:
  void needed(const Spec& spec, const Content& content);
  void same_body(const Spec& spec, const Content& content);
  void expression(const Expr& expr);
  std::string text_of(const Path& path) const;
  std::optional<std::string> value_of(const Path& path) const;

  const SpecScope& scope_;
  const World& world_;
  std::string out_;
};

/// The value that the path has now, if it has one.
std::optional<std::string> ReferenceWriter::value_of(const Path& path) const {
  Diagnostics ignored;
  Evaluation evaluation{&world_, ".", &ignored};
  Value v = evaluate(*path.expr, *scope_.names, evaluation);
  for (const Step* step : path.steps) {
    v = step->how == Step::How::attribute ? get_attribute(v, step->name, {}, evaluation)
                                          : get_index(v, literal_key(*step)->value, {}, evaluation);
  }
  const auto text =
      has_errors(ignored) ? Result<std::string>(Error(Errc::not_found, "")) : value_json(v, JsonNulls::keep);
  return text ? std::optional(*text) : std::nullopt;
}

std::string ReferenceWriter::text_of(const Path& path) const {
  const SourceFile& file = *path.expr->file;
  const std::string& name = std::get<NameExpr>(path.expr->node).name;
  std::string steps =
      "{\"kind\":\"root\",\"name\":" + json_quoted(name) + ",\"range\":" + range_json(path.expr->range()) + "}";
  Span whole = path.expr->span;
  for (const Step* step : path.steps) {
    steps += "," + step_json(*step, file);
    whole.end = step->span.end;
  }
  const auto value = value_of(path);
  return "{\"root_name\":" + json_quoted(name) + (value ? ",\"value\":" + *value : std::string()) + ",\"steps\":[" +
         steps + "],\"range\":" + range_json(file.range(whole)) + "}";
}

void ReferenceWriter::expression(const Expr& expr) {
  PathCollector collector;
  collector.walk(expr);
  for (const Path& p : collector.found) out_ += (out_.empty() ? "" : ",") + text_of(p);
}

void ReferenceWriter::needed(const Spec& spec, const Content& content) {
  if (spec.kind == Spec::Kind::attribute) {
    const auto it = content.arguments.find(spec.name);
    if (it != content.arguments.end()) expression(*it->second->expr);
  }
  if (!spec.is_block()) return;
  for (const Block* block : content.blocks) {
    if (block->type != spec.name) continue;
    if (spec.kind == Spec::Kind::block_attributes) {
      Diagnostics ignored;
      const Content inside = read_arguments(block->body, ignored);
      for (const auto& [name, a] : inside.arguments) expression(*a->expr);
    } else {
      body(*spec.parts[0], block->body);
    }
    if (spec.kind == Spec::Kind::block || spec.kind == Spec::Kind::block_attributes) return;  // the first one counts
  }
}

void ReferenceWriter::same_body(const Spec& spec, const Content& content) {
  needed(spec, content);
  if (spec.is_block()) return;
  for (const auto& [key, child] : spec.keys) same_body(*child, content);
  for (const SpecPtr& part : spec.parts) same_body(*part, content);
}

void ReferenceWriter::body(const Spec& spec, const SyntaxBody& syntax) {
  Diagnostics ignored;
  Taken taken;
  same_body(spec, read_part(syntax, implied_schema(spec), ignored, taken));
}

}  // namespace

std::string references_json(const Spec& spec, const SyntaxBody& body, const SpecScope& scope, const World& world) {
  ReferenceWriter writer(scope, world);
  writer.body(spec, body);
  return writer.text();
}

}  // namespace kiln::tmpl
