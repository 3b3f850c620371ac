#include <cmath>

#include "template/convert.h"
#include "template/functions_support.h"

namespace kiln::tmpl {

namespace {

/// A double as the number of its shortest decimal text, so that it prints as Go prints it.
Result<Value> from_double(double d) {
  if (std::isnan(d)) return error(Errc::bad_template, "the result is not a number");
  if (std::isinf(d)) return Value::number(Number::infinity(d < 0));
  const auto n = Number::parse(fmt::format("{}", d));
  return Value::number(n ? *n : Number::from_double(d));
}

Result<double> to_double(Arguments a, std::size_t index, FunctionContext& context) {
  const double d = a[index].number().to_double();
  if (std::isinf(d) && !a[index].number().is_infinite())
    return context.bad_argument(index, "the number is too large for a floating-point function");
  return d;
}

Result<Value> abs(Arguments a, FunctionContext&) {
  const Number& n = a[0].number();
  return Value::number(n.sign() < 0 ? -n : n);
}
Result<Value> ceil(Arguments a, FunctionContext&) {
  return Value::number(a[0].number().ceil());
}
Result<Value> floor(Arguments a, FunctionContext&) {
  return Value::number(a[0].number().floor());
}
Result<Value> signum(Arguments a, FunctionContext& context) {
  const std::int64_t n = TRY(whole_number(a, 0, context));
  return Value::number(std::int64_t{n > 0} - std::int64_t{n < 0});
}

Result<Value> log(Arguments a, FunctionContext& context) {
  const double n = TRY(to_double(a, 0, context));
  const double base = TRY(to_double(a, 1, context));
  return from_double(std::log(n) / std::log(base));
}
Result<Value> pow(Arguments a, FunctionContext& context) {
  const double n = TRY(to_double(a, 0, context));
  const double power = TRY(to_double(a, 1, context));
  return from_double(std::pow(n, power));
}

/// The least or the greatest of the arguments.
template <class Better>
Result<Value> best(Arguments a, Better better) {
  if (a.empty()) return error(Errc::bad_template, "must pass at least one number");
  const Value* found = a.data();
  for (const Value& v : a) {
    if (better(v.number(), found->number())) found = &v;
  }
  return *found;
}
Result<Value> max(Arguments a, FunctionContext&) {
  return best(a, [](const Number& x, const Number& y) { return x > y; });
}
Result<Value> min(Arguments a, FunctionContext&) {
  return best(a, [](const Number& x, const Number& y) { return x < y; });
}

/// 0-9, then the letters without regard to case up to base 36; above it a-z before A-Z, as Go has them.
int digit_value(char c, std::int64_t base) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'z') return c - 'a' + 10;
  if (c >= 'A' && c <= 'Z') return c - 'A' + (base > 36 ? 36 : 10);
  return 62;
}

/// The digits as MPFR reads them; nothing when one does not belong to the base. MPFR would take a prefix 0x or 0b, and
/// has A-Z before a-z above base 36.
std::optional<std::string> checked_digits(std::string s, std::int64_t base) {
  const std::size_t start = s.starts_with('-') || s.starts_with('+') ? 1 : 0;
  for (std::size_t i = start; i < s.size(); ++i) {
    const int digit = digit_value(s[i], base);
    if (digit >= base) return std::nullopt;
    if (base > 36 && digit >= 10) s[i] = static_cast<char>(digit < 36 ? 'A' + digit - 10 : 'a' + digit - 36);
  }
  return s;
}

Result<Value> parseint(Arguments a, FunctionContext& context) {
  if (!a[0].is(Kind::string))
    return context.bad_argument(0, "first argument must be a string, not {}", a[0].type().name());
  const std::int64_t base = TRY(whole_number(a, 1, context));
  if (base < 2 || base > 62) return context.bad_argument(1, "base must be a whole number between 2 and 62 inclusive");
  const auto digits = checked_digits(a[0].text(), base);
  const auto n = digits ? Number::parse_base(*digits, static_cast<int>(base)) : std::nullopt;
  if (!n) return context.bad_argument(0, "cannot parse \"{}\" as a base {} integer", a[0].text(), base);
  return Value::number(*n);
}

Result<Value> sum(Arguments a, FunctionContext& context) {
  if (!is_sequence(a[0].type()))
    return context.bad_argument(0, "argument must be list, set, or tuple. Received {}", a[0].type().name());
  if (a[0].length() == 0) return context.bad_argument(0, "cannot sum an empty list");
  Number total;
  bool up = false;
  bool down = false;
  for (const Value& v : a[0].elements()) {
    const auto n = convert(v, Type::number());
    if (!n || !(*n).is_known()) return context.bad_argument(0, "argument must be list, set, or tuple of number values");
    const Number& one = (*n).number();
    up = up || (one.is_infinite() && one.sign() > 0);
    down = down || (one.is_infinite() && one.sign() < 0);
    total = total + one;
  }
  if (up && down) return error(Errc::bad_template, "can't compute sum of opposing infinities");
  return Value::number(total);
}

Function one_number(Result<Value> (*call)(Arguments, FunctionContext&)) {
  return {.parameters = {number_parameter("num")}, .result = Type::number(), .call = call};
}

}  // namespace

void add_number_functions(FunctionTable& t) {
  t["abs"] = one_number(abs);
  t["ceil"] = one_number(ceil);
  t["floor"] = one_number(floor);
  t["signum"] = one_number(signum);
  t["log"] = {.parameters = {number_parameter("num"), number_parameter("base")}, .result = Type::number(), .call = log};
  t["pow"] = {
      .parameters = {number_parameter("num"), number_parameter("power")}, .result = Type::number(), .call = pow};
  t["max"] = {.rest = number_parameter("numbers"), .result = Type::number(), .call = max};
  t["min"] = {.rest = number_parameter("numbers"), .result = Type::number(), .call = min};
  t["parseint"] = {
      .parameters = {any_parameter("number"), number_parameter("base")}, .result = Type::number(), .call = parseint};
  t["sum"] = {.parameters = {any_parameter("list")}, .result = Type::number(), .call = sum};
}

}  // namespace kiln::tmpl
