// Evaluation of tuples, objects, paths, splats and for.
#include "base/text.h"
#include "template/convert.h"
#include "template/evaluator.h"

namespace kiln::tmpl {

Value Evaluator::operator()(const TupleExpr& e) const {
  Value::Elements elements;
  elements.reserve(e.elements.size());
  for (const ExprPtr& element : e.elements) elements.push_back(value(*element));
  return charged(Value::tuple(std::move(elements)), expr_.range(), evaluation_);
}

/// A path as a key: a reference, or a name with dots?
bool Evaluator::is_ambiguous(const ObjectExpr::Item& item) const {
  const auto* path = std::get_if<PostfixExpr>(&item.key->node);
  if (item.forced || path == nullptr || path_steps(*path) < path->steps.size()) return false;
  bad(item.key->span, "Ambiguous attribute key",
      "If this is meant to be a reference, put it in parentheses; if a literal name, in quotes.");
  return true;
}

/// False when the object's keys cannot all be known.
bool Evaluator::object_item(const ObjectExpr::Item& item, Value::Entries& entries, Marks& marks) const {
  Diagnostics key_problems;
  Diagnostics* const real = std::exchange(evaluation_.diagnostics, &key_problems);
  const Value key = is_ambiguous(item) ? Value::unknown() : value(*item.key);
  evaluation_.diagnostics = real;
  real->insert(real->end(), key_problems.begin(), key_problems.end());
  Value part = value(*item.value);
  if (has_errors(key_problems)) return false;
  if (key.is_null()) {
    bad(item.value->span, "Null value as key", "A null value cannot be a key.");
    return false;
  }
  marks |= key.deep_marks();
  const auto name = convert(key.deep_unmarked(), Type::string());
  if (!name)
    bad(item.key->span, "Incorrect key type", fmt::format("This value cannot be a key: {}.", name.error().text()));
  if (!name || (*name).is_unknown()) return false;
  entries[(*name).text()] = std::move(part);
  return true;
}

/// The same for an object of a JSON file.
bool Evaluator::json_item(const ObjectExpr::Item& item, Value::Entries& entries, Marks& marks) const {
  const Value key = value(*item.key);
  Value part = value(*item.value);
  marks |= key.deep_marks();
  const auto name = convert(key.deep_unmarked(), Type::string());
  if (!name || (*name).is_null()) {
    bad(item.key->span, "Invalid object key expression",
        name ? "A null value cannot be a key." : fmt::format("This value cannot be a key: {}.", name.error().text()));
    return true;
  }
  if ((*name).is_unknown()) return false;
  if (!entries.emplace((*name).text(), std::move(part)).second)
    bad(item.key->span, "Duplicate object attribute",
        fmt::format("There is already a property named \"{}\".", (*name).text()));
  return true;
}

Value Evaluator::operator()(const ObjectExpr& e) const {
  Value::Entries entries;
  Marks marks;
  bool known = true;
  for (const ObjectExpr::Item& item : e.items) {
    known = (e.json ? json_item(item, entries, marks) : object_item(item, entries, marks)) && known;
  }
  if (!known) return Value::unknown();
  return charged(Value::object(std::move(entries)), expr_.range(), evaluation_).marked(marks);
}

Value Evaluator::operator()(const PostfixExpr& e) const {
  const std::size_t before = evaluation_.diagnostics->size();
  return steps(value(*e.base), {e.base->span, e.steps, before});
}

/// Steps whose keys stand in the text are one path, which ends at the first that is wrong. A splat goes over nothing
/// that came with a problem.
Value Evaluator::steps(Value v, const Path& path) const {
  Span span = path.base;
  bool broken = false;
  for (const Step& step : path.steps) {
    const std::size_t before = evaluation_.diagnostics->size();
    const bool literal = step.how == Step::How::attribute || literal_key(step) != nullptr;
    if (step.how == Step::How::attribute) {
      if (!broken) v = get_attribute(v, step.name, range(step.span), evaluation_);
    } else if (step.how == Step::How::index) {
      if (!literal || !broken) v = get_index(v, value(*step.index), range(step.span), evaluation_);
    } else {
      v = splat(before > path.problems_before ? Value::unknown() : v, span, step);
    }
    broken = literal && (broken || evaluation_.diagnostics->size() > before);
    span.end = step.span.end;
  }
  return v;
}

Value Evaluator::splat_part(const Value& part, const Step& step) const {
  return steps(part, {step.span, step.inside, evaluation_.diagnostics->size()});
}

/// The type of a splat whose elements are not known.
Type Evaluator::splat_type(const Type& base, const Step& step) const {
  const auto each = [&](const Type& element) { return splat_part(Value::unknown(element), step).type(); };
  if (!base.is(Kind::tuple)) return Type::list(each(base.element()));
  std::vector<Type> types;
  for (const Type& element : base.elements()) types.push_back(each(element));
  return Type::tuple(std::move(types));
}

/// The same where all that is wrong was said of the elements.
Type Evaluator::quiet_splat_type(const Type& base, const Step& step) const {
  Diagnostics ignored;
  Diagnostics* const real = std::exchange(evaluation_.diagnostics, &ignored);
  Type type = splat_type(base, step);
  evaluation_.diagnostics = real;
  return type;
}

namespace {

/// A splat over an unknown sequence: as long as that.
Value unknown_splat(const Value& base, const Type& type) {
  Refinement known = {.not_null = true};
  if (base.type().is_collection()) {
    known.min_length = base.refinement().min_length;
    known.max_length = base.refinement().max_length;
  }
  return Value::unknown(type, known);
}

}  // namespace

Value Evaluator::splat(const Value& marked, Span base_span, const Step& step) const {
  const Marks marks = marked.marks();
  Value base = marked.unmarked();
  const bool sequence = base.is(Kind::list) || base.is(Kind::set) || base.is(Kind::tuple);
  if (base.is_null() && !sequence) return Value::tuple({}).marked(marks);
  if (base.is_null())
    return bad(base_span, "Splat of null value", "This value is null, so it has no elements to take together.");
  if (base.type().is_dynamic()) return Value::unknown().marked(marks);
  const bool unknown_single = !sequence && base.is_unknown() && !base.is_not_null();  // one element or none
  if (!sequence) base = Value::tuple({base});
  if (base.is_unknown()) return unknown_splat(base, splat_type(base.type(), step)).marked(marks);
  Value::Elements parts;
  const std::size_t before = evaluation_.diagnostics->size();
  for (const Value& part : base.elements()) {
    parts.push_back(splat_part(part, step));
    if (evaluation_.exhausted) return Value::unknown();
  }
  if (unknown_single) return Value::unknown().marked(marks);
  if (evaluation_.diagnostics->size() > before)
    return Value::unknown(quiet_splat_type(base.type(), step)).marked(marks);
  return splat_result(base, step, std::move(parts)).marked(marks);
}

Value Evaluator::splat_result(const Value& base, const Step& step, Value::Elements parts) const {
  if (base.is(Kind::tuple)) return charged(Value::tuple(std::move(parts)), expr_.range(), evaluation_);
  if (parts.empty()) return Value::list(splat_type(base.type(), step).element(), {});
  for (const Value& part : parts) {
    if (part.type() == parts[0].type()) continue;
    const Span each = step.inside.empty() ? step.span : Span{step.span.begin, step.inside.back().span.end};
    return bad(each, "Invalid nested splat expressions",
               "The elements that come out have different types, so they cannot be a list. A 'for' expression can make "
               "a tuple of them.");
  }
  const Type element = parts[0].type();
  return charged(Value::list(element, std::move(parts)), expr_.range(), evaluation_);
}

/// What the for goes over, without its marks; nothing when there is no result to work out.
std::optional<Value> Evaluator::collection(const ForExpr& e, ForResult& out) const {
  const Value v = value(*e.collection);
  if (v.is_null()) {
    bad(e.collection->span, "Iteration over null value", "A null value has no elements for 'for' to go over.");
    return std::nullopt;
  }
  out.marks |= v.marks();
  if (v.type().is_dynamic()) return std::nullopt;
  if (is_iterable(v.type())) return v.unmarked();
  bad(e.collection->span, "Iteration over non-iterable value",
      fmt::format("A {} has no elements for 'for' to go over.", v.type().name()));
  out.marks = {};
  return std::nullopt;
}

/// Tries the condition with unknown elements: what is wrong for all of them is reported once.
bool Evaluator::condition_fits(const ForExpr& e, ForResult& out) const {
  if (!e.condition) return true;
  Scope inside(scope_);
  if (!e.key_name.empty()) inside.set(e.key_name, Value::unknown());
  inside.set(e.value_name, Value::unknown());
  Diagnostics problems;
  const Value v = evaluate_apart(*e.condition, inside, evaluation_, problems);
  evaluation_.diagnostics->insert(evaluation_.diagnostics->end(), problems.begin(), problems.end());
  if (v.is_null()) {
    bad(e.condition->span, "Condition is null", "The 'if' clause is null. It must be true or false.");
    return false;
  }
  const auto truth = convert(v.deep_unmarked(), Type::boolean());
  if (!truth) {
    bad(e.condition->span, "Invalid 'for' condition",
        fmt::format("The 'if' clause must be true or false: {}.", truth.error().text()));
    return false;
  }
  out.marks |= v.deep_marks();
  return !has_errors(problems);
}

/// Whether the element is in the result. A condition that is no truth value is reported once.
bool Evaluator::wanted(const ForExpr& e, const Scope& inside, ForResult& out) const {
  if (!e.condition) return true;
  const Value raw = evaluate(*e.condition, inside, evaluation_);
  out.marks |= raw.deep_marks();
  const auto truth = convert(raw.deep_unmarked(), Type::boolean());
  if (raw.is_null() || !truth) {
    if (out.known)
      bad(e.condition->span, "Invalid 'for' condition",
          raw.is_null() ? "The 'if' clause is null. It must be true or false."
                        : fmt::format("The 'if' clause must be true or false: {}.", truth.error().text()));
    out.known = false;
    return false;
  }
  if ((*truth).is_unknown()) out.known = false;
  return (*truth).is_known() && (*truth).truth();
}

std::optional<std::string> Evaluator::key(const ForExpr& e, const Scope& inside, ForResult& out) const {
  const Value raw = evaluate(*e.key, inside, evaluation_);
  if (!raw.is_null()) out.marks |= raw.deep_marks();
  if (raw.is_unknown()) {  // whatever its type
    out.known = false;
    return std::nullopt;
  }
  const auto text = convert(raw.deep_unmarked(), Type::string());
  if (raw.is_null() || !text) {
    if (out.known)
      bad(e.key->span, "Invalid object key",
          raw.is_null() ? "The key is null." : fmt::format("The key cannot be used: {}.", text.error().text()));
    out.known = false;
    return std::nullopt;
  }
  return (*text).text();
}

void Evaluator::item(const ForExpr& e, const Scope& inside, ForResult& out) const {
  if (!wanted(e, inside, out)) return;
  if (!e.key) {
    out.elements.push_back(evaluate(*e.value, inside, evaluation_));
    return;
  }
  const auto name = key(e, inside, out);
  if (!name) return;
  Value part = evaluate(*e.value, inside, evaluation_);
  if (e.group) {
    out.groups[*name].push_back(std::move(part));
  } else if (!out.entries.emplace(*name, std::move(part)).second) {
    bad(e.key->span, "Duplicate object key",
        fmt::format("Two items have the key {}. To group items by key, put \"...\" behind the value.",
                    out.marks.empty() ? "\"" + *name + "\"" : "(sensitive)"));
  }
}

Value Evaluator::operator()(const ForExpr& e) const {
  ForResult out;
  const auto over = collection(e, out);
  if (!over) return Value::unknown().marked(out.marks);
  if (!condition_fits(e, out)) return Value::unknown();
  if (over->is_unknown()) return Value::unknown().marked(out.marks);
  each_part(*over, [&](const Value& key, const Value& part) {
    Scope inside(scope_);
    if (!e.key_name.empty()) inside.set(e.key_name, key);
    inside.set(e.value_name, part);
    item(e, inside, out);
    return !evaluation_.exhausted;
  });
  if (!out.known) return Value::unknown().marked(out.marks);
  for (auto& [name, group] : out.groups) out.entries[name] = Value::tuple(std::move(group));
  Value v = e.key ? Value::object(std::move(out.entries)) : Value::tuple(std::move(out.elements));
  return charged(std::move(v), expr_.range(), evaluation_).marked(out.marks);
}

}  // namespace kiln::tmpl
