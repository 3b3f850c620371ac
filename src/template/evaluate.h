// Evaluation of expressions: a value for a tree and a scope. Never fails as such: a problem becomes a diagnostic and
// the value unknown, so that everything wrong with an expression is found and nothing is reported twice.
#pragma once

#include "template/function.h"
#include "template/scope.h"
#include "template/syntax.h"
#include "template/template.h"

namespace kiln::tmpl {

constexpr std::uint64_t kMaxBytes = std::uint64_t{256} << 20;  // made while evaluating, all together
constexpr std::size_t kMaxWeight = 1'000'000;                  // values inside one value
constexpr std::size_t kMaxProblems = 1'000;                    // reported of one evaluation; then it ends

/// What was used up of the above by all expressions of a template.
struct Spent {
  std::uint64_t steps = 0, bytes = 0;
};

/// What evaluation may use and what it has used; where its problems go.
struct Evaluation {
  const World* world;
  fs::path root;  // of relative file names
  Diagnostics* diagnostics;
  bool env_allowed = false;  // env()
  bool calls_allowed = true;
  bool in_templatefile = false;          // which may not be nested
  bool constant = false;                 // no names, and strings of JSON are no templates
  const FunctionTable* table = nullptr;  // instead of Packer's functions
  std::shared_ptr<Spent> spent = std::make_shared<Spent>();
  std::size_t blocks = 0;  // that dynamic blocks made
  bool exhausted = false;  // it ends
};

Value evaluate(const Expr& expr, const Scope& scope, Evaluation& evaluation);

/// The same with its problems kept apart, but for those that end the evaluation.
Value evaluate_apart(const Expr& expr, const Scope& scope, Evaluation& evaluation, Diagnostics& problems);

/// Reports and answers unknown.
Value fail(Evaluation& evaluation, const Range& subject, std::string summary, std::string detail);

/// " Did you mean \"x\"?" or nothing.
std::string did_you_mean(std::string_view written, const std::vector<std::string>& known);

/// A first letter in upper case and a full stop, for text that came as an Error.
std::string sentence(std::string text);

// The parts below are the evaluator's own, by file.

/// A value and what was wrong on the way to it.
struct Operand {
  Value value;
  Diagnostics problems;
};
/// operators.cc: operators on values; ranges are for messages.
struct OperandRanges {
  Range left, right, whole;  // of a sign only right and whole
};
Operand apply_operator(Op op, Operand left, Operand right, const OperandRanges& at);
Value apply_sign(char sign, const Value& operand, const OperandRanges& at, Diagnostics& problems);

/// access.cc: value.name and value[key].
Value get_attribute(const Value& value, const std::string& name, const Range& at, Evaluation& evaluation);
Value get_index(const Value& value, const Value& key, const Range& at, Evaluation& evaluation);
/// Each key and part of a known, iterable value.
bool is_iterable(const Type& type);
using EachPart = std::function<bool(const Value& key, const Value& part)>;
void each_part(const Value& collection, const EachPart& visit);

/// call.cc: functions, and the three that take expressions: can, try, convert.
Value evaluate_call(const Expr& expr, const CallExpr& call, const Scope& scope, Evaluation& evaluation);

/// Counts what a new value costs and refuses what is too large.
Value charged(Value value, const Range& at, Evaluation& evaluation);

/// Counts the steps for going through a value once: calling a function with it, comparing or converting it.
void count_walk(const Value& value, Evaluation& evaluation);

}  // namespace kiln::tmpl
