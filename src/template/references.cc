#include "template/references.h"

#include "template/walk.h"

namespace kiln::tmpl {

namespace {

class Collector : public ExprWalker<Collector> {
 public:
  std::vector<Reference> found;

 private:
  friend ExprWalker;
  using ExprWalker::visit;

  void add(const Expr& e, const std::string& root, std::string name, std::string part) {
    if (!is_bound(root)) found.push_back({root, std::move(name), std::move(part), e.range()});
  }
  void visit(const Expr& e, const NameExpr& n) { add(e, n.name, "", ""); }
  void visit(const Expr& e, const PostfixExpr& p) {
    const auto* root = std::get_if<NameExpr>(&p.base->node);
    if (root != nullptr) {
      add(e, root->name, name_of(p.steps[0]), p.steps.size() > 1 ? name_of(p.steps[1]) : std::string());
    } else {
      walk(*p.base);
    }
    walk_steps(p.steps);
  }
  static std::string name_of(const Step& step) {
    if (step.how == Step::How::attribute) return step.name;
    if (step.how != Step::How::index) return {};
    const auto* key = std::get_if<LiteralExpr>(&step.index->node);
    return key != nullptr && key->value.is_known() && key->value.is(Kind::string) ? key->value.text() : std::string();
  }
  void visit(const Expr&, const CallExpr& c) {
    for (std::size_t i = 0; i < c.arguments.size(); ++i) {
      if (c.name != "convert" || i != 1) walk(*c.arguments[i]);  // the second argument of convert is a type
    }
  }
};

}  // namespace

std::vector<Reference> references_of(const Expr& expr) {
  Collector collector;
  collector.walk(expr);
  return std::move(collector.found);
}

std::vector<Reference> references_of(const SyntaxBody& body) {
  Collector collector;
  for (const Attribute& a : body.attributes) collector.walk(*a.expr);
  std::vector<Reference> out = std::move(collector.found);
  for (const Block& block : body.blocks) {  // parsing has bounded their depth
    const auto inside = references_of(block.body);
    out.insert(out.end(), inside.begin(), inside.end());
  }
  return out;
}

}  // namespace kiln::tmpl
