// One node of an expression with what it needs to be evaluated: a function for each kind of node. The order of
// evaluation, and which problems hide others, are those of hashicorp/hcl v2. Private to evaluate*.cc.
#pragma once

#include "template/evaluate.h"

namespace kiln::tmpl {

class Evaluator {
 public:
  Evaluator(const Expr& expr, const Scope& scope, Evaluation& evaluation)
      : expr_(expr), scope_(scope), evaluation_(evaluation) {}

  Value operator()(const LiteralExpr& e) const { return e.value; }
  Value operator()(const ParenExpr& e) const { return value(*e.inside); }
  Value operator()(const NameExpr& e) const;
  Value operator()(const PostfixExpr& e) const;
  Value operator()(const UnaryExpr& e) const;
  Value operator()(const BinaryExpr& e) const;
  Value operator()(const ConditionalExpr& e) const;
  Value operator()(const TupleExpr& e) const;
  Value operator()(const ObjectExpr& e) const;
  Value operator()(const ForExpr& e) const;
  Value operator()(const CallExpr& e) const { return evaluate_call(expr_, e, scope_, evaluation_); }
  Value operator()(const TemplateExpr& e) const;
  Value operator()(const JoinExpr& e) const;
  Value operator()(const LateExpr& e) const;

 private:
  struct ForResult {
    Value::Elements elements;
    Value::Entries entries;
    std::map<std::string, Value::Elements> groups;
    Marks marks;
    bool known = true;
  };
  Value value(const Expr& e) const { return evaluate(e, scope_, evaluation_); }
  Value bad(Span at, std::string summary, std::string detail) const {
    return fail(evaluation_, range(at), std::move(summary), std::move(detail));
  }
  Range range(Span span) const { return expr_.file->range(span); }
  static std::optional<Type> result_type(const Value& yes, const Value& no);
  Value chosen(const Value& value, const Type& type, const Expr& at, const char* which) const;

  bool object_item(const ObjectExpr::Item& item, Value::Entries& entries, Marks& marks) const;
  bool json_item(const ObjectExpr::Item& item, Value::Entries& entries, Marks& marks) const;
  bool is_ambiguous(const ObjectExpr::Item& item) const;

  struct Path {
    Span base;
    const std::vector<Step>& steps;
    std::size_t problems_before;  // the base was evaluated
  };
  Value steps(Value base, const Path& path) const;
  Value splat_part(const Value& part, const Step& step) const;
  Value splat(const Value& base, Span base_span, const Step& step) const;
  Value splat_result(const Value& base, const Step& step, Value::Elements parts) const;
  Type splat_type(const Type& base, const Step& step) const;
  Type quiet_splat_type(const Type& base, const Step& step) const;

  std::optional<Value> collection(const ForExpr& e, ForResult& out) const;
  bool condition_fits(const ForExpr& e, ForResult& out) const;
  bool wanted(const ForExpr& e, const Scope& inside, ForResult& out) const;
  void item(const ForExpr& e, const Scope& inside, ForResult& out) const;
  std::optional<std::string> key(const ForExpr& e, const Scope& inside, ForResult& out) const;

  const Expr& expr_;
  const Scope& scope_;
  Evaluation& evaluation_;
};

}  // namespace kiln::tmpl
