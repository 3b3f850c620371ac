// Functions of lists, sets and tuples. length, reverse and concat keep unknown and marked parts where they are.
#include <algorithm>
#include <set>

#include "template/convert.h"
#include "template/functions_support.h"
#include "template/source_file.h"

namespace kiln::tmpl {

namespace {

/// Whether nothing can be said about the type yet.
bool open(const Value& v) {
  return v.type().is_dynamic();
}

/// Between what the length of an unknown string or collection lies.
Refinement length_bounds(const Value& v) {
  const Refinement known = v.refinement();
  const auto bound = [](std::size_t n) { return Refinement::Bound{Number(static_cast<std::int64_t>(n))}; };
  if (v.is(Kind::string)) return {.not_null = true, .least = bound(count_graphemes(known.prefix))};
  if (v.type().is_dynamic()) return {.not_null = true};
  return {.not_null = true, .least = bound(known.min_length), .most = bound(known.max_length)};
}

Result<Value> length(Arguments a, FunctionContext& context) {
  const Type& type = a[0].type();
  if (type.is(Kind::tuple))
    return Value::number(static_cast<std::int64_t>(type.elements().size())).marked(a[0].marks());
  if (type.is(Kind::object))
    return Value::number(static_cast<std::int64_t>(type.attributes().size())).marked(a[0].marks());
  if (!type.is(Kind::string) && !type.is_collection() && !type.is_dynamic())
    return context.bad_argument(0, "argument must be a string, a collection type, or a structural type");
  if (a[0].is_unknown()) return Value::unknown(Type::number(), length_bounds(a[0])).marked(a[0].marks());
  const std::size_t n = type.is(Kind::string) ? count_graphemes(a[0].text()) : a[0].length();
  return Value::number(static_cast<std::int64_t>(n)).marked(a[0].marks());
}

Result<std::size_t> wrapped_index(Arguments a, std::size_t length, FunctionContext& context) {
  if (length == 0) return error(Errc::bad_template, "cannot use element function with an empty list");
  const std::int64_t index = TRY(whole_number(a, 1, context));
  if (index < 0) return error(Errc::bad_template, "cannot use element function with a negative index");
  return static_cast<std::size_t>(index) % length;
}

Result<Type> element_type(Arguments a, FunctionContext& context) {
  const Type& type = a[0].type();
  if (type.is_dynamic()) return Type();
  if (type.is(Kind::list)) return type.element();
  if (!type.is(Kind::tuple)) return error(Errc::bad_template, "cannot read elements from {}", type.name());
  if (!a[1].is_known()) return Type();
  return type.elements()[TRY(wrapped_index(a, type.elements().size(), context))];
}

Result<Value> element(Arguments a, FunctionContext& context) {
  TRY(element_type(a, context));
  return a[0].elements()[TRY(wrapped_index(a, a[0].length(), context))].marked(a[0].marks());
}

Result<Value> index(Arguments a, FunctionContext&) {
  if (!a[0].is(Kind::list) && !a[0].is(Kind::tuple))
    return error(Errc::bad_template, "argument must be a list or tuple");
  if (a[0].length() == 0) return error(Errc::bad_template, "cannot search an empty list");
  std::int64_t i = 0;
  for (const Value& v : a[0].elements()) {
    const Value same = equals(v, a[1]);
    if (same.is_unknown()) return Value::unknown(Type::number());
    if (same.truth()) return Value::number(i);
    ++i;
  }
  return error(Errc::bad_template, "item not found");
}

Result<Value> contains(Arguments a, FunctionContext&) {
  if (!is_sequence(a[0].type())) return error(Errc::bad_template, "argument must be list, tuple, or set");
  bool perhaps = false;
  for (const Value& v : a[0].elements()) {
    const Value same = equals(a[1], v);
    if (same.is_unknown()) {
      perhaps = true;
    } else if (same.truth()) {
      return same;
    }
  }
  return perhaps ? Value::unknown(Type::boolean()) : Value::boolean(false);
}

Result<Type> coalesce_type(Arguments a, FunctionContext&) {
  std::vector<Type> types;
  for (const Value& v : a) {
    if (!v.is_null() || !open(v)) types.push_back(v.type());
  }
  const auto type = unify(types);
  if (!type || a.empty()) return error(Errc::bad_template, "all arguments must have the same type");
  return *type;
}

Result<Value> coalesce(Arguments a, FunctionContext& context) {
  const Type type = TRY(coalesce_type(a, context));
  for (const Value& v : a) {
    auto one = convert(v, type);
    if (!one || (*one).is_null()) continue;  // what does not fit is passed over, as Packer does
    if ((*one).is_unknown()) return Value::unknown(type);
    if (!(*one).is(Kind::string) || !(*one).text().empty()) return one;
  }
  return error(Errc::bad_template, "no non-null, non-empty-string arguments");
}

Result<Value> coalescelist(Arguments a, FunctionContext&) {
  if (a.empty()) return error(Errc::bad_template, "at least one argument is required");
  for (const Value& v : a) {
    if (v.is_unknown()) break;
    if (!v.is(Kind::list) && !v.is(Kind::tuple))
      return error(Errc::bad_template, "coalescelist arguments must be lists or tuples");
  }
  for (const Value& v : a) {
    if (v.is_unknown()) return Value::unknown();
    if (!v.is_null() && v.length() > 0) return v;
  }
  return error(Errc::bad_template, "no non-null arguments");
}

Result<Value> compact(Arguments a, FunctionContext&) {
  Value::Elements out;
  for (const Value& v : a[0].elements()) {
    if (!v.is_null() && !v.text().empty()) out.push_back(v);
  }
  return Value::list(Type::string(), std::move(out));
}

Result<Value> distinct(Arguments a, FunctionContext&) {
  const auto before = [](const Value* x, const Value* y) { return std::is_lt(order(*x, *y)); };
  std::set<const Value*, decltype(before)> seen(before);
  Value::Elements out;
  for (const Value& v : a[0].elements()) {
    if (seen.insert(&v).second) out.push_back(v);
  }
  return Value::list(a[0].type().element(), std::move(out));
}

Result<Value> chunklist(Arguments a, FunctionContext& context) {
  const Marks marks = a[0].marks() | a[1].marks();
  const std::int64_t size = TRY(whole_number(a, 1, context));
  if (size < 0) return context.bad_argument(1, "the size argument must be positive");
  const Type type = a[0].type();
  const Value::Elements& all = a[0].elements();
  Value::Elements chunks;
  if (size == 0) {
    if (!all.empty()) chunks.push_back(a[0].unmarked());
    return Value::list(type, std::move(chunks)).marked(marks);
  }
  const auto step = static_cast<std::size_t>(size);
  for (std::size_t i = 0; i < all.size(); i += std::min(step, all.size() - i)) {
    const auto begin = all.begin() + static_cast<std::ptrdiff_t>(i);
    const auto end = begin + static_cast<std::ptrdiff_t>(std::min(step, all.size() - i));
    chunks.push_back(Value::list(type.element(), Value::Elements(begin, end)));
  }
  return Value::list(type, std::move(chunks)).marked(marks);
}

/// What flattening found; depth is bounded by that of values.
struct Flat {
  Value::Elements out;
  Marks marks;
  bool known = true;
};

void flatten_into(const Value& list, Flat& flat) {
  flat.marks |= list.marks();
  for (const Value& v : list.elements()) {
    const bool nested = is_sequence(v.type()) && !v.is_null();
    if (v.is_unknown() && (nested || open(v))) {
      flat.known = false;
      flat.marks |= v.marks();
    } else if (nested) {
      flatten_into(v, flat);
    } else {
      flat.out.push_back(v);
    }
  }
}

Result<Value> flatten(Arguments a, FunctionContext&) {
  if (!is_sequence(a[0].type())) return error(Errc::bad_template, "can only flatten lists, sets and tuples");
  Flat flat;
  flatten_into(a[0], flat);
  if (!flat.known) return Value::unknown().marked(flat.marks);
  TRY(check_elements(flat.out.size()));
  return Value::tuple(std::move(flat.out)).marked(flat.marks);
}

Result<Type> reverse_type(Arguments a, FunctionContext& context) {
  const Type& type = a[0].type();
  if (type.is_dynamic()) return Type();
  if (type.is(Kind::list) || type.is(Kind::set)) return Type::list(type.element());
  if (!type.is(Kind::tuple))
    return context.bad_argument(0, "can only reverse list or tuple values, not {}", type.name());
  return Type::tuple({type.elements().rbegin(), type.elements().rend()});
}

Result<Value> reverse(Arguments a, FunctionContext& context) {
  const Type type = TRY(reverse_type(a, context));
  Value::Elements out(a[0].elements().rbegin(), a[0].elements().rend());
  Value v = type.is(Kind::list) ? Value::list(type.element(), std::move(out)) : Value::tuple(std::move(out));
  return v.marked(a[0].marks());
}

/// First and past-the-last index of a slice, checked as far as they are known.
struct Bounds {
  std::size_t start = 0, end = 0;
};

Result<Bounds> slice_bounds(Arguments a, std::size_t length, FunctionContext& context) {
  const std::int64_t start = TRY(whole_number(a, 1, context));
  const std::int64_t end = TRY(whole_number(a, 2, context));
  const auto n = static_cast<std::int64_t>(length);
  if (start < 0) return context.bad_argument(1, "start index must not be less than zero");
  if (start > n) return context.bad_argument(1, "start index must not be greater than the length of the list");
  if (end < 0) return context.bad_argument(2, "end index must not be less than zero");
  if (end > n) return context.bad_argument(2, "end index must not be greater than the length of the list");
  if (start > end) return context.bad_argument(1, "start index must not be greater than end index");
  return Bounds{static_cast<std::size_t>(start), static_cast<std::size_t>(end)};
}

Result<Type> slice_type(Arguments a, FunctionContext& context) {
  const Type& type = a[0].type();
  if (type.is_dynamic()) return Type();
  if (type.is(Kind::set))
    return context.bad_argument(0,
                                "cannot slice a set, because its elements do not have indices; explicitly convert to "
                                "a list if the ordering of the result is not important");
  if (type.is(Kind::list)) return type;
  if (!type.is(Kind::tuple)) return context.bad_argument(0, "must be a list or tuple value");
  if (!a[1].is_known() || !a[2].is_known()) return Type();
  const Bounds bounds = TRY(slice_bounds(a, type.elements().size(), context));
  const auto begin = type.elements().begin();
  return Type::tuple(
      {begin + static_cast<std::ptrdiff_t>(bounds.start), begin + static_cast<std::ptrdiff_t>(bounds.end)});
}

Result<Value> slice(Arguments a, FunctionContext& context) {
  const Type type = TRY(slice_type(a, context));
  const Bounds bounds = TRY(slice_bounds(a, a[0].length(), context));
  const auto begin = a[0].elements().begin();
  Value::Elements out(begin + static_cast<std::ptrdiff_t>(bounds.start),
                      begin + static_cast<std::ptrdiff_t>(bounds.end));
  Value v = type.is(Kind::list) ? Value::list(type.element(), std::move(out)) : Value::tuple(std::move(out));
  return v.marked(a[0].marks());
}

Result<Value> sort(Arguments a, FunctionContext&) {
  if (!a[0].is_wholly_known()) {
    const Refinement known = a[0].refinement();
    return Value::unknown(a[0].type(), {.min_length = known.min_length, .max_length = known.max_length}).not_null();
  }
  Value::Elements out = a[0].elements();
  for (std::size_t i = 0; i < out.size(); ++i) {
    if (out[i].is_null())
      return error(Errc::bad_template, "given list element {} is null; a null string cannot be sorted", i);
  }
  std::sort(out.begin(), out.end(), [](const Value& x, const Value& y) { return x.text() < y.text(); });
  return Value::list(Type::string(), std::move(out));
}

/// The list type that all arguments become, or nothing: then the result is a tuple.
std::optional<Type> common_list(Arguments a) {
  std::vector<Type> types;
  for (const Value& v : a) {
    if (!v.is(Kind::list)) return std::nullopt;
    types.push_back(v.type());
  }
  const auto type = unify(types);
  return type && type->is(Kind::list) ? type : std::nullopt;
}

Result<Type> concat_type(Arguments a, FunctionContext& context) {
  if (a.empty()) return error(Errc::bad_template, "at least one argument is required");
  if (const auto list = common_list(a)) return *list;
  std::vector<Type> types;
  for (std::size_t i = 0; i < a.size(); ++i) {
    const Type& type = a[i].type();
    if (type.is(Kind::tuple)) {
      types.insert(types.end(), type.elements().begin(), type.elements().end());
    } else if (!type.is(Kind::list)) {
      return context.bad_argument(i, "all arguments must be lists or tuples; got {}", type.name());
    } else if (a[i].is_unknown()) {
      return Type();
    } else {
      TRY(check_elements(types.size() + a[i].length()));
      types.resize(types.size() + a[i].length(), type.element());
    }
  }
  return Type::tuple(std::move(types));
}

Result<Value> concat(Arguments a, FunctionContext& context) {
  const Type type = TRY(concat_type(a, context));
  Value::Elements out;
  Marks marks;
  for (const Value& argument : a) {
    const Value list = type.is(Kind::list) ? TRY(convert(argument, type)) : argument;
    TRY(check_elements(out.size() + list.length()));
    out.insert(out.end(), list.elements().begin(), list.elements().end());
    marks |= list.marks();
  }
  Value v = type.is(Kind::list) ? Value::list(type.element(), std::move(out)) : Value::tuple(std::move(out));
  return v.marked(marks);
}

constexpr std::size_t kMaxRange = 1024;  // go-cty

Result<Value> range(Arguments a, FunctionContext& context) {
  if (a.empty() || a.size() > 3) return error(Errc::bad_template, "must have one, two, or three arguments");
  const Number start = a.size() > 1 ? a[0].number() : Number();
  const Number end = a.size() > 1 ? a[1].number() : a[0].number();
  const Number step = a.size() > 2 ? a[2].number() : end < start ? Number(-1) : Number(1);
  if (step.sign() == 0) return context.bad_argument(2, "step must not be zero");
  const bool down = step.sign() < 0;
  if (down && end > start) return context.bad_argument(1, "end must be less than start when step is negative");
  if (!down && end < start) return context.bad_argument(1, "end must be greater than start when step is positive");
  Value::Elements out;
  for (Number n = start; down ? n > end : n < end; n = n + step) {
    if (out.size() >= kMaxRange)
      return error(Errc::bad_template,
                   "more than {} values were generated; either decrease the difference between start and end or use a "
                   "smaller step",
                   kMaxRange);
    out.push_back(Value::number(n));
  }
  return Value::list(Type::number(), std::move(out));
}

/// alltrue and anytrue: whether all, or one, of the elements are what is looked for; null counts as false.
template <bool all>
Result<Value> truths(Arguments a, FunctionContext&) {
  for (const Value& v : a[0].elements()) {
    if (v.is_unknown()) return Value::unknown(Type::boolean());
    const bool truth = v.is_known() && v.truth();
    if (truth != all) return Value::boolean(!all);
  }
  return Value::boolean(all);
}

}  // namespace

void add_list_functions(FunctionTable& t) {
  const Type any_list = Type::list(Type());
  const Type strings = Type::list(Type::string());
  const Parameter part = {.name = "list", .allow_partial = true};
  const auto plain = [](const Parameter& p, const Type& result, auto call) {
    return Function{.parameters = {p}, .result = result, .call = call};
  };
  const auto same_type = [](Arguments a, FunctionContext&) -> Result<Type> { return a[0].type(); };
  const auto list_of_it = [](Arguments a, FunctionContext&) -> Result<Type> { return Type::list(a[0].type()); };

  t["length"] = {.parameters = {{.name = "value", .allow_unknown = true, .allow_partial = true, .allow_marked = true}},
                 .result = Type::number(),
                 .call = length};
  t["element"] = {
      .parameters = {parts_parameter("list"), number_parameter("index")}, .result_of = element_type, .call = element};
  t["index"] = {.parameters = {part, any_parameter("value")}, .result = Type::number(), .call = index};
  t["contains"] = {.parameters = {part, any_parameter("value")}, .result = Type::boolean(), .call = contains};
  const Parameter either = {.name = "vals", .allow_null = true, .allow_unknown = true, .allow_partial = true};
  t["coalesce"] = {.rest = either, .result_of = coalesce_type, .call = coalesce};
  t["coalescelist"] = {.rest = either, .call = coalescelist};
  t["compact"] = plain({.name = "list", .type = strings}, strings, compact);
  t["distinct"] = {.parameters = {{.name = "list", .type = any_list}}, .result_of = same_type, .call = distinct};
  t["chunklist"] = {.parameters = {{.name = "list", .type = any_list, .allow_partial = true, .allow_marked = true},
                                   {.name = "size", .type = Type::number(), .allow_marked = true}},
                    .result_of = list_of_it,
                    .call = chunklist};
  t["flatten"] = plain(parts_parameter("list"), Type(), flatten);
  t["reverse"] = {.parameters = {parts_parameter("list")}, .result_of = reverse_type, .call = reverse};
  t["slice"] = {.parameters = {parts_parameter("list"), number_parameter("start_index"), number_parameter("end_index")},
                .result_of = slice_type,
                .call = slice};
  t["sort"] = plain({.name = "list", .type = strings, .allow_unknown = true, .allow_partial = true}, strings, sort);
  t["concat"] = {.rest = parts_parameter("seqs"), .result_of = concat_type, .call = concat};
  t["range"] = {.rest = number_parameter("params"), .result = Type::list(Type::number()), .call = range};
  const Parameter bools = {.name = "list", .type = Type::list(Type::boolean()), .allow_partial = true};
  t["alltrue"] = plain(bools, Type::boolean(), truths<true>);
  t["anytrue"] = plain(bools, Type::boolean(), truths<false>);
}

}  // namespace kiln::tmpl
