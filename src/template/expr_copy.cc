#include "template/expr_copy.h"

namespace kiln::tmpl {

namespace {

class Copier {
 public:
  explicit Copier(std::size_t most) : left_(most) {}
  ExprPtr copy(const Expr& e) {
    if (left_ == 0) too_long_ = true;
    if (too_long_) return nullptr;
    --left_;
    return std::visit(
        [&](const auto& node) {
          return std::make_unique<const Expr>(Expr{e.file, e.span, same(node)});
        },
        e.node);
  }
  bool too_long() const { return too_long_; }

 private:
  ExprPtr copy(const ExprPtr& e) { return e ? copy(*e) : nullptr; }
  std::vector<ExprPtr> copies(const std::vector<ExprPtr>& all) {
    std::vector<ExprPtr> out;
    out.reserve(all.size());
    for (const ExprPtr& e : all) out.push_back(copy(e));
    return out;
  }
  std::vector<Step> steps(const std::vector<Step>& all) {
    std::vector<Step> out;
    out.reserve(all.size());
    for (const Step& s : all) out.push_back({s.span, s.how, s.name, copy(s.index), steps(s.inside), s.marker});
    return out;
  }
  static LiteralExpr same(const LiteralExpr& l) { return l; }
  static NameExpr same(const NameExpr& n) { return n; }
  ParenExpr same(const ParenExpr& p) { return {copy(p.inside)}; }
  PostfixExpr same(const PostfixExpr& p) { return {copy(p.base), steps(p.steps)}; }
  UnaryExpr same(const UnaryExpr& u) { return {u.signs, copy(u.operand)}; }
  BinaryExpr same(const BinaryExpr& b) {
    BinaryExpr out{copy(b.first), {}};
    for (const auto& tail : b.rest) out.rest.push_back({tail.op, copy(tail.operand)});
    return out;
  }
  ConditionalExpr same(const ConditionalExpr& c) { return {copy(c.condition), copy(c.yes), copy(c.no)}; }
  TupleExpr same(const TupleExpr& t) { return {copies(t.elements)}; }
  ObjectExpr same(const ObjectExpr& o) {
    ObjectExpr out{{}, o.json};
    for (const auto& item : o.items) out.items.push_back({copy(item.key), copy(item.value), item.forced});
    return out;
  }
  ForExpr same(const ForExpr& f) {
    return {f.key_name, f.value_name, copy(f.collection), copy(f.key), copy(f.value), copy(f.condition),
            f.group,    f.open};
  }
  CallExpr same(const CallExpr& c) { return {c.name, c.name_span, copies(c.arguments), c.expand, c.open, c.close}; }
  TemplateExpr same(const TemplateExpr& t) { return {copies(t.parts), t.wrap}; }
  JoinExpr same(const JoinExpr& j) { return {copy(j.loop)}; }
  LateExpr same(const LateExpr& l) { return {copy(l.expr), l.problems, l.file}; }

  std::size_t left_;
  bool too_long_ = false;
};

}  // namespace

ExprPtr expr_copy(const Expr& expr, std::size_t most) {
  Copier copier(most);
  ExprPtr out = copier.copy(expr);
  return copier.too_long() ? nullptr : std::move(out);
}

}  // namespace kiln::tmpl
