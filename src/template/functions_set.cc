#include <algorithm>
#include <compare>

#include "template/convert.h"
#include "template/functions_support.h"

namespace kiln::tmpl {

namespace {

/// The common set type; an empty set of open type fits any.
Result<Type> set_type(Arguments a, FunctionContext&) {
  std::vector<Type> types;
  for (const Value& v : a) {
    const Type& element = v.type().element();
    if (v.is_known() && v.length() == 0 && element.is_dynamic()) continue;
    types.push_back(element);
  }
  const auto one = unify(types);
  if (!one) return error(Errc::bad_template, "given sets must all have compatible element types");
  return Type::set(*one);
}

Result<Value> setunion(Arguments a, FunctionContext& context) {
  const Type type = TRY(set_type(a, context));
  Value::Elements out;
  for (const Value& v : a) {
    const Value set = TRY(convert(v, type));
    TRY(check_elements(out.size() + set.length()));
    out.insert(out.end(), set.elements().begin(), set.elements().end());
  }
  return Value::set(type.element(), std::move(out));
}

Result<Value> setintersection(Arguments a, FunctionContext& context) {
  const Type type = TRY(set_type(a, context));
  const Value first = TRY(convert(a[0], type));
  Value::Elements out = first.elements();
  for (const Value& v : a.subspan(1)) {
    const Value set = TRY(convert(v, type));
    const Value::Elements& in = set.elements();
    std::erase_if(out, [&](const Value& one) {
      return !std::binary_search(in.begin(), in.end(), one,
                                 [](const Value& x, const Value& y) { return std::is_lt(order(x, y)); });
    });
  }
  return Value::set(type.element(), std::move(out));
}

Result<Type> product_type(Arguments a, FunctionContext& context) {
  if (a.size() < 2) return error(Errc::bad_template, "at least two arguments are required");
  std::vector<Type> types;
  bool lists = true;
  for (std::size_t i = 0; i < a.size(); ++i) {
    const Type& type = a[i].type();
    if (type.is_dynamic()) return Type();
    if (!is_sequence(type)) return context.bad_argument(i, "a set or a list is required");
    lists = lists && !type.is(Kind::set);
    const auto one = type.is(Kind::tuple) ? unify(type.elements()) : type.element();
    if (!one) return context.bad_argument(i, "all elements must be of the same type");
    types.push_back(*one);
  }
  const Type element = Type::tuple(std::move(types));
  return lists ? Type::list(element) : Type::set(element);
}

/// A product of which some set is not known: between one element and as many as its bounds allow. As in go-cty, large
/// bounds are none.
Value unknown_product(Arguments a, const Type& type) {
  constexpr std::size_t kMaxFactor = 1024;
  constexpr std::size_t kMaxProduct = 2048;
  Marks marks;
  std::size_t most = 1;
  bool bounded = true;
  for (const Value& v : a) {
    marks |= v.marks();
    const std::size_t length = v.is(Kind::tuple) ? v.type().elements().size() : v.refinement().max_length;
    bounded = bounded && length <= kMaxFactor && most * length <= kMaxProduct;
    if (bounded) most *= length;
  }
  if (!bounded) return Value::unknown(type).marked(marks);
  return Value::unknown(type, {.min_length = std::min<std::size_t>(most, 1), .max_length = most}).marked(marks);
}

Result<Value> setproduct(Arguments a, FunctionContext& context) {
  const Type type = TRY(product_type(a, context));
  if (type.is_dynamic() || std::any_of(a.begin(), a.end(), [](const Value& v) { return v.is_unknown(); }))
    return unknown_product(a, type);
  const std::vector<Type>& types = type.element().elements();
  Marks marks;
  std::size_t total = 1;
  for (const Value& v : a) {
    marks |= v.marks();
    total *= v.length();
    TRY(check_elements(total * a.size()));  // no overflow: total was at most kMaxCollection before
  }
  Value::Elements out;
  out.reserve(total);
  std::vector<std::size_t> at(a.size(), 0);
  for (std::size_t k = 0; k < total; ++k) {
    Value::Elements one;
    for (std::size_t i = 0; i < a.size(); ++i) one.push_back(TRY(convert(a[i].elements()[at[i]], types[i])));
    out.push_back(Value::tuple(std::move(one)));
    for (std::size_t i = a.size(); i-- > 0;) {
      if (++at[i] < a[i].length()) break;
      at[i] = 0;
    }
  }
  Value v =
      type.is(Kind::list) ? Value::list(type.element(), std::move(out)) : Value::set(type.element(), std::move(out));
  return v.marked(marks);
}

}  // namespace

void add_set_functions(FunctionTable& t) {
  const Type any_set = Type::set(Type());
  const Parameter first = {.name = "first_set", .type = any_set};
  const Parameter others = {.name = "other_sets", .type = any_set};
  t["setunion"] = {.parameters = {first}, .rest = others, .result_of = set_type, .call = setunion};
  t["setintersection"] = {.parameters = {first}, .rest = others, .result_of = set_type, .call = setintersection};
  Parameter sets = parts_parameter("sets");
  sets.allow_unknown = true;
  t["setproduct"] = {.rest = sets, .result_of = product_type, .call = setproduct};
}

}  // namespace kiln::tmpl
