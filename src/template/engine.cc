#include "template/engine.h"

#include <algorithm>

#include "template/component_text.h"
#include "template/evaluate.h"
#include "template/go_text.h"
#include "template/go_tokens.h"

namespace kiln::tmpl {

namespace {

/// The text as the engine leaves it; its problems go to the evaluation's diagnostics.
Value rendered(const std::string& text, const GoTextContext& context, const Scope& scope, Evaluation& evaluation) {
  const SourceFile file("text", text);
  const ExprPtr expr = go_text(file, {}, text, context, *evaluation.diagnostics);
  return has_errors(*evaluation.diagnostics) ? Value::unknown(Type::string()) : evaluate(*expr, scope, evaluation);
}

/// Renders the strings of one component.
class TextRenderer {
 public:
  TextRenderer(const GoTextContext& context, const Scope& scope, Evaluation& evaluation)
      : context_(context), scope_(scope), evaluation_(evaluation) {}
  void render(Body& body);

 private:
  Value render(const Value& value, const Range& at);
  Value render_text(const Value& value, const Range& at);
  const GoTextContext& context_;
  const Scope& scope_;
  Evaluation& evaluation_;
};

bool has_actions(const Value& value) {
  if (!value.is_known()) return false;
  if (value.is(Kind::string)) return value.text().find("{{") != std::string::npos;
  if (value.type().is_primitive()) return false;
  if (value.is(Kind::map) || value.is(Kind::object))
    return std::any_of(value.entries().begin(), value.entries().end(),
                       [](const auto& e) { return has_actions(e.second); });
  return std::any_of(value.elements().begin(), value.elements().end(), has_actions);
}

Value TextRenderer::render_text(const Value& value, const Range& at) {
  Diagnostics problems;
  Diagnostics* const real = std::exchange(evaluation_.diagnostics, &problems);
  const Value out = rendered(value.text(), context_, scope_, evaluation_);
  evaluation_.diagnostics = real;
  for (Diagnostic& d : problems) {
    d.subject = at;
    if (value.is_sensitive()) d.detail = "This string, which is sensitive, is no template that the engine can read.";
    real->push_back(std::move(d));
  }
  return out.marked(value.marks());
}

Value TextRenderer::render(const Value& value, const Range& at) {
  if (!has_actions(value)) return value;
  if (value.is(Kind::string)) return render_text(value, at);
  if (value.is(Kind::map) || value.is(Kind::object)) {
    Value::Entries entries;
    for (const auto& [name, part] : value.entries()) entries[name] = render(part, at);
    const bool map = value.is(Kind::map);
    const Value out = map ? Value::map(value.type().element(), std::move(entries)) : Value::object(std::move(entries));
    return out.marked(value.marks());
  }
  Value::Elements elements;
  for (const Value& part : value.elements()) elements.push_back(render(part, at));
  const Value out = value.is(Kind::tuple)  ? Value::tuple(std::move(elements))
                    : value.is(Kind::list) ? Value::list(value.type().element(), std::move(elements))
                                           : Value::set(value.type().element(), std::move(elements));
  return out.marked(value.marks());
}

void TextRenderer::render(Body& body) {
  for (auto& [name, option] : body.options) option.value = render(option.value, option.range);
  for (auto& [type, blocks] : body.blocks) {
    for (NestedBlock& block : blocks) {
      Body inside = *block.body;
      render(inside);
      block.body = std::make_shared<const Body>(std::move(inside));
    }
  }
}

}  // namespace

void render_component(Body& body, const GoTextContext& context, const Scope& scope, Evaluation& evaluation) {
  TextRenderer(context, scope, evaluation).render(body);
}

std::vector<std::string> engine_fields(const std::string& text) {
  std::vector<std::string> fields;
  std::string problem;
  for (const GoPiece& piece : go_pieces(text, problem)) {
    if (!piece.action) continue;
    for (const GoToken& token : go_tokens(piece.text, problem)) {
      const bool fresh = std::find(fields.begin(), fields.end(), token.text) == fields.end();
      if (token.kind == GoToken::Kind::field && token.text != "." && fresh) fields.push_back(token.text);
    }
  }
  return fields;
}

Result<std::string> engine_text(const std::string& text, const std::map<std::string, std::string>& data) {
  if (text.find("{{") == std::string::npos) return text;
  const World world{.read_file = {}, .env = {}, .cwd = {}};
  Diagnostics problems;
  Evaluation evaluation{&world, {}, &problems};
  GoTextContext context;
  context.data = &data;
  const Value out = rendered(text, context, Scope(), evaluation);
  if (has_errors(problems)) return Error(Errc::bad_template, problems.front().detail);
  if (!out.is_known()) return error(Errc::bad_template, "\"{}\" asks for what is not known here", text);
  return out.text();
}

}  // namespace kiln::tmpl
