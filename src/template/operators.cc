#include "template/convert.h"
#include "template/evaluate.h"

namespace kiln::tmpl {

namespace {

Type operand_type(Op op) {
  if (op == Op::equal || op == Op::not_equal) return {};
  return op <= Op::logical_and ? Type::boolean() : Type::number();
}
Type result_type(Op op) {
  return op >= Op::add ? Type::number() : Type::boolean();
}

void report(Diagnostics& problems, const Range& at, const char* summary, std::string detail) {
  problems.push_back({.summary = summary, .detail = std::move(detail), .subject = at, .context = {}});
}

/// The answer for two known numbers; nothing where there is none.
std::optional<Value> calculate(Op op, const Number& a, const Number& b) {
  switch (op) {
    case Op::greater:
      return Value::boolean(a > b);
    case Op::at_least:
      return Value::boolean(a >= b);
    case Op::less:
      return Value::boolean(a < b);
    case Op::at_most:
      return Value::boolean(a <= b);
    case Op::add:
      if (a.is_infinite() && b.is_infinite() && a.sign() != b.sign()) return std::nullopt;
      return Value::number(a + b);
    case Op::subtract:
      if (a.is_infinite() && b.is_infinite() && a.sign() == b.sign()) return std::nullopt;
      return Value::number(a - b);
    case Op::multiply:
      if ((a.is_infinite() && b.sign() == 0) || (b.is_infinite() && a.sign() == 0)) return std::nullopt;
      return Value::number(a * b);
    case Op::divide: {
      auto quotient = divide(a, b);
      if (!quotient) return std::nullopt;
      return Value::number(std::move(*quotient));
    }
    default:
      return Value::number(modulo(a, b));
  }
}

/// What is known of two numbers may tell how they compare; as in go-cty, only where their bounds do not touch.
std::optional<bool> compared(Op op, const Value& a, const Value& b) {
  const Refinement left = a.refinement();
  const Refinement right = b.refinement();
  const bool less = op == Op::less || op == Op::at_most;
  if (less ? left.below(right) : left.above(right)) return true;
  const bool opposite = less ? left.above(right) : left.below(right);
  if (!opposite) return std::nullopt;
  if (op == Op::less || op == Op::greater) return false;
  const Value same = equals(a, b);
  return same.is_known() ? std::optional(same.truth()) : std::nullopt;
}

bool is_true(const Value& v) {
  return v.is_known() && v.truth();
}
/// Null counts as false where only one side decides.
bool is_false(const Value& v) {
  return v.is_null() || (v.is_known() && !v.truth());
}

/// && and || where one side decides: then the problems of the other do not count.
std::optional<Operand> decided(Op op, const Operand& left, const Operand& right) {
  const Value& a = left.value;
  const Value& b = right.value;
  const bool decisive = op == Op::logical_or;
  const auto decides = [&](const Value& v) { return decisive ? is_true(v) : is_false(v); };
  const auto passes = [&](const Value& v) { return decisive ? is_false(v) : is_true(v); };
  const Value unknown = Value::unknown(Type::boolean()).not_null();
  if (a.is_unknown() && b.is_unknown()) {
    if (has_errors(left.problems)) return std::nullopt;
    return Operand{unknown, left.problems};
  }
  if (!a.is_unknown() && decides(a)) return Operand{Value::boolean(decisive), left.problems};
  if (!b.is_unknown() && decides(b)) return Operand{Value::boolean(decisive), right.problems};
  if (a.is_unknown() && passes(b)) return Operand{unknown, left.problems};
  if (b.is_unknown() && passes(a)) return Operand{unknown, right.problems};
  return std::nullopt;
}

/// The answer for operands of the right types; nothing (reported) where there is none.
Value answer(Op op, const Value& a, const Value& b, const Range& at, Diagnostics& problems) {
  if (op == Op::equal) return equals(a, b);
  if (op == Op::not_equal) {
    const Value same = equals(a, b);
    return same.is_known() ? Value::boolean(!same.truth()) : same;
  }
  if (a.is_null() || b.is_null()) {
    report(problems, at, "Operation failed", "An operand is null, and this operator needs two values.");
    return Value::unknown(result_type(op));
  }
  if (a.is_unknown() || b.is_unknown()) {
    const bool order = op == Op::less || op == Op::at_most || op == Op::greater || op == Op::at_least;
    const auto truth = order ? compared(op, a, b) : std::nullopt;
    return truth ? Value::boolean(*truth) : Value::unknown(result_type(op)).not_null();
  }
  if (op <= Op::logical_and)
    return Value::boolean(op == Op::logical_or ? a.truth() || b.truth() : a.truth() && b.truth());
  if (auto result = calculate(op, a.number(), b.number())) return std::move(*result);
  report(problems, at, "Operation failed",
         op == Op::divide ? "Error during operation: can't divide zero by zero or infinity by infinity."
                          : "Error during operation: can't calculate with these infinities.");
  return Value::unknown(result_type(op));
}

}  // namespace

Operand apply_operator(Op op, Operand left, Operand right, const OperandRanges& at) {
  Operand out;
  const auto fit = [&](Operand& side, const char* name, const Range& where) {
    auto converted = convert(side.value, operand_type(op));
    if (converted) {
      side.value = std::move(converted).take();
    } else {
      report(out.problems, where, "Invalid operand",
             fmt::format("Unsuitable value for {} operand: {}.", name, converted.error().text()));
    }
  };
  fit(left, "left", at.left);
  fit(right, "right", at.right);
  const Marks marks = left.value.deep_marks() | right.value.deep_marks();
  const bool misfit = !out.problems.empty();
  left.value = left.value.deep_unmarked();
  right.value = right.value.deep_unmarked();
  if (!misfit && op <= Op::logical_and) {
    if (auto result = decided(op, left, right)) {
      result->value = result->value.marked(marks);
      return std::move(*result);
    }
  }
  out.problems.insert(out.problems.end(), left.problems.begin(), left.problems.end());
  out.problems.insert(out.problems.end(), right.problems.begin(), right.problems.end());
  out.value = has_errors(out.problems) ? Value::unknown(result_type(op))
                                       : answer(op, left.value, right.value, at.whole, out.problems);
  out.value = out.value.marked(marks);
  return out;
}

Value apply_sign(char sign, const Value& operand, const OperandRanges& at, Diagnostics& problems) {
  const Type type = sign == '!' ? Type::boolean() : Type::number();
  const Marks marks = operand.deep_marks();
  const auto v = convert(operand.deep_unmarked(), type);
  if (!v) {
    report(problems, at.right, "Invalid operand",
           fmt::format("Unsuitable value for unary operand: {}.", v.error().text()));
  } else if (!has_errors(problems) && (*v).is_null()) {
    report(problems, at.whole, "Operation failed", "The operand is null, and this operator needs a value.");
  }
  if (has_errors(problems)) return Value::unknown(type).marked(marks);
  if ((*v).is_unknown()) return Value::unknown(type).not_null().marked(marks);
  return (sign == '!' ? Value::boolean(!(*v).truth()) : Value::number(-(*v).number())).marked(marks);
}

}  // namespace kiln::tmpl
