// The functions of old JSON templates as expressions. Private to go_text.cc.
#pragma once

#include "template/go_text.h"

namespace kiln::tmpl {

/// What is known of a value before it is evaluated.
enum class GoType : std::uint8_t { any, text, integer, real, boolean, nil };

/// A part of an action: its expression, and what is known of it without evaluation.
struct GoValue {
  ExprPtr expr;
  GoType type = GoType::any;
  std::optional<std::string> constant = {};  // of a string or number
  bool only_truth = false;                   // stands for a condition, not for what Go's "and" and "or" give
  std::size_t depth = 1;                     // levels of calls
};

class GoCalls {
 public:
  GoCalls(const SourceFile& file, Span at, const GoTextContext& context) : file_(file), at_(at), context_(context) {}
  /// problem says what is wrong with the call, if something is.
  GoValue call(const std::string& name, std::vector<GoValue> arguments, std::string& problem) const;
  GoValue string(const std::string& value) const { return {text(value), GoType::text, value}; }
  GoValue number(const std::string& digits, bool real) const;
  GoValue boolean(bool truth) const { return {make(LiteralExpr{Value::boolean(truth)}), GoType::boolean}; }
  GoValue nil() const { return {make(LiteralExpr{Value::null()}), GoType::nil}; }
  /// As a condition: what is not empty is true.
  ExprPtr truth(GoValue value) const;
  /// As the text that an action leaves.
  ExprPtr output(GoValue value, std::string& problem) const;

 private:
  using Values = std::vector<GoValue>;
  ExprPtr make(decltype(Expr::node) node) const {
    return std::make_unique<const Expr>(Expr{&file_, at_, std::move(node)});
  }
  ExprPtr text(const std::string& value) const { return make(LiteralExpr{Value::string(value)}); }
  ExprPtr function(std::string name, Values arguments) const;
  GoValue own(const std::string& name, Values arguments) const;
  GoValue written_down(const std::string& name, Values arguments, std::string& problem) const;
  ExprPtr member(std::string root, ExprPtr key) const;
  ExprPtr binary(ExprPtr left, Op op, ExprPtr right) const;
  std::optional<GoValue> reference_of(const std::string& name) const;
  std::optional<GoValue> constant_of(const std::string& name) const;
  std::optional<GoValue> logic(const std::string& name, Values& arguments) const;
  GoValue packer_call(const std::string& name, Values arguments, std::string& problem) const;
  GoValue replace_first(Values arguments, std::string& problem) const;
  GoValue split_at(Values arguments) const;
  GoValue clean_name(Values arguments) const;

  const SourceFile& file_;
  Span at_;
  const GoTextContext& context_;
};

}  // namespace kiln::tmpl
