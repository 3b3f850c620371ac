// The functions of old JSON templates as expressions. Private to go_text.cc.
#pragma once

#include "template/go_text.h"

namespace kiln::tmpl {

/// A part of an action: its expression, and what is known of it without evaluation.
struct GoValue {
  ExprPtr expr;
  bool is_bool = false;
  std::optional<std::string> constant = {};  // of a string or number
};

class GoCalls {
 public:
  GoCalls(const SourceFile& file, Span at, const GoTextContext& context) : file_(file), at_(at), context_(context) {}
  /// problem says what is wrong with the call, if something is.
  GoValue call(const std::string& name, std::vector<GoValue> arguments, std::string& problem) const;
  ExprPtr number(const std::string& text) const;
  ExprPtr boolean(bool truth) const { return make(LiteralExpr{Value::boolean(truth)}); }
  /// As a condition: what is not empty is true.
  ExprPtr truth(GoValue value) const;

 private:
  using Values = std::vector<GoValue>;
  ExprPtr make(decltype(Expr::node) node) const {
    return std::make_unique<const Expr>(Expr{&file_, at_, std::move(node)});
  }
  ExprPtr text(const std::string& value) const { return make(LiteralExpr{Value::string(value)}); }
  ExprPtr function(std::string name, std::vector<ExprPtr> arguments) const;
  ExprPtr member(std::string root, ExprPtr key) const;
  ExprPtr binary(ExprPtr left, Op op, ExprPtr right) const;
  std::optional<GoValue> reference_of(const std::string& name) const;
  std::optional<GoValue> constant_of(const std::string& name) const;
  std::optional<GoValue> logic(const std::string& name, Values& arguments) const;
  GoValue replace_first(Values arguments, std::string& problem) const;
  GoValue split_at(Values arguments) const;
  GoValue clean_name(Values arguments) const;

  const SourceFile& file_;
  Span at_;
  const GoTextContext& context_;
};

}  // namespace kiln::tmpl
