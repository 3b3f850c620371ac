// Walks an expression: what looks for something in one says only what it does at the nodes it cares about.
#pragma once

#include <set>

#include "template/syntax.h"

namespace kiln::tmpl {

/// Visits the parts of an expression in order of appearance. Self is the class that derives from this; a visit() of its
/// own for a kind of node (with `using ExprWalker::visit`) takes the place of the walk below it.
template <class Self>
class ExprWalker {
 public:
  void walk(const Expr& e) {
    std::visit([&](const auto& node) { static_cast<Self*>(this)->visit(e, node); }, e.node);
  }

 protected:
  void visit(const Expr&, const LiteralExpr&) {}
  void visit(const Expr&, const NameExpr&) {}
  void visit(const Expr&, const ParenExpr& p) { walk(*p.inside); }
  void visit(const Expr&, const PostfixExpr& p) {
    walk(*p.base);
    walk_steps(p.steps);
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
    for (const ExprPtr& argument : c.arguments) walk(*argument);
  }
  void visit(const Expr&, const TemplateExpr& t) {
    for (const ExprPtr& part : t.parts) walk(*part);
  }
  void visit(const Expr&, const JoinExpr& j) { walk(*j.loop); }
  void visit(const Expr&, const LateExpr& l) {
    if (l.expr) walk(*l.expr);
  }

  void walk_steps(const std::vector<Step>& steps) {
    for (const Step& step : steps) {
      if (step.index) walk(*step.index);  // a literal leads nowhere
      walk_steps(step.inside);
    }
  }
  /// Whether a for expression around gives the name its value.
  bool is_bound(const std::string& name) const { return bound_.contains(name); }

 private:
  std::multiset<std::string> bound_;
};

}  // namespace kiln::tmpl
