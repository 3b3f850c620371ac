#include "template/evaluate.h"

#include <algorithm>

#include "base/text.h"
#include "template/convert.h"
#include "template/evaluator.h"
#include "template/function.h"

namespace kiln::tmpl {

Value fail(Evaluation& evaluation, const Range& subject, std::string summary, std::string detail) {
  evaluation.diagnostics->push_back(
      {.summary = std::move(summary), .detail = std::move(detail), .subject = subject, .context = {}});
  if (evaluation.diagnostics->size() >= kMaxProblems) evaluation.exhausted = true;
  return Value::unknown();
}

std::string did_you_mean(std::string_view written, const std::vector<std::string>& known) {
  const auto near = nearest(written, known);
  return near ? fmt::format(" Did you mean \"{}\"?", *near) : std::string();
}

std::string sentence(std::string text) {
  if (!text.empty() && text[0] >= 'a' && text[0] <= 'z') text[0] = static_cast<char>(text[0] - 'a' + 'A');
  if (!text.empty() && text.back() != '.' && text.back() != '?' && text.back() != '!') text += '.';
  return text;
}

Value charged(Value value, const Range& at, Evaluation& evaluation) {
  std::size_t cost = sizeof(Value);
  if (value.is_known() && value.is(Kind::string)) cost += value.text().size();
  if (value.is_known() && !value.type().is_primitive()) cost += value.length() * sizeof(Value);
  evaluation.spent->bytes += cost;
  if (value.weight() > kMaxWeight || value.depth() > kMaxValueDepth ||
      (value.is_known() && value.is(Kind::string) && value.text().size() > kMaxString))
    return fail(evaluation, at, "Value too large", "This expression makes a value beyond what a template may hold.");
  if (evaluation.spent->bytes <= kMaxBytes || evaluation.exhausted) return value;
  evaluation.exhausted = true;
  return fail(evaluation, at, "Evaluation takes too much memory",
              "Expressions of this template make more than 256 MiB of values.");
}

namespace {

std::uint64_t walk_steps(const Value& value) {
  constexpr std::uint64_t kValues = 16;  // take about as long as a step does
  constexpr std::uint64_t kBytes = 64;
  return value.weight() / kValues + value.text_bytes() / kBytes;
}

}  // namespace

void count_walk(const Value& value, Evaluation& evaluation) {
  evaluation.spent->steps += walk_steps(value);
}

Value evaluate(const Expr& expr, const Scope& scope, Evaluation& evaluation) {
  if (++evaluation.spent->steps > evaluation.world->max_steps) {
    if (!std::exchange(evaluation.exhausted, true))
      fail(evaluation, expr.range(), "Evaluation takes too long", "Expressions of this template have too much to do.");
    return Value::unknown();
  }
  return std::visit(Evaluator(expr, scope, evaluation), expr.node);
}

namespace {

void append(Diagnostics& to, const Diagnostics& from) {
  to.insert(to.end(), from.begin(), from.end());
}

}  // namespace

Value evaluate_apart(const Expr& expr, const Scope& scope, Evaluation& evaluation, Diagnostics& problems) {
  Diagnostics* const real = std::exchange(evaluation.diagnostics, &problems);
  const bool ended_before = evaluation.exhausted;
  Value v = evaluate(expr, scope, evaluation);
  evaluation.diagnostics = real;
  if (evaluation.exhausted && !ended_before) append(*real, std::exchange(problems, {}));
  return v;
}

namespace {

bool is_bare_null(const Value& v) {
  return v.is_null() && v.type().is_dynamic() && v.marks().empty();
}

}  // namespace

Value Evaluator::operator()(const NameExpr& e) const {
  if (const Value* v = scope_.find(e.name)) return *v;
  const auto names = scope_.names();
  if (evaluation_.constant && names.empty())  // those of a loop can be used
    return bad(expr_.span, "Variables not allowed", "No variables can be used here.");
  return bad(expr_.span, "Unknown variable",
             fmt::format("There is no variable named \"{}\".{}", e.name, did_you_mean(e.name, names)));
}

Value Evaluator::operator()(const UnaryExpr& e) const {
  Diagnostics problems;
  Value v = evaluate_apart(*e.operand, scope_, evaluation_, problems);
  Span at = e.operand->span;
  for (auto sign = e.signs.rbegin(); sign != e.signs.rend(); ++sign) {
    const Span whole = {sign->at, expr_.span.end};
    const OperandRanges ranges{{}, range(at), range(whole)};
    v = apply_sign(sign->sign, v, ranges, problems);
    at = whole;
  }
  append(*evaluation_.diagnostics, problems);
  return v;
}

Value Evaluator::operator()(const BinaryExpr& e) const {
  Diagnostics left_problems;
  Value left = evaluate_apart(*e.first, scope_, evaluation_, left_problems);
  Span left_span = e.first->span;
  for (const BinaryExpr::Tail& tail : e.rest) {
    Operand right;
    right.value = evaluate_apart(*tail.operand, scope_, evaluation_, right.problems);
    const Span whole = {left_span.begin, tail.operand->span.end};
    const OperandRanges ranges{range(left_span), range(tail.operand->span), range(whole)};
    evaluation_.spent->steps += std::min(walk_steps(left), walk_steps(right.value));
    Operand result = apply_operator(tail.op, {std::move(left), std::move(left_problems)}, std::move(right), ranges);
    left = std::move(result.value);
    left_problems = std::move(result.problems);
    left_span = whole;
  }
  append(*evaluation_.diagnostics, left_problems);
  return left;
}

/// The type of both results, where they have one.
std::optional<Type> Evaluator::result_type(const Value& yes, const Value& no) {
  if (is_bare_null(yes)) return no.type();
  if (is_bare_null(no)) return yes.type();
  if (yes.type().is_dynamic() || no.type().is_dynamic()) return Type();
  return unify(std::vector<Type>{yes.type(), no.type()});
}

Value Evaluator::chosen(const Value& value, const Type& type, const Expr& at, const char* which) const {
  if (!(value.type() == type)) count_walk(value, evaluation_);
  auto converted = convert(value.unmarked(), type);
  if (converted) return std::move(converted).take();
  bad(at.span, "Inconsistent conditional result types",
      fmt::format("The {} result value has the wrong type: {}.", which, converted.error().text()));
  return Value::unknown(type);
}

namespace {

/// The result of a conditional whose condition is not known.
Value undecided(const Value& yes, const Value& no, const Type& type) {
  if (yes.is_null() && no.is_null()) return Value::null(type);
  const Refinement known = either(yes.refinement(), no.refinement());
  return Value::unknown(type, yes.type() == no.type() ? known : Refinement{.not_null = known.not_null});
}

}  // namespace

Value Evaluator::operator()(const ConditionalExpr& e) const {
  Diagnostics yes_problems;
  Diagnostics no_problems;
  const Value yes = evaluate_apart(*e.yes, scope_, evaluation_, yes_problems);
  const Value no = evaluate_apart(*e.no, scope_, evaluation_, no_problems);
  const std::optional<Type> type = result_type(yes, no);
  if (!type) {
    return bad({e.yes->span.begin, e.no->span.end}, "Inconsistent conditional result types",
               fmt::format("The true and false results must have one type, but the first is {} and the second {}.",
                           yes.type().name(), no.type().name()));
  }
  const Value condition = value(*e.condition);
  if (condition.is_null()) {
    bad(e.condition->span, "Null condition", "The condition is null. It must be true or false.");
    return Value::unknown(*type);
  }
  const Marks marks = condition.marks() | yes.marks() | no.marks();
  if (condition.is_unknown()) return undecided(yes, no, *type).marked(marks);
  const auto truth = convert(condition.deep_unmarked(), Type::boolean());
  if (!truth) {
    bad(e.condition->span, "Incorrect condition type",
        fmt::format("The condition must be true or false: {}.", truth.error().text()));
    return Value::unknown(*type);
  }
  const bool is_yes = (*truth).truth();
  append(*evaluation_.diagnostics, is_yes ? yes_problems : no_problems);
  return (is_yes ? chosen(yes, *type, *e.yes, "true") : chosen(no, *type, *e.no, "false")).marked(marks);
}

Value Evaluator::operator()(const TemplateExpr& e) const {
  if (e.wrap) return value(*e.parts[0]);
  std::string out;
  Marks marks;
  bool known = true;
  const auto sound = [this, before = evaluation_.diagnostics->size()] {
    return evaluation_.diagnostics->size() == before;
  };
  for (const ExprPtr& part : e.parts) {
    const Value v = value(*part);
    if (v.is_null()) {
      bad(part->span, "Invalid template interpolation value",
          "The expression result is null. Cannot include a null value in a string template.");
      continue;
    }
    marks |= v.deep_marks();
    known = known && v.is_known();
    if (!v.is_known()) continue;
    const auto text = convert(v.deep_unmarked(), Type::string());
    if (!text) {
      bad(part->span, "Invalid template interpolation value",
          fmt::format("Cannot include the given value in a string template: {}.", text.error().text()));
    } else if ((*text).is_unknown()) {
      known = false;
    } else if (known && sound()) {
      out += (*text).text();
    }
    if (out.size() > kMaxString)
      return bad(part->span, "Value too large", "A string of more than 16 MiB comes out of this template.");
  }
  if (!known) {
    const Refinement begins = {.not_null = true, .prefix = sound() ? safe_prefix(out) : std::string()};
    return Value::unknown(Type::string(), begins).marked(marks);
  }
  return charged(Value::string(out), expr_.range(), evaluation_).marked(marks);
}

Value Evaluator::operator()(const JoinExpr& e) const {
  const Value tuple = value(*e.loop);
  if (!tuple.is_known()) return Value::unknown(Type::string()).marked(tuple.deep_marks());
  std::string out;
  for (const Value& part : tuple.elements()) {
    if (!part.is_known()) return Value::unknown(Type::string()).marked(tuple.deep_marks());
    out += part.text();  // of a template
    if (out.size() > kMaxString)
      return bad(expr_.span, "Value too large", "A string of more than 16 MiB comes out of this template.");
  }
  return charged(Value::string(out), expr_.range(), evaluation_).marked(tuple.deep_marks());
}

Value Evaluator::operator()(const LateExpr& e) const {
  if (evaluation_.constant) return Value::string(std::string(e.file->text()));
  append(*evaluation_.diagnostics, e.problems);
  return e.expr ? value(*e.expr) : Value::unknown();
}

}  // namespace kiln::tmpl
