#include "template/variables.h"

#include "template/convert.h"
#include "template/lexer.h"
#include "template/references.h"

namespace kiln::tmpl {

namespace {

void add(Loading& loading, Variables& variables, Variable v) {
  const auto it = variables.find(v.name);
  if (it != variables.end()) {
    const Range& first = it->second.range;
    loading.error("Duplicate variable",
                  fmt::format("Variable \"{}\" was already declared at {}:{},{}.", v.name, first.file, first.start.line,
                              first.start.column),
                  v.range);
    return;
  }
  std::string name = v.name;
  variables.emplace(std::move(name), std::move(v));
}

/// What the default of a variable may call.
const FunctionTable& default_functions() {
  static const FunctionTable table = {{"env", functions().at("env")}};
  return table;
}

Value evaluate_default(Loading& loading, const Expr& expr) {
  Evaluation evaluation = loading.evaluation();
  evaluation.env_allowed = true;
  if (!loading.program->legacy) evaluation.table = &default_functions();
  return evaluate(expr, Scope(), evaluation);
}

void read_default(Loading& loading, const Expr& expr, Variable& v) {
  if (loading.program->legacy && !references_of(expr).empty()) {
    v.late_default = &expr;
    return;
  }
  const std::size_t before = loading.diagnostics.size();
  const Value raw = evaluate_default(loading, expr);
  v.value_range = expr.range();
  if (loading.diagnostics.size() > before) {
    v.broken = true;
    return;
  }
  auto value = convert(with_defaults(raw, v.constraint.defaults), v.constraint.type);
  if (!value) {
    v.broken = true;
    loading.error("Invalid default value for variable",
                  fmt::format("This default value is not compatible with the variable's type constraint: {}.",
                              value.error().text()),
                  expr.range());
    return;
  }
  v.value = std::move(value).take();
  const bool empty = v.value->is_known() && v.value->type().is_structural() && v.value->length() == 0;
  if (v.constraint.type.is_dynamic() && !empty) v.constraint.type = v.value->type();
}

Variable read_variable(Loading& loading, const Block& block) {
  Variable v{.name = block.labels[0], .range = block.range()};
  const std::size_t before = loading.diagnostics.size();
  if (!loading.program->legacy && identifier_bytes(v.name) != v.name.size())
    loading.error("Invalid variable name",
                  "A name starts with a letter or underscore and has only letters, digits, underscores and dashes.",
                  block.body.file->range(block.label_spans[0]));
  check_names(loading, block.body, {"type", "default", "description", "sensitive", "ephemeral"}, {"validation"});
  Evaluation evaluation = loading.evaluation();
  if (const Attribute* type = block.body.find("type")) {
    auto constraint = read_type(*type->expr, evaluation);
    v.broken = !constraint;
    if (constraint) v.constraint = std::move(*constraint);
  }
  if (const auto description = constant(loading, block.body, "description", Type::string()))
    v.description = description->text();
  if (const auto sensitive = constant(loading, block.body, "sensitive", Type::boolean()))
    v.sensitive = sensitive->truth();
  if (const Attribute* d = block.body.find("default"); d != nullptr && !v.broken) read_default(loading, *d->expr, v);
  for (const Block& b : block.body.blocks) {
    if (b.type == "validation" && check_labels(loading, b, 0, "validation")) v.validations.push_back(&b);
  }
  v.broken = v.broken || loading.diagnostics.size() > before;
  return v;
}

/// Whether the text is a sentence as Packer wants it: a capital letter first, and . ? or ! last.
bool is_sentence(const std::string& text) {
  if (text.empty()) return false;
  const char last = text.back();
  const bool ascii = static_cast<signed char>(text[0]) >= 0;
  return (!ascii || (text[0] >= 'A' && text[0] <= 'Z')) && (last == '.' || last == '?' || last == '!');
}

/// Reports references to anything but the variable itself, and a condition that has none to it.
bool check_references(Loading& loading, const Variable& v, const Expr& condition) {
  bool own = false;
  bool good = true;
  for (const Reference& r : references_of(condition)) {
    if (r.root == "var" && r.name == v.name) {
      own = true;
      continue;
    }
    good = false;
    loading.error("Invalid reference in variable validation",
                  fmt::format("The condition for variable \"{}\" can only refer to the variable itself, using var.{}.",
                              v.name, v.name),
                  r.range);
  }
  if (own || !good) return good;
  loading.error(
      "Invalid variable validation condition",
      fmt::format("The condition for variable \"{}\" must refer to var.{} in order to test it.", v.name, v.name),
      condition.range());
  return false;
}

std::optional<std::string> error_message(Loading& loading, const Block& block, const Scope& scope) {
  const Attribute* a = block.body.find("error_message");
  if (a == nullptr) {
    loading.error("Missing required argument", "The argument \"error_message\" is required.", block.range());
    return std::nullopt;
  }
  Evaluation evaluation = loading.evaluation();
  const std::size_t before = loading.diagnostics.size();
  const Value raw = evaluate(*a->expr, scope, evaluation);
  if (loading.diagnostics.size() > before) return std::nullopt;
  const auto text = convert(raw, Type::string());
  if (text && (*text).is_known() && raw.is_sensitive()) return "(The message holds a sensitive value.)";
  if (text && (*text).is_known() && is_sentence((*text).text())) return (*text).text();
  loading.error("Invalid validation error message",
                "The message must be a full sentence: an upper-case letter first, and a period, question mark or "
                "exclamation mark at the end.",
                a->expr->range());
  return std::nullopt;
}

void run_validation(Loading& loading, const Variable& v, const Block& block) {
  check_names(loading, block.body, {"condition", "error_message"}, {});
  Scope scope;
  const Value value = v.sensitive ? v.value->marked(Marks::sensitive()) : *v.value;
  scope.set("var", Value::object({{v.name, value}}));
  const auto message = error_message(loading, block, scope);
  const Attribute* condition = block.body.find("condition");
  if (condition == nullptr)
    loading.error("Missing required argument", "The argument \"condition\" is required.", block.range());
  if (condition == nullptr || !message || !check_references(loading, v, *condition->expr)) return;
  Evaluation evaluation = loading.evaluation();
  const std::size_t before = loading.diagnostics.size();
  const Value raw = evaluate(*condition->expr, scope, evaluation);
  if (loading.diagnostics.size() > before) return;
  const auto truth = convert(raw, Type::boolean());
  if (!truth || !(*truth).is_known()) {
    loading.error("Invalid variable validation result", "The condition must come out as true or false.",
                  condition->expr->range());
    return;
  }
  if ((*truth).truth()) return;
  const Range at = block.range();
  loading.error("Invalid value for variable",
                fmt::format("{}\n\nThis was checked by the validation rule at {}:{},{}-{}.", *message, at.file,
                            at.start.line, at.start.column, at.end.column),
                v.value_range ? v.value_range : v.range);
}

}  // namespace

Variables read_variables(Loading& loading) {
  Variables variables;
  for (const SyntaxBody& body : loading.program->bodies) {
    for (const Block& block : body.blocks) {
      if (block.type == "variable" && check_labels(loading, block, 1, "variable \"name\""))
        add(loading, variables, read_variable(loading, block));
      if (block.type != "variables" || !check_labels(loading, block, 0, "variables")) continue;
      check_no_blocks(loading, block.body);
      for (const Attribute& a : block.body.attributes) {
        Variable v{.name = a.name, .range = body.file->range(a.name_span)};
        read_default(loading, *a.expr, v);
        add(loading, variables, std::move(v));
      }
    }
  }
  return variables;
}

void validate_variables(Loading& loading, const Variables& variables) {
  for (const auto& [name, v] : variables) {
    if (!v.value || v.broken || !v.value->is_wholly_known()) continue;
    for (const Block* block : v.validations) run_validation(loading, v, *block);
  }
}

Value variables_object(const Variables& variables) {
  Value::Entries entries;
  for (const auto& [name, v] : variables) {
    const Value value = v.value && !v.broken ? *v.value : Value::unknown(v.constraint.type);
    entries[name] = v.sensitive ? value.marked(Marks::sensitive()) : value;
  }
  return Value::object(std::move(entries));
}

}  // namespace kiln::tmpl
