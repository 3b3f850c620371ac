#include "template/syntax.h"

namespace kiln::tmpl {

namespace {

Span start_of_path(const Expr& expr, const PostfixExpr& path) {
  const Step& last = path.steps.back();
  if (last.how == Step::How::attribute_splat || last.how == Step::How::full_splat) return last.marker;
  if (last.how == Step::How::index && literal_key(last) == nullptr) return {last.span.begin, last.span.begin + 1};
  return expr.span;
}

}  // namespace

Span start_of(const Expr& expr) {
  const auto first_byte = Span{expr.span.begin, expr.span.begin + 1};
  if (const auto* paren = std::get_if<ParenExpr>(&expr.node)) return start_of(*paren->inside);
  if (const auto* literal = std::get_if<LiteralExpr>(&expr.node)) return literal->inside.value_or(expr.span);
  if (const auto* path = std::get_if<PostfixExpr>(&expr.node)) return start_of_path(expr, *path);
  if (const auto* unary = std::get_if<UnaryExpr>(&expr.node)) return {unary->signs[0].at, unary->signs[0].at + 1};
  if (const auto* binary = std::get_if<BinaryExpr>(&expr.node)) return start_of(*binary->first);
  if (const auto* choice = std::get_if<ConditionalExpr>(&expr.node)) return start_of(*choice->condition);
  if (const auto* call = std::get_if<CallExpr>(&expr.node)) return {call->name_span.begin, call->open.end};
  if (const auto* loop = std::get_if<ForExpr>(&expr.node)) return loop->open;
  if (const auto* join = std::get_if<JoinExpr>(&expr.node)) return start_of(*join->loop);
  if (std::holds_alternative<TupleExpr>(expr.node) || std::holds_alternative<ObjectExpr>(expr.node)) return first_byte;
  if (std::holds_alternative<LateExpr>(expr.node)) return expr.span;
  const auto* text = std::get_if<TemplateExpr>(&expr.node);
  return text != nullptr && !text->wrap && !text->parts.empty() ? start_of(*text->parts[0]) : expr.span;
}

const Expr& unwrapped(const Expr& expr) {
  const Expr* e = &expr;
  while (const auto* paren = std::get_if<ParenExpr>(&e->node)) e = paren->inside.get();
  return *e;
}

const LiteralExpr* literal_key(const Step& step) {
  return step.how == Step::How::index ? std::get_if<LiteralExpr>(&step.index->node) : nullptr;
}

std::size_t path_steps(const PostfixExpr& expr) {
  if (!std::holds_alternative<NameExpr>(expr.base->node)) return 0;
  std::size_t n = 0;
  while (n < expr.steps.size() && (expr.steps[n].how == Step::How::attribute || literal_key(expr.steps[n]) != nullptr))
    ++n;
  return n;
}

}  // namespace kiln::tmpl
