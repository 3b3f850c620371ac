#include "template/references.h"

namespace kiln::tmpl {

namespace {

class Collector {
 public:
  std::vector<Reference> found;

  void walk(const Expr& e) {
    std::visit([&](const auto& node) { visit(e, node); }, e.node);
  }

 private:
  void add(const Expr& e, const std::string& root, std::string name, std::string part) {
    if (!bound_.contains(root)) found.push_back({root, std::move(name), std::move(part), e.range()});
  }
  void visit(const Expr&, const LiteralExpr&) {}
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
  void walk_steps(const std::vector<Step>& steps) {
    for (const Step& step : steps) {
      if (step.index) walk(*step.index);
      walk_steps(step.inside);
    }
  }
  void visit(const Expr&, const UnaryExpr& u) { walk(*u.operand); }
  void visit(const Expr&, const BinaryExpr& b) {
    walk(*b.first);
    for (const auto& tail : b.rest) walk(*tail.operand);
  }
  void visit(const Expr&, const ConditionalExpr& c) {
    walk(*c.condition);
    walk(*c.yes);
    walk(*c.no);
  }
  void visit(const Expr&, const TupleExpr& t) {
    for (const ExprPtr& element : t.elements) walk(*element);
  }
  void visit(const Expr&, const ObjectExpr& o) {
    for (const auto& item : o.items) {
      walk(*item.key);
      walk(*item.value);
    }
  }
  void visit(const Expr&, const ForExpr& f) {
    walk(*f.collection);
    const std::multiset<std::string> outer = bound_;
    bound_.insert({f.key_name, f.value_name});
    for (const Expr* part : {f.key.get(), f.value.get(), f.condition.get()}) {
      if (part != nullptr) walk(*part);
    }
    bound_ = outer;
  }
  void visit(const Expr&, const CallExpr& c) {
    for (std::size_t i = 0; i < c.arguments.size(); ++i) {
      if (c.name != "convert" || i != 1) walk(*c.arguments[i]);  // the second argument of convert is a type
    }
  }
  void visit(const Expr&, const ParenExpr& p) { walk(*p.inside); }
  void visit(const Expr&, const TemplateExpr& t) {
    for (const ExprPtr& part : t.parts) walk(*part);
  }
  void visit(const Expr&, const JoinExpr& j) { walk(*j.loop); }
  void visit(const Expr&, const LateExpr& l) {
    if (l.expr) walk(*l.expr);
  }

  std::multiset<std::string> bound_;
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
