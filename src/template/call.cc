#include "template/convert.h"
#include "template/evaluate.h"
#include "template/function.h"
#include "template/parser.h"
#include "template/type_expr.h"

namespace kiln::tmpl {

namespace {

std::string one_line(const Diagnostic& d) {
  std::string place =
      d.subject ? fmt::format(" ({}:{},{})", d.subject->file, d.subject->start.line, d.subject->start.column) : "";
  return fmt::format("{}{}: {}", d.summary, place, d.detail);
}

/// Evaluates with its problems kept apart.
Value attempt(const Expr& expr, const Scope& scope, Evaluation& evaluation, Diagnostics& problems) {
  Diagnostics* const real = std::exchange(evaluation.diagnostics, &problems);
  Value v = evaluate(expr, scope, evaluation);
  evaluation.diagnostics = real;
  return v;
}

Value call_can(const Expr& expr, const CallExpr& call, const Scope& scope, Evaluation& evaluation) {
  if (call.arguments.size() != 1 || call.expand)
    return fail(evaluation, expr.range(), "Error in function call", "can takes exactly one expression.");
  Diagnostics problems;
  const Value v = attempt(*call.arguments[0], scope, evaluation, problems);
  if (has_errors(problems)) return Value::boolean(false);
  return v.is_wholly_known() ? Value::boolean(true) : Value::unknown(Type::boolean());
}

Value call_try(const Expr& expr, const CallExpr& call, const Scope& scope, Evaluation& evaluation) {
  if (call.arguments.empty() || call.expand)
    return fail(evaluation, expr.range(), "Error in function call", "try takes one or more expressions.");
  std::string reasons;
  for (const ExprPtr& argument : call.arguments) {
    Diagnostics problems;
    Value v = attempt(*argument, scope, evaluation, problems);
    if (!has_errors(problems)) return v;
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
  const auto wanted = read_type(*call.arguments[1], evaluation);
  if (!wanted) return Value::unknown().marked(v.deep_marks());
  auto converted = convert(with_defaults(v, wanted->defaults), wanted->type);
  if (converted) return std::move(converted).take();
  return fail(evaluation, call.arguments[0]->range(), "Invalid function argument",
              fmt::format("Invalid value for \"value\" parameter: {}.", converted.error().text()));
}

/// The arguments, with the last one expanded if so written; empty when that cannot be done now.
std::optional<Value::Elements> arguments_of(const CallExpr& call, const Scope& scope, Evaluation& evaluation,
                                            Marks& marks) {
  Value::Elements out;
  for (const ExprPtr& argument : call.arguments) out.push_back(evaluate(*argument, scope, evaluation));
  if (!call.expand) return out;
  const Value last = out.back();
  out.pop_back();
  marks |= last.marks();
  const bool sequence = last.is(Kind::list) || last.is(Kind::set) || last.is(Kind::tuple);
  if (last.is_unknown() && (sequence || last.type().is_dynamic())) return std::nullopt;
  if (last.is_null() || !sequence) {
    fail(evaluation, call.arguments.back()->range(), "Invalid expanding argument value",
         "The argument with \"...\" must be a list, tuple or set.");
    return std::nullopt;
  }
  for (const Value& part : last.elements()) out.push_back(part);
  return out;
}

bool count_fits(const CallExpr& call, const Function& f, std::size_t given, Evaluation& evaluation, const Expr& expr) {
  const std::size_t wanted = f.parameters.size();
  if (given < wanted) {
    fail(evaluation, expr.range(), "Not enough function arguments",
         fmt::format("Function \"{}\" expects {}{} argument(s). Missing value for \"{}\".", call.name,
                     f.rest ? "at least " : "", wanted, f.parameters[given].name));
  } else if (given > wanted && !f.rest) {
    const std::size_t first = std::min(wanted, call.arguments.size() - 1);
    fail(evaluation, call.arguments[first]->range(), "Too many function arguments",
         fmt::format("Function \"{}\" expects only {} argument(s).", call.name, wanted));
  } else {
    return true;
  }
  return false;
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
  const ExprPtr expr = parse_template(file, problems);
  Value v = expr ? evaluate(*expr, scope, evaluation) : Value::unknown();
  if (has_errors(problems)) return Error(Errc::bad_template, one_line(problems.front()));
  return v;
}

Value call_table(const Expr& expr, const CallExpr& call, const Function& function, const Scope& scope,
                 Evaluation& evaluation) {
  Marks marks;
  const std::size_t before = evaluation.diagnostics->size();
  const auto arguments = arguments_of(call, scope, evaluation, marks);
  if (!arguments) return Value::unknown().marked(marks);
  if (!count_fits(call, function, arguments->size(), evaluation, expr)) return Value::unknown().marked(marks);
  const bool failed = evaluation.diagnostics->size() > before;
  FunctionContext context(*evaluation.world);
  context.root = evaluation.root;
  context.env_allowed = evaluation.env_allowed;
  if (!evaluation.in_templatefile) {
    context.render = [&](const std::string& text, const std::string& name, const Value::Entries& names) {
      return render_file(evaluation, text, name, names);
    };
  }
  auto result = call_function(call.name, function, *arguments, context);
  if (result) return charged(std::move(result).take(), expr.range(), evaluation).marked(marks);
  if (failed) return Value::unknown().marked(marks);  // what an unknown argument stands for was reported
  if (!context.argument) {
    return fail(evaluation, expr.range(), "Error in function call",
                fmt::format("Call to function \"{}\" failed: {}.", call.name, result.error().text()));
  }
  const std::size_t i = *context.argument;
  const Expr& at = *call.arguments[std::min(i, call.arguments.size() - 1)];
  const std::string& parameter = i < function.parameters.size() ? function.parameters[i].name : function.rest->name;
  return fail(evaluation, at.range(), "Invalid function argument",
              fmt::format("Invalid value for \"{}\" parameter: {}.", parameter, result.error().text()));
}

}  // namespace

Value evaluate_call(const Expr& expr, const CallExpr& call, const Scope& scope, Evaluation& evaluation) {
  if (!evaluation.calls_allowed)
    return fail(evaluation, expr.range(), "Function calls not allowed", "Functions may not be called here.");
  if (call.name == "can") return call_can(expr, call, scope, evaluation);
  if (call.name == "try") return call_try(expr, call, scope, evaluation);
  if (call.name == "convert") return call_convert(expr, call, scope, evaluation);
  const auto it = functions().find(call.name);
  if (it != functions().end()) return call_table(expr, call, it->second, scope, evaluation);
  std::vector<std::string> names = {"can", "try", "convert"};
  for (const auto& [name, function] : functions()) names.push_back(name);
  return fail(evaluation, expr.file->range(call.name_span), "Call to unknown function",
              fmt::format("There is no function named \"{}\".{}", call.name, did_you_mean(call.name, names)));
}

}  // namespace kiln::tmpl
