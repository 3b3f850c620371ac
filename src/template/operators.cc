#include "template/convert.h"
#include "template/evaluate.h"

namespace kiln::tmpl {

namespace {

Type operand_type(Op op) {
  return op <= Op::logical_and ? Type::boolean() : Type::number();
}
Type result_type(Op op) {
  return op >= Op::add ? Type::number() : Type::boolean();
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

/// The operand in the operator's type, without marks; nothing (reported) if it cannot be.
std::optional<Value> operand(const Value& v, const Type& type, const char* side, const Range& at,
                             Evaluation& evaluation) {
  auto converted = convert(v.deep_unmarked(), type);
  if (!converted) {
    fail(evaluation, at, "Invalid operand",
         fmt::format("Unsuitable value for {} operand: {}.", side, converted.error().text()));
    return std::nullopt;
  }
  if (!(*converted).is_null()) return std::move(converted).take();
  fail(evaluation, at, "Operation failed",
       fmt::format("The {} operand is null, and this operator needs a value.", side));
  return std::nullopt;
}

Value logical(Op op, const Value& a, const Value& b) {
  const bool decisive = op == Op::logical_or;  // true || x, false && x
  if ((a.is_known() && a.truth() == decisive) || (b.is_known() && b.truth() == decisive))
    return Value::boolean(decisive);
  return a.is_known() && b.is_known() ? Value::boolean(!decisive) : Value::unknown(Type::boolean());
}

}  // namespace

bool needs_right(Op op, const Value& left) {
  if (op > Op::logical_and) return true;
  const auto truth = convert(left.deep_unmarked(), Type::boolean());
  return !truth || !(*truth).is_known() || (*truth).truth() != (op == Op::logical_or);
}

Value apply_operator(Op op, const Value& left, const Value& right, const OperandRanges& at, Evaluation& evaluation) {
  const Marks marks = left.deep_marks() | right.deep_marks();
  if (op == Op::equal) return equals(left, right);
  if (op == Op::not_equal) {
    const Value same = equals(left, right);
    return same.is_known() ? Value::boolean(!same.truth()).marked(marks) : same;
  }
  const auto a = operand(left, operand_type(op), "left", at.left, evaluation);
  const auto b = operand(right, operand_type(op), "right", at.right, evaluation);
  if (!a || !b) return Value::unknown(result_type(op)).marked(marks);
  if (op <= Op::logical_and) return logical(op, *a, *b).marked(marks);
  if (a->is_unknown() || b->is_unknown()) return Value::unknown(result_type(op)).marked(marks);
  const auto answer = calculate(op, a->number(), b->number());
  if (answer) return answer->marked(marks);
  const char* why =
      op == Op::divide ? "can't divide zero by zero or infinity by infinity" : "can't calculate with these infinities";
  return fail(evaluation, at.whole, "Operation failed", fmt::format("Error during operation: {}.", why));
}

Value apply_sign(char sign, const Value& operand_value, const Range& at, Evaluation& evaluation) {
  const Type type = sign == '!' ? Type::boolean() : Type::number();
  const auto v = operand(operand_value, type, "unary", at, evaluation);
  const Marks marks = operand_value.deep_marks();
  if (!v || v->is_unknown()) return Value::unknown(type).marked(marks);
  return (sign == '!' ? Value::boolean(!v->truth()) : Value::number(-v->number())).marked(marks);
}

}  // namespace kiln::tmpl
