#include "template/convert.h"
#include "template/evaluate.h"
#include "template/function.h"
#include "template/go_functions.h"
#include "template/parser.h"
#include "template/type_expr.h"

namespace kiln::tmpl {

namespace {

std::string one_line(const Diagnostic& d) {
  std::string place =
      d.subject ? fmt::format(" ({}:{},{})", d.subject->file, d.subject->start.line, d.subject->start.column) : "";
  return fmt::format("{}{}: {}", d.summary, place, d.detail);
}

Value call_can(const Expr& expr, const CallExpr& call, const Scope& scope, Evaluation& evaluation) {
  if (call.arguments.size() != 1 || call.expand)
    return fail(evaluation, expr.range(), "Error in function call", "can takes exactly one expression.");
  Diagnostics problems;
  const Value v = evaluate_apart(*call.arguments[0], scope, evaluation, problems);
  if (has_errors(problems)) return Value::boolean(false);
  return v.is_wholly_known() ? Value::boolean(true) : Value::unknown(Type::boolean());
}

Value call_try(const Expr& expr, const CallExpr& call, const Scope& scope, Evaluation& evaluation) {
  if (call.arguments.empty() || call.expand)
    return fail(evaluation, expr.range(), "Error in function call", "try takes one or more expressions.");
  std::string reasons;
  for (const ExprPtr& argument : call.arguments) {
    Diagnostics problems;
    Value v = evaluate_apart(*argument, scope, evaluation, problems);
    // Of what is not known yet another expression may be taken once it is.
    if (!has_errors(problems)) return v.is_wholly_known() ? v : Value::unknown().marked(v.deep_marks());
    reasons += "\n- " + one_line(problems.front());
  }
  return fail(evaluation, expr.range(), "Error in function call",
              "Call to function \"try\" failed: no expression succeeded:" + reasons);
}

Value call_convert(const Expr& expr, const CallExpr& call, const Scope& scope, Evaluation& evaluation) {
  if (call.arguments.size() != 2 || call.expand)
    return fail(evaluation, expr.range(), "Error in function call",
                "convert takes a value and a type: convert(x, list(string)).");
  const Value v = evaluate(*call.arguments[0], scope, evaluation);
  count_walk(v, evaluation);
  const auto wanted = read_type(*call.arguments[1], evaluation);
  if (!wanted) return Value::unknown().marked(v.deep_marks());
  if (!wanted->defaults.empty())
    return fail(evaluation, call.arguments[1]->range(), "Invalid type specification",
                "Only types of variables have defaults: optional takes one argument here.");
  auto converted = convert(v, without_optional(wanted->type));
  if (converted && v.is_unknown())  // of the result of a call nothing more is known
    return Value::unknown((*converted).type()).marked((*converted).marks());
  if (converted) return std::move(converted).take();
  return fail(evaluation, call.arguments[0]->range(), "Invalid function argument",
              fmt::format("Invalid value for \"value\" parameter: {}.", converted.error().text()));
}

/// An argument as it is written, or one that "..." made.
struct Argument {
  const Expr* expr;  // for messages
  std::optional<Value> value;
};

/// The arguments, with the last one expanded if so written; empty when that cannot be done now.
std::optional<std::vector<Argument>> arguments_of(const CallExpr& call, const Scope& scope, Evaluation& evaluation) {
  std::vector<Argument> out;
  for (const ExprPtr& argument : call.arguments) out.push_back({argument.get(), {}});
  if (!call.expand || out.empty()) return out;
  Diagnostics problems;
  const Expr& expr = *out.back().expr;
  const Value last = evaluate_apart(expr, scope, evaluation, problems);
  evaluation.diagnostics->insert(evaluation.diagnostics->end(), problems.begin(), problems.end());
  if (has_errors(problems)) return std::nullopt;
  out.pop_back();
  const bool sequence = last.is(Kind::list) || last.is(Kind::set) || last.is(Kind::tuple);
  if (last.is_unknown() && (sequence || last.type().is_dynamic())) return std::nullopt;
  if (last.is_null() || !sequence) {
    fail(evaluation, expr.range(), "Invalid expanding argument value",
         "The argument with \"...\" must be a list, tuple or set.");
    return std::nullopt;
  }
  for (const Value& part : last.elements()) out.push_back({&expr, part.marked(last.marks())});
  return out;
}

Range argument_range(const Argument& argument) {
  const Expr& e = *argument.expr;
  return e.file->range(argument.value ? e.span : start_of(e));
}

bool count_fits(const CallExpr& call, const Function& f, const std::vector<Argument>& given, Evaluation& evaluation,
                const Expr& expr) {
  const std::size_t wanted = f.parameters.size();
  if (given.size() < wanted) {
    fail(evaluation, expr.file->range(call.close), "Not enough function arguments",
         fmt::format("Function \"{}\" expects {}{} argument(s). Missing value for \"{}\".", call.name,
                     f.rest ? "at least " : "", wanted, f.parameters[given.size()].name));
  } else if (given.size() > wanted && !f.rest) {
    fail(evaluation, argument_range(given[wanted]), "Too many function arguments",
         fmt::format("Function \"{}\" expects only {} argument(s).", call.name, wanted));
  } else {
    return true;
  }
  return false;
}

const Parameter& parameter_at(const Function& f, std::size_t i) {
  return i < f.parameters.size() ? f.parameters[i] : *f.rest;
}

void bad_argument(const Function& f, std::size_t i, const Range& at, const std::string& why, Evaluation& evaluation) {
  fail(evaluation, at, "Invalid function argument",
       fmt::format("Invalid value for \"{}\" parameter: {}.", parameter_at(f, i).name, why));
}

/// The values in the types of their parameters; empty (reported) when one of them is wrong.
std::optional<Value::Elements> values_of(const std::vector<Argument>& arguments, const Function& f, const Scope& scope,
                                         Evaluation& evaluation) {
  Diagnostics problems;
  Diagnostics* const real = std::exchange(evaluation.diagnostics, &problems);
  Value::Elements out;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const Value v = arguments[i].value ? *arguments[i].value : evaluate(*arguments[i].expr, scope, evaluation);
    auto converted = convert(v, parameter_at(f, i).type);
    if (!converted) bad_argument(f, i, argument_range(arguments[i]), converted.error().text(), evaluation);
    count_walk(v, evaluation);
    out.push_back(converted ? std::move(converted).take() : v);
  }
  evaluation.diagnostics = real;
  real->insert(real->end(), problems.begin(), problems.end());
  return has_errors(problems) ? std::nullopt : std::optional(std::move(out));
}

Result<Value> render_file(const Evaluation& outer, const std::string& text, const std::string& name,
                          const Value::Entries& names) {
  const SourceFile file(name, text);
  Diagnostics problems;
  Evaluation evaluation = outer;
  evaluation.diagnostics = &problems;
  evaluation.in_templatefile = true;
  Scope scope;
  for (const auto& [key, value] : names) scope.set(key, value);
  constexpr std::uint64_t kBytes = 16;  // are read in about the time of a step
  evaluation.spent->steps += text.size() / kBytes;
  const ExprPtr expr = parse_template(file, problems);
  Value v = expr ? evaluate(*expr, scope, evaluation) : Value::unknown();
  if (has_errors(problems)) return Error(Errc::bad_template, one_line(problems.front()));
  return v;
}

/// As the template has it: those of old JSON templates stand in a table of their own.
std::string_view shown_name(const CallExpr& call) {
  const std::string_view name = call.name;
  return name.starts_with(kGoPrefix) ? name.substr(kGoPrefix.size()) : name;
}

Value call_problem(const Expr& expr, const CallExpr& call, const Function& function,
                   const std::vector<Argument>& arguments, const FunctionContext& context, const Error& why,
                   Evaluation& evaluation) {
  if (!context.argument) {
    fail(evaluation, expr.file->range(start_of(expr)), "Error in function call",
         fmt::format("Call to function \"{}\" failed: {}.", shown_name(call), why.text()));
  } else {
    const std::size_t i = *context.argument;
    const Range at = i < arguments.size() ? argument_range(arguments[i]) : expr.range();
    bad_argument(function, i, at, why.text(), evaluation);
  }
  return Value::unknown();
}

Value call_table(const Expr& expr, const CallExpr& call, const Function& function, const Scope& scope,
                 Evaluation& evaluation) {
  const auto arguments = arguments_of(call, scope, evaluation);
  if (!arguments || !count_fits(call, function, *arguments, evaluation, expr)) return Value::unknown();
  const auto values = values_of(*arguments, function, scope, evaluation);
  if (!values) return Value::unknown();
  FunctionContext context(*evaluation.world);
  context.root = evaluation.root;
  context.env_allowed = evaluation.env_allowed;
  if (!evaluation.in_templatefile) {
    context.render = [&](const std::string& text, const std::string& name, const Value::Entries& names) {
      return render_file(evaluation, text, name, names);
    };
  }
  auto result = call_function(call.name, function, *values, context);
  evaluation.spent->steps += context.steps;
  if (result) return charged(std::move(result).take(), expr.range(), evaluation);
  return call_problem(expr, call, function, *arguments, context, result.error(), evaluation);
}

}  // namespace

Value evaluate_call(const Expr& expr, const CallExpr& call, const Scope& scope, Evaluation& evaluation) {
  if (!evaluation.calls_allowed)
    return fail(evaluation, expr.range(), "Function calls not allowed", "Functions may not be called here.");
  const bool packer = evaluation.table == nullptr;
  if (packer && call.name == "can") return call_can(expr, call, scope, evaluation);
  if (packer && call.name == "try") return call_try(expr, call, scope, evaluation);
  if (packer && call.name == "convert") return call_convert(expr, call, scope, evaluation);
  const FunctionTable& own = call.name.starts_with(kGoPrefix) ? go_functions() : functions();
  const FunctionTable& table = packer ? own : *evaluation.table;
  const auto it = table.find(call.name);
  if (it != table.end()) return call_table(expr, call, it->second, scope, evaluation);
  std::vector<std::string> names;
  if (packer) names = {"can", "try", "convert"};
  for (const auto& [name, function] : table) names.push_back(name);
  return fail(evaluation, expr.file->range(call.name_span), "Call to unknown function",
              fmt::format("There is no function named \"{}\".{}", call.name, did_you_mean(call.name, names)));
}

}  // namespace kiln::tmpl
