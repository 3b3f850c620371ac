#include "template/evaluate.h"

#include "base/text.h"
#include "template/convert.h"
#include "template/function.h"

namespace kiln::tmpl {

Value fail(Evaluation& evaluation, const Range& subject, std::string summary, std::string detail) {
  evaluation.diagnostics->push_back(
      {.summary = std::move(summary), .detail = std::move(detail), .subject = subject, .context = {}});
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
  evaluation.bytes += cost;
  if (value.weight() > kMaxWeight || value.depth() > kMaxValueDepth ||
      (value.is_known() && value.is(Kind::string) && value.text().size() > kMaxString))
    return fail(evaluation, at, "Value too large", "This expression makes a value beyond what a template may hold.");
  if (evaluation.bytes <= kMaxBytes || evaluation.exhausted) return value;
  evaluation.exhausted = true;
  return fail(evaluation, at, "Evaluation takes too much memory",
              "Expressions of this template make more than 256 MiB of values.");
}

namespace {

class Evaluator {
 public:
  Evaluator(const Expr& expr, const Scope& scope, Evaluation& evaluation)
      : expr_(expr), scope_(scope), evaluation_(evaluation) {}

  Value operator()(const LiteralExpr& e) const { return e.value; }
  Value operator()(const NameExpr& e) const;
  Value operator()(const PostfixExpr& e) const { return steps(value(*e.base), e.steps); }
  Value operator()(const UnaryExpr& e) const;
  Value operator()(const BinaryExpr& e) const;
  Value operator()(const ConditionalExpr& e) const;
  Value operator()(const TupleExpr& e) const;
  Value operator()(const ObjectExpr& e) const;
  Value operator()(const ForExpr& e) const;
  Value operator()(const CallExpr& e) const { return evaluate_call(expr_, e, scope_, evaluation_); }
  Value operator()(const TemplateExpr& e) const;

 private:
  struct ForResult {
    Value::Elements elements;
    Value::Entries entries;
    std::map<std::string, Value::Elements> groups;
    Marks marks;
    bool known = true;
  };
  Value value(const Expr& e) const { return evaluate(e, scope_, evaluation_); }
  Value bad(const Range& at, std::string summary, std::string detail) const {
    return fail(evaluation_, at, std::move(summary), std::move(detail));
  }
  Range range(Span span) const { return expr_.file->range(span); }
  Value steps(Value base, const std::vector<Step>& list) const;
  Value splat(const Value& base, const Step& step) const;
  Value branch(const Value& condition, const Value& yes, const Value& no, const Expr& at) const;
  bool for_element(const ForExpr& e, const Scope& inside, ForResult& out) const;
  bool for_wanted(const ForExpr& e, const Scope& inside, ForResult& out) const;
  bool for_item(const ForExpr& e, const Scope& inside, ForResult& out) const;
  std::optional<Value> iterable(const Expr& collection, Marks& marks, bool& known) const;
  Value text(const TemplateParts& parts, const Scope& scope) const;
  bool text_of(const TemplatePart& part, const Scope& scope, std::string& out, Marks& marks, bool& known) const;
  bool interpolation(const Expr& e, const Scope& scope, std::string& out, Marks& marks, bool& known) const;
  bool directive(const TemplateIf& e, const Scope& scope, std::string& out, Marks& marks, bool& known) const;
  bool directive(const TemplateFor& e, const Scope& scope, std::string& out, Marks& marks, bool& known) const;
  bool parts(const TemplateParts& list, const Scope& scope, std::string& out, Marks& marks, bool& known) const;

  const Expr& expr_;
  const Scope& scope_;
  Evaluation& evaluation_;
};

Value Evaluator::operator()(const NameExpr& e) const {
  if (const Value* v = scope_.find(e.name)) return *v;
  return bad(expr_.range(), "Unknown variable",
             fmt::format("There is no variable named \"{}\".{}", e.name, did_you_mean(e.name, scope_.names())));
}

Value Evaluator::operator()(const UnaryExpr& e) const {
  Value v = value(*e.operand);
  for (auto sign = e.operators.rbegin(); sign != e.operators.rend(); ++sign) {
    v = apply_sign(*sign, v, e.operand->range(), evaluation_);
  }
  return v;
}

Value Evaluator::operator()(const BinaryExpr& e) const {
  Value left = value(*e.first);
  for (const BinaryExpr::Tail& tail : e.rest) {
    if (!needs_right(tail.op, left)) {
      left = Value::boolean(tail.op == Op::logical_or).marked(left.deep_marks());
      continue;
    }
    const std::size_t before = evaluation_.diagnostics->size();
    const Value right = value(*tail.operand);
    const std::uint32_t left_end = tail.operand->span.begin;
    const Span left_span = &tail == &e.rest.front() ? e.first->span : Span{e.first->span.begin, left_end};
    if (evaluation_.diagnostics->size() > before && right.is_unknown() && right.type().is_dynamic()) {
      left = Value::unknown(tail.op >= Op::add ? Type::number() : Type::boolean()).marked(left.deep_marks());
      continue;
    }
    left = apply_operator(tail.op, left, right, {range(left_span), tail.operand->range(), expr_.range()}, evaluation_);
  }
  return left;
}

Value Evaluator::branch(const Value& condition, const Value& yes, const Value& no, const Expr& at) const {
  const auto is_bare_null = [](const Value& v) { return v.is_null() && v.type().is_dynamic(); };
  std::optional<Type> type;
  if (is_bare_null(yes)) {
    type = no.type();
  } else if (is_bare_null(no)) {
    type = yes.type();
  } else if (yes.type().is_dynamic() || no.type().is_dynamic()) {
    type = Type();
  } else {
    type = unify(std::vector<Type>{yes.type(), no.type()});
  }
  if (!type) {
    return bad(expr_.range(), "Inconsistent conditional result types",
               fmt::format("The true and false results must have one type, but the first is {} and the second {}.",
                           yes.type().name(), no.type().name()));
  }
  if (condition.is_unknown()) return Value::unknown(*type);
  const Value& chosen = condition.truth() ? yes : no;
  auto converted = convert(chosen, *type);
  if (converted) return std::move(converted).take();
  return bad(at.range(), "Inconsistent conditional result types",
             fmt::format("The {} result value has the wrong type: {}.", condition.truth() ? "true" : "false",
                         converted.error().text()));
}

Value Evaluator::operator()(const ConditionalExpr& e) const {
  const Value condition = value(*e.condition);
  Diagnostics yes_problems;
  Diagnostics no_problems;
  Diagnostics* const real = std::exchange(evaluation_.diagnostics, &yes_problems);
  const Value yes = value(*e.yes);
  evaluation_.diagnostics = &no_problems;
  const Value no = value(*e.no);
  evaluation_.diagnostics = real;
  if (condition.is_null())
    return bad(e.condition->range(), "Null condition", "The condition is null. It must be true or false.");
  auto truth = convert(condition.deep_unmarked(), Type::boolean());
  if (!truth)
    return bad(e.condition->range(), "Incorrect condition type",
               fmt::format("The condition must be true or false: {}.", truth.error().text()));
  if ((*truth).is_known()) {
    Diagnostics& chosen = (*truth).truth() ? yes_problems : no_problems;
    const bool failed = has_errors(chosen);
    real->insert(real->end(), chosen.begin(), chosen.end());
    if (failed) return Value::unknown();
  }
  const Expr& at = (*truth).is_known() && !(*truth).truth() ? *e.no : *e.yes;
  return branch(*truth, yes, no, at).marked(condition.deep_marks());
}

Value Evaluator::operator()(const TupleExpr& e) const {
  Value::Elements elements;
  elements.reserve(e.elements.size());
  for (const ExprPtr& element : e.elements) elements.push_back(value(*element));
  return charged(Value::tuple(std::move(elements)), expr_.range(), evaluation_);
}

Value Evaluator::operator()(const ObjectExpr& e) const {
  Value::Entries entries;
  Marks marks;
  bool known = true;
  for (const ObjectExpr::Item& item : e.items) {
    const Value key = value(*item.key);
    Value part = value(*item.value);
    marks |= key.deep_marks();
    if (key.is_null()) {
      bad(item.key->range(), "Null value as key", "A null value cannot be a key.");
      known = false;
      continue;
    }
    const auto name = convert(key.deep_unmarked(), Type::string());
    if (!name)
      bad(item.key->range(), "Incorrect key type", fmt::format("This value cannot be a key: {}.", name.error().text()));
    if (!name || (*name).is_unknown()) {
      known = false;
    } else {
      entries[(*name).text()] = std::move(part);
    }
  }
  if (!known) return Value::unknown().marked(marks);
  return charged(Value::object(std::move(entries)), expr_.range(), evaluation_).marked(marks);
}

Value Evaluator::steps(Value v, const std::vector<Step>& list) const {
  for (const Step& step : list) {
    switch (step.how) {
      case Step::How::attribute:
        v = get_attribute(v, step.name, range(step.span), evaluation_);
        break;
      case Step::How::index:
        v = get_index(v, value(*step.index), range(step.span), evaluation_);
        break;
      default:
        v = splat(v, step);
    }
  }
  return v;
}

Value Evaluator::splat(const Value& base, const Step& step) const {
  const Marks marks = base.marks();
  if (base.is_null()) return Value::tuple({}).marked(marks);
  if (base.is_unknown() && base.type().is_dynamic()) return Value::unknown().marked(marks);
  const bool sequence = base.is(Kind::list) || base.is(Kind::set) || base.is(Kind::tuple);
  if (!sequence) return Value::tuple({steps(base.unmarked(), step.inside)}).marked(marks);
  if (base.is_unknown()) return Value::unknown().marked(marks);
  Value::Elements parts;
  for (const Value& part : base.elements()) parts.push_back(steps(part, step.inside));
  if (base.is(Kind::tuple)) return charged(Value::tuple(std::move(parts)), expr_.range(), evaluation_).marked(marks);
  std::vector<Type> types;
  for (const Value& part : parts) types.push_back(part.type());
  if (types.empty()) return Value::list(Type::dynamic(), {}).marked(marks);
  const auto one = unify(types);
  for (Value& part : parts) {
    auto converted = one ? convert(part, *one) : Result<Value>(part);
    if (!one || !converted) return charged(Value::tuple(std::move(parts)), expr_.range(), evaluation_).marked(marks);
    part = std::move(converted).take();
  }
  return charged(Value::list(*one, std::move(parts)), expr_.range(), evaluation_).marked(marks);
}

/// The collection of a for, without its marks; nothing when there was a problem.
std::optional<Value> Evaluator::iterable(const Expr& collection, Marks& marks, bool& known) const {
  const Value v = evaluate(collection, scope_, evaluation_);
  marks |= v.marks();
  if (v.is_null()) {
    bad(collection.range(), "Iteration over null value", "A null value has no elements for 'for' to go over.");
    return std::nullopt;
  }
  if (!is_iterable(v.type()) && !v.type().is_dynamic()) {
    bad(collection.range(), "Iteration over non-iterable value",
        fmt::format("A {} has no elements for 'for' to go over.", v.type().name()));
    return std::nullopt;
  }
  known = known && v.is_known();
  return v;
}

bool Evaluator::for_wanted(const ForExpr& e, const Scope& inside, ForResult& out) const {
  if (!e.condition) return true;
  const Value raw = evaluate(*e.condition, inside, evaluation_);
  out.marks |= raw.deep_marks();
  auto wanted = convert(raw.deep_unmarked(), Type::boolean());
  if (raw.is_null() || !wanted) {
    bad(e.condition->range(), "Invalid 'for' condition",
        raw.is_null() ? "The 'if' clause is null. It must be true or false."
                      : fmt::format("The 'if' clause must be true or false: {}.", wanted.error().text()));
    out.known = false;
    return false;
  }
  if ((*wanted).is_unknown()) out.known = false;
  return (*wanted).is_known() && (*wanted).truth();
}

bool Evaluator::for_item(const ForExpr& e, const Scope& inside, ForResult& out) const {
  const Value raw = evaluate(*e.key, inside, evaluation_);
  out.marks |= raw.deep_marks();
  Value part = evaluate(*e.value, inside, evaluation_);
  const auto key = convert(raw.deep_unmarked(), Type::string());
  if (raw.is_null() || !key) {
    bad(e.key->range(), "Invalid object key",
        raw.is_null() ? "The key is null." : fmt::format("The key cannot be used: {}.", key.error().text()));
    out.known = false;
    return false;
  }
  if ((*key).is_unknown()) {
    out.known = false;
    return true;
  }
  const std::string& name = (*key).text();
  if (e.group) {
    out.groups[name].push_back(std::move(part));
  } else if (!out.entries.emplace(name, std::move(part)).second) {
    bad(e.key->range(), "Duplicate object key",
        fmt::format("Two items have the key {}. To group items by key, put \"...\" behind the value.",
                    raw.deep_marks().empty() ? "\"" + name + "\"" : "(sensitive)"));
    out.known = false;
    return false;
  }
  return true;
}

bool Evaluator::for_element(const ForExpr& e, const Scope& inside, ForResult& out) const {
  const std::size_t before = evaluation_.diagnostics->size();
  if (for_wanted(e, inside, out)) {
    if (e.key) {
      for_item(e, inside, out);
    } else {
      out.elements.push_back(evaluate(*e.value, inside, evaluation_));
    }
  }
  // The same problem would come again with every element.
  return evaluation_.diagnostics->size() == before && !evaluation_.exhausted;
}

Value Evaluator::operator()(const ForExpr& e) const {
  ForResult out;
  const auto collection = iterable(*e.collection, out.marks, out.known);
  if (!collection || !out.known) return Value::unknown().marked(out.marks);
  each_part(*collection, [&](const Value& key, const Value& part) {
    Scope inside(scope_);
    if (!e.key_name.empty()) inside.set(e.key_name, key);
    inside.set(e.value_name, part);
    return for_element(e, inside, out);
  });
  if (!out.known) return Value::unknown().marked(out.marks);
  for (auto& [name, group] : out.groups) out.entries[name] = Value::tuple(std::move(group));
  Value v = e.key ? Value::object(std::move(out.entries)) : Value::tuple(std::move(out.elements));
  return charged(std::move(v), expr_.range(), evaluation_).marked(out.marks);
}

bool Evaluator::interpolation(const Expr& e, const Scope& scope, std::string& out, Marks& marks, bool& known) const {
  const Value v = evaluate(e, scope, evaluation_);
  marks |= v.deep_marks();
  if (v.is_null()) {
    bad(e.range(), "Invalid template interpolation value",
        "The expression result is null. Cannot include a null value in a string template.");
    return false;
  }
  const auto converted = convert(v.deep_unmarked(), Type::string());
  if (!converted) {
    bad(e.range(), "Invalid template interpolation value",
        fmt::format("Cannot include the given value in a string template: {}.", converted.error().text()));
    return false;
  }
  if ((*converted).is_unknown()) {
    known = false;
  } else {
    out += (*converted).text();
  }
  return true;
}

bool Evaluator::directive(const TemplateIf& e, const Scope& scope, std::string& out, Marks& marks, bool& known) const {
  const Value condition = evaluate(*e.condition, scope, evaluation_);
  marks |= condition.deep_marks();
  const auto truth = convert(condition.deep_unmarked(), Type::boolean());
  if (condition.is_null() || !truth) {
    bad(e.condition->range(), "Incorrect condition type", "The condition of %{ if } must be true or false.");
    return false;
  }
  if ((*truth).is_unknown()) {
    known = false;
    return true;
  }
  return parts((*truth).truth() ? e.yes : e.no, scope, out, marks, known);
}

bool Evaluator::directive(const TemplateFor& e, const Scope& scope, std::string& out, Marks& marks, bool& known) const {
  bool countable = true;
  const Evaluator here(*e.collection, scope, evaluation_);
  const auto collection = here.iterable(*e.collection, marks, countable);
  if (!collection) return false;
  known = known && countable;
  bool good = true;
  if (countable) {
    each_part(*collection, [&](const Value& key, const Value& part) {
      Scope inside(scope);
      if (!e.key_name.empty()) inside.set(e.key_name, key);
      inside.set(e.value_name, part);
      good = parts(e.body, inside, out, marks, known) && !evaluation_.exhausted;
      return good;
    });
  }
  return good;
}

bool Evaluator::text_of(const TemplatePart& part, const Scope& scope, std::string& out, Marks& marks,
                        bool& known) const {
  if (const auto* literal = std::get_if<std::string>(&part.what)) {
    out += *literal;
  } else if (const auto* e = std::get_if<ExprPtr>(&part.what)) {
    return interpolation(**e, scope, out, marks, known);
  } else if (const auto* choice = std::get_if<std::unique_ptr<const TemplateIf>>(&part.what)) {
    return directive(**choice, scope, out, marks, known);
  } else {
    return directive(*std::get<std::unique_ptr<const TemplateFor>>(part.what), scope, out, marks, known);
  }
  return true;
}

bool Evaluator::parts(const TemplateParts& list, const Scope& scope, std::string& out, Marks& marks,
                      bool& known) const {
  bool good = true;
  for (const TemplatePart& part : list) {
    good = text_of(part, scope, out, marks, known) && good;
    if (out.size() <= kMaxString) continue;
    bad(range(part.span), "Value too large", "A string of more than 16 MiB comes out of this template.");
    return false;
  }
  return good;
}

Value Evaluator::operator()(const TemplateExpr& e) const {
  if (e.wrap) return value(*std::get<ExprPtr>(e.parts[0].what));
  std::string out;
  Marks marks;
  bool known = true;
  const bool good = parts(e.parts, scope_, out, marks, known);
  if (!good || !known) return Value::unknown(Type::string()).marked(marks);
  return charged(Value::string(out), expr_.range(), evaluation_).marked(marks);
}

}  // namespace

Value evaluate(const Expr& expr, const Scope& scope, Evaluation& evaluation) {
  if (++evaluation.steps > kMaxSteps) {
    if (!std::exchange(evaluation.exhausted, true))
      fail(evaluation, expr.range(), "Evaluation takes too long", "Expressions of this template have too much to do.");
    return Value::unknown();
  }
  return std::visit(Evaluator(expr, scope, evaluation), expr.node);
}

}  // namespace kiln::tmpl
