// The functions of old JSON templates as expressions. Private to go_text.cc.
#pragma once

#include "template/go_text.h"

namespace kiln::tmpl {

/// What is known of a value before it is evaluated. any: one of several; to be written down it is its text.
enum class GoType : std::uint8_t { any, text, integer, real, boolean, nil };

/// A part of an action: its expression, and what is known of it without evaluation.
struct GoValue {
  ExprPtr expr;
  GoType type = GoType::any;
  std::optional<Value> constant = {};  // of what is written in the template, or can be worked out from it
  ExprPtr condition = {};              // whether it is true, where its expression does not say so
  std::size_t depth = 1;               // levels of calls
};

/// Whether a function asks the template or the world for what HCL2 has expressions for: the engine has it in old
/// templates alone.
bool is_only_in_old(const std::string& name);

class GoCalls {
 public:
  GoCalls(const SourceFile& file, Span at, const GoTextContext& context) : file_(file), at_(at), context_(context) {}
  /// problem says what is wrong with the call, if something is.
  GoValue call(const std::string& name, std::vector<GoValue> arguments, std::string& problem) const;
  GoValue string(const std::string& value) const { return constant(Value::string(value)); }
  GoValue number(const std::string& digits, bool real) const;
  GoValue boolean(bool truth) const { return constant(Value::boolean(truth)); }
  GoValue nil() const { return constant(Value::null()); }
  /// As a condition: what is not empty is true.
  ExprPtr truth(GoValue value) const;
  /// To be written down: whether a value is true, where that can be worked out.
  std::optional<bool> known_truth(const GoValue& value) const;
  /// One behind the other, as text.
  GoValue joined(std::vector<GoValue> parts) const;
  /// As the text that an action leaves.
  ExprPtr output(GoValue value) const;
  /// The same where nothing else stands beside it.
  ExprPtr as_text(GoValue value) const;
  /// One of two values.
  GoValue chosen(GoValue condition, GoValue yes, GoValue no, std::string& problem) const;

 private:
  using Values = std::vector<GoValue>;
  template <class... V>
  static Values values_of(V... v) {
    Values out;
    (out.push_back(std::move(v)), ...);
    return out;
  }
  ExprPtr make(decltype(Expr::node) node) const {
    return std::make_unique<const Expr>(Expr{&file_, at_, std::move(node)});
  }
  ExprPtr text(const std::string& value) const { return make(LiteralExpr{Value::string(value)}); }
  GoValue constant(const Value& value) const;
  ExprPtr function(std::string name, Values arguments) const;
  ExprPtr member(std::string root, ExprPtr key) const;
  ExprPtr binary(ExprPtr left, Op op, ExprPtr right) const;
  ExprPtr conditional(ExprPtr condition, ExprPtr yes, ExprPtr no) const {
    return make(ConditionalExpr{std::move(condition), std::move(yes), std::move(no)});
  }
  std::optional<GoValue> reference_of(const std::string& name) const;
  std::optional<GoValue> constant_of(const std::string& name) const;
  GoValue own(const std::string& name, Values arguments) const;
  GoValue packer_call(const std::string& name, Values arguments, std::string& problem) const;
  ExprPtr element(ExprPtr list, ExprPtr key) const;
  GoValue replace_first(Values arguments, std::string& problem) const;
  GoValue clean_name(Values arguments) const;

  // go_written.cc: what is to be written down, in HCL2's own words.
  std::optional<GoValue> worked_out(const std::string& name, const Values& arguments, std::string& problem) const;
  GoValue written_down(const std::string& name, Values arguments, std::string& problem) const;
  GoValue compared(const std::string& name, Values arguments, std::string& problem) const;
  GoValue ordered(const std::string& name, Values arguments, std::string& problem) const;
  ExprPtr any_or_all(bool decides, const Values& arguments, std::string& problem) const;
  GoValue choice(bool decides, Values arguments, std::string& problem) const;
  GoValue printed(Values arguments, bool line, std::string& problem) const;
  GoValue escaped(GoValue value) const;
  GoValue formatted(Values arguments, std::string& problem) const;
  void formatted_part(const std::string& flags, const std::string& verb, GoValue value, Values& out,
                      std::string& problem) const;
  GoValue part_of(const std::string& name, Values arguments, std::string& problem) const;
  GoValue replaced(Values arguments, std::string& problem) const;
  GoValue copy(const GoValue& value, std::string& problem) const;

  const SourceFile& file_;
  Span at_;
  const GoTextContext& context_;
};

}  // namespace kiln::tmpl
