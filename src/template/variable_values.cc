#include <algorithm>

#include "template/body_content.h"
#include "template/convert.h"
#include "template/parser.h"
#include "template/references.h"
#include "template/variables.h"

namespace kiln::tmpl {

namespace {

constexpr const char* kEnvPrefix = "PKR_VAR_";

/// Takes a value for a variable. A sensitive one is never shown with its line: problems point to the declaration.
void assign(Loading& loading, Variable& v, const Value& raw, const Range& place) {
  auto value = convert(with_defaults(raw, v.constraint.defaults), v.constraint.type);
  const Range& at = v.sensitive ? v.range : place;
  v.value_range = at;
  if (!value) {
    v.broken = true;
    loading.error("Invalid value for variable",
                  fmt::format("The value for {} is not compatible with the variable's type constraint: {}.", v.name,
                              value.error().text()),
                  at);
    return;
  }
  v.value = std::move(value).take();
}

/// After problems with a value: the variable counts as reported, and what a sensitive one's problems say of the value
/// is left out.
void give_up(Loading& loading, Variable& v, std::size_t problems_before) {
  v.broken = true;
  if (!v.sensitive) return;
  loading.diagnostics.resize(problems_before);
  loading.error("Invalid value for variable",
                fmt::format("The value for {} is not a valid expression. It is sensitive and not shown.", v.name),
                v.range);
}

/// Text of the command line or the environment: itself for strings, numbers and untyped variables, an expression for
/// every other type.
void assign_text(Loading& loading, Variable& v, const std::string& text, const std::string& where) {
  const SourceFile source(fmt::format("<value for var.{} from {}>", v.name, where), text);
  if (!v.sensitive) loading.sources[source.name()] = text;
  const Range whole = source.range({0, static_cast<std::uint32_t>(text.size())});
  const Type& type = v.constraint.type;
  if (type.is(Kind::string) || type.is(Kind::number) || type.is_dynamic()) {
    assign(loading, v, Value::string(text), whole);
    return;
  }
  const std::size_t before = loading.diagnostics.size();
  Evaluation evaluation = loading.evaluation();
  evaluation.calls_allowed = false;
  const ExprPtr expr = parse_expression(source, loading.diagnostics);
  const Value raw = expr ? evaluate(*expr, Scope(), evaluation) : Value::unknown();
  if (loading.diagnostics.size() > before) {
    give_up(loading, v, before);
  } else {
    assign(loading, v, raw, whole);
  }
}

std::vector<std::string> names_of(const Variables& variables) {
  std::vector<std::string> names;
  for (const auto& [name, v] : variables) names.push_back(name);
  return names;
}

void undeclared(Loading& loading, const Variables& variables, const std::string& name, const Range& at) {
  if (!loading.options.warn_on_undeclared) return;
  loading.warn("Undefined variable",
               fmt::format("The variable \"{}\" was set but is not declared by a variable block.{}", name,
                           did_you_mean(name, names_of(variables))),
               at);
}

void set_value(Loading& loading, Variables& variables, const Attribute& a, const SourceFile& source) {
  const auto it = variables.find(a.name);
  if (it == variables.end()) {
    undeclared(loading, variables, a.name, source.range(a.name_span));
    return;
  }
  const std::size_t before = loading.diagnostics.size();
  Evaluation evaluation = loading.evaluation();
  evaluation.calls_allowed = false;
  const Value raw = evaluate(*a.expr, Scope(), evaluation);
  if (loading.diagnostics.size() > before) {
    give_up(loading, it->second, before);
  } else {
    assign(loading, it->second, raw, a.expr->range());
  }
}

void read_hcl_values(Loading& loading, Variables& variables, const SourceFile& source) {
  const SyntaxBody body = parse_body(source, loading.diagnostics);
  for (const Block& block : body.blocks) {
    loading.error("Unexpected block", "A var file holds only arguments: name = value.", block.range());
  }
  for (const Attribute& a : body.attributes) set_value(loading, variables, a, source);
}

void read_json_values(Loading& loading, Variables& variables, const SourceFile& source) {
  const std::size_t before = loading.diagnostics.size();
  auto root = read_json(source, loading.diagnostics);
  if (loading.diagnostics.size() > before) return;
  const Content content = read_arguments(json_body(source, std::move(root)), loading.diagnostics, JsonStrings::literal);
  for (const auto& [name, a] : content.arguments) set_value(loading, variables, *a, source);
}

void read_var_file(Loading& loading, Variables& variables, const fs::path& file) {
  auto text = loading.program->world.read_file(file);
  if (!text) {
    loading.error("Cannot read var file", sentence(text.error().text()));
    return;
  }
  loading.sources[file.native()] = *text;
  // Diagnostics keep names of files only, so the text may go.
  const SourceFile source(file.native(), std::move(text).take());
  if (file.extension() == ".json") {
    read_json_values(loading, variables, source);
  } else {
    read_hcl_values(loading, variables, source);
  }
}

void read_given(Loading& loading, Variables& variables) {
  for (const auto& [name, text] : loading.options.vars) {
    const auto it = variables.find(name);
    if (it != variables.end()) {
      assign_text(loading, it->second, text, "arguments");
      continue;
    }
    if (loading.program->legacy) continue;
    loading.error(
        "Undefined -var variable",
        fmt::format("A \"{}\" variable was given on the command line, but the template does not declare it.{} "
                    "To declare it, add this block to a .pkr.hcl file:\n\n  variable \"{}\" {{}}",
                    name, did_you_mean(name, names_of(variables)), name));
  }
}

/// Whether all variables that a default speaks of have their values, or never will.
bool is_ready(const Expr& expr, const Variables& variables) {
  const auto references = references_of(expr);
  return std::all_of(references.begin(), references.end(), [&](const Reference& r) {
    const auto it = variables.find(r.name);
    return r.root != "var" || it == variables.end() || it->second.value || it->second.broken;
  });
}

void assign_late(Loading& loading, const Variables& variables, Variable& v) {
  Scope scope;
  scope.set("var", variables_object(variables));
  const std::size_t before = loading.diagnostics.size();
  Evaluation evaluation = loading.evaluation();
  evaluation.env_allowed = true;
  const Value raw = evaluate(*v.late_default, scope, evaluation);
  if (loading.diagnostics.size() > before) {
    give_up(loading, v, before);
  } else {
    assign(loading, v, raw, v.late_default->range());
  }
}

/// Defaults that speak of other variables, each after those it needs.
void assign_late_defaults(Loading& loading, Variables& variables) {
  for (bool more = true; more;) {
    more = false;
    for (auto& [name, v] : variables) {
      if (v.late_default == nullptr || v.value || v.broken || !is_ready(*v.late_default, variables)) continue;
      assign_late(loading, variables, v);
      more = true;
    }
  }
  for (auto& [name, v] : variables) {
    if (v.late_default == nullptr || v.value || v.broken) continue;
    v.broken = true;
    loading.error(
        "Variables need each other",
        fmt::format("The value of \"{}\" cannot be worked out: it needs itself, or a variable without value.", name),
        v.range);
  }
}

}  // namespace

void assign_variables(Loading& loading, Variables& variables) {
  const auto& env = loading.program->world.env;
  for (auto& [name, v] : variables) {
    const auto it = loading.program->legacy ? env.end() : env.find(kEnvPrefix + name);
    if (it != env.end()) assign_text(loading, v, it->second, "env");
  }
  for (const fs::path& file : loading.auto_var_files) read_var_file(loading, variables, file);
  for (const fs::path& file : loading.options.var_files) read_var_file(loading, variables, file);
  read_given(loading, variables);
  assign_late_defaults(loading, variables);
  for (const auto& [name, v] : variables) {
    if (v.value || v.broken) continue;
    loading.error("Unset variable",
                  fmt::format("The variable \"{}\" has no default and must be set: -var {}=..., a var file, or {}{} in "
                              "the environment.",
                              name, name, kEnvPrefix, name),
                  v.range);
  }
}

}  // namespace kiln::tmpl
