#include "template/go_calls.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "template/go_functions.h"
#include "template/parser.h"

namespace kiln::tmpl {

namespace {

struct Arity {
  std::size_t least, most;
};
constexpr std::size_t kAny = 100;

/// How many arguments each function takes.
const std::map<std::string, Arity>& arities() {
  static const std::map<std::string, Arity> kArities = {
      {"user", {1, 1}},
      {"env", {1, 1}},
      {"timestamp", {0, 0}},
      {"isotime", {0, 1}},
      {"strftime", {1, 1}},
      {"uuid", {0, 0}},
      {"build", {1, 1}},
      {"build_name", {0, 0}},
      {"build_type", {0, 0}},
      {"packer_version", {0, 0}},
      {"pwd", {0, 0}},
      {"template_dir", {0, 0}},
      {"split", {3, 3}},
      {"replace", {4, 4}},
      {"replace_all", {3, 3}},
      {"upper", {1, 1}},
      {"lower", {1, 1}},
      {"clean_resource_name", {1, 1}},
      {"vault", {2, 2}},
      {"consul_key", {1, 1}},
      {"aws_secretsmanager", {2, 2}},
      {"aws_secretsmanager_raw", {1, 1}},
  };
  return kArities;
}

struct Builtin {
  Arity arity;
  GoType result;
};

/// What Go's engine brings itself: go_functions.h.
const std::map<std::string, Builtin>& builtins() {
  static const std::map<std::string, Builtin> kBuiltins = {
      {"and", {{1, kAny}, GoType::any}},     {"or", {{1, kAny}, GoType::any}},
      {"not", {{1, 1}, GoType::boolean}},    {"eq", {{2, kAny}, GoType::boolean}},
      {"ne", {{2, 2}, GoType::boolean}},     {"lt", {{2, 2}, GoType::boolean}},
      {"le", {{2, 2}, GoType::boolean}},     {"gt", {{2, 2}, GoType::boolean}},
      {"ge", {{2, 2}, GoType::boolean}},     {"len", {{1, 1}, GoType::integer}},
      {"index", {{1, kAny}, GoType::any}},   {"slice", {{1, kAny}, GoType::text}},
      {"print", {{0, kAny}, GoType::text}},  {"println", {{0, kAny}, GoType::text}},
      {"printf", {{1, kAny}, GoType::text}}, {"html", {{0, kAny}, GoType::text}},
      {"js", {{0, kAny}, GoType::text}},     {"urlquery", {{0, kAny}, GoType::text}},
  };
  return kBuiltins;
}

/// Functions that are one of the language's own under another name.
const std::map<std::string, std::string>& same_functions() {
  static const std::map<std::string, std::string> kNames = {
      {"env", "env"},
      {"isotime", "legacy_isotime"},
      {"strftime", "legacy_strftime"},
      {"uuid", "uuidv4"},
      {"upper", "upper"},
      {"lower", "lower"},
      {"vault", "vault"},
      {"consul_key", "consul_key"},
      {"aws_secretsmanager", "aws_secretsmanager"},
      {"aws_secretsmanager_raw", "aws_secretsmanager_raw"},
  };
  return kNames;
}

}  // namespace

ExprPtr GoCalls::function(std::string name, Values arguments) const {
  std::vector<ExprPtr> exprs;
  exprs.reserve(arguments.size());
  for (GoValue& v : arguments) exprs.push_back(std::move(v.expr));
  return make(CallExpr{std::move(name), at_, std::move(exprs), false, at_, at_});
}

/// list[key]
ExprPtr GoCalls::element(ExprPtr list, ExprPtr key) const {
  Step step;
  step.span = at_;
  step.how = Step::How::index;
  step.index = std::move(key);
  PostfixExpr path{std::move(list), {}};
  path.steps.push_back(std::move(step));
  return make(std::move(path));
}

/// root[key]
ExprPtr GoCalls::member(std::string root, ExprPtr key) const {
  return element(make(NameExpr{std::move(root)}), std::move(key));
}

ExprPtr GoCalls::binary(ExprPtr left, Op op, ExprPtr right) const {
  BinaryExpr out{std::move(left), {}};
  out.rest.push_back({op, std::move(right)});
  return make(std::move(out));
}

/// What is written in a template. HCL2 has no floats that are printed as Go's: theirs stand as text.
GoValue GoCalls::constant(const Value& value) const {
  const GoType type = value.is_null()           ? GoType::nil
                      : value.is(Kind::string)  ? GoType::text
                      : value.is(Kind::boolean) ? GoType::boolean
                      : value.is(Kind::number)  ? GoType::integer
                                                : GoType::real;
  const bool as_text = type == GoType::real && context_.symbolic;
  return {make(LiteralExpr{as_text ? Value::string(go_plain(value)) : value}), type, value};
}

GoValue GoCalls::number(const std::string& digits, bool real) const {
  const Value n = Value::number(Number::parse(digits).value_or(0));
  return constant(real ? Value::tuple({n}) : n);
}

std::optional<bool> GoCalls::known_truth(const GoValue& value) const {
  if (!context_.symbolic || !value.constant) return std::nullopt;
  return is_go_true(*value.constant);
}

ExprPtr GoCalls::truth(GoValue value) const {
  if (value.condition) return std::move(value.condition);
  if (const auto known = known_truth(value)) return boolean(*known).expr;
  if (value.type == GoType::boolean) return std::move(value.expr);
  if (!context_.symbolic) return function("go truth", values_of(std::move(value)));
  if (value.type == GoType::integer || value.type == GoType::real)
    return binary(std::move(value.expr), Op::not_equal, number("0", value.type == GoType::real).expr);
  std::vector<ExprPtr> parts;
  parts.push_back(std::move(value.expr));
  return binary(make(TemplateExpr{std::move(parts), false}), Op::not_equal, text(""));
}

ExprPtr GoCalls::output(GoValue value) const {
  if (context_.symbolic && value.constant) return text(go_plain(*value.constant));
  if (context_.symbolic || value.type == GoType::text) return std::move(value.expr);
  return function("go print", values_of(std::move(value)));
}

GoValue GoCalls::chosen(GoValue condition, GoValue yes, GoValue no, std::string& problem) const {
  if (const auto known = known_truth(condition)) return *known ? std::move(yes) : std::move(no);
  const bool same = yes.type == no.type;
  const std::size_t depth = 1 + std::max({condition.depth, yes.depth, no.depth});
  if (!context_.symbolic && (!same || yes.type == GoType::any)) {  // HCL2 would give both one type
    GoValue holds{truth(std::move(condition))};
    ExprPtr either = function("go choose", values_of(std::move(holds), std::move(yes), std::move(no)));
    return {.expr = std::move(either), .type = GoType::any, .depth = depth};
  }
  GoValue out{.expr = nullptr, .type = same ? yes.type : GoType::any, .depth = depth};
  if (out.type == GoType::any)
    out.condition = conditional(truth(copy(condition, problem)), truth(copy(yes, problem)), truth(copy(no, problem)));
  ExprPtr first = same ? std::move(yes.expr) : as_text(std::move(yes));
  ExprPtr second = same ? std::move(no.expr) : as_text(std::move(no));
  out.expr = conditional(truth(std::move(condition)), std::move(first), std::move(second));
  return out;
}

/// What is known of the world, by its name in the language.
std::optional<GoValue> GoCalls::reference_of(const std::string& name) const {
  if (name == "timestamp") return GoValue{member("local", text("timestamp")), GoType::text};
  if (name == "packer_version") return GoValue{member("packer", text("version")), GoType::text};
  if (name == "pwd") return GoValue{member("path", text("cwd")), GoType::text};
  if (name != "template_dir") return std::nullopt;
  return GoValue{function("abspath", values_of(GoValue{member("path", text("root"))})), GoType::text};
}

std::optional<GoValue> GoCalls::constant_of(const std::string& name) const {
  if (name == "build_name") return GoValue{member("source", text("name")), GoType::text};
  if (name == "build_type") return GoValue{member("source", text("type")), GoType::text};
  if (context_.symbolic) return reference_of(name);
  if (name == "timestamp") return string(std::to_string(context_.now));
  if (name == "packer_version") return string(context_.packer_version);
  if (name == "pwd") return string(context_.cwd);
  if (name == "template_dir") return string(context_.template_dir);
  return std::nullopt;
}

/// A function of Go's engine, called as it is there.
GoValue GoCalls::own(const std::string& name, Values a) const {
  GoType type = builtins().at(name).result;
  const GoType first = a.empty() ? GoType::any : a[0].type;
  const bool choice = name == "and" || name == "or";
  if (choice && std::all_of(a.begin(), a.end(), [&](const GoValue& v) { return v.type == first; })) type = first;
  if (name != "urlquery") return {function("go " + name, std::move(a)), type};
  return {function("urlencode", values_of(GoValue{function("go print", std::move(a))})), type};
}

/// replace old new n s
GoValue GoCalls::replace_first(Values a, std::string& problem) const {
  if (context_.symbolic) return replaced(std::move(a), problem);
  return {function("go replace", std::move(a)), GoType::text};
}

/// What a cloud does not allow in a name becomes "-".
GoValue GoCalls::clean_name(Values a) const {
  const bool amazon = context_.builder.starts_with("amazon");
  if (context_.builder == "googlecompute") a = values_of(GoValue{function("lower", std::move(a))});
  a.push_back(string(amazon ? "[^]a-zA-Z0-9()[ ./'@_-]" : "[^a-zA-Z0-9_-]"));
  a.push_back(string("-"));
  return {function("regex_replace", std::move(a)), GoType::text};
}

namespace {

bool is_cloud(const std::string& builder) {
  return builder.starts_with("amazon") || builder.starts_with("azure") || builder == "googlecompute";
}

}  // namespace

/// A function that Packer added: all take texts, but for the counts of split and replace.
GoValue GoCalls::packer_call(const std::string& name, Values a, std::string& problem) const {
  if (context_.hcl && is_only_in_old(name))
    problem = fmt::format("{} is called, which only old JSON templates have", name);
  if (context_.hcl && name == "clean_resource_name" && !is_cloud(context_.builder))
    problem = "clean_resource_name is called, which only sources of clouds have";
  for (std::size_t i = 0; i < a.size(); ++i) {
    const bool count = i == 2 && (name == "split" || name == "replace");
    const GoType wanted = count ? GoType::integer : GoType::text;
    const bool unsure = a[i].type == GoType::any && !context_.symbolic;
    if (!unsure && a[i].type != wanted)
      problem = fmt::format("{} needs a {} as its argument {}", name, count ? "whole number" : "text", i + 1);
  }
  if (!problem.empty()) return string("");
  if (auto constant = constant_of(name)) return std::move(*constant);
  if (auto answer = context_.symbolic ? worked_out(name, a, problem) : std::nullopt) return std::move(*answer);
  if (name == "user") return {member("var", std::move(a[0].expr)), GoType::text};
  if (name == "build") return {member("build", std::move(a[0].expr)), GoType::text};
  if (name == "split") {  // s separator n
    std::swap(a[0], a[1]);
    ExprPtr at = std::move(a[2].expr);
    a.pop_back();
    return {element(function("split", std::move(a)), std::move(at)), GoType::text};
  }
  if (name == "replace") return replace_first(std::move(a), problem);
  if (name == "clean_resource_name") return clean_name(std::move(a));
  if (name == "replace_all") {  // old new s
    std::rotate(a.begin(), a.begin() + 2, a.end());
    return {function("replace", std::move(a)), GoType::text};
  }
  return {function(same_functions().at(name), std::move(a)), GoType::text};
}

bool is_only_in_old(const std::string& name) {
  return name == "user" || name == "env" || name == "vault" || name == "consul_key" ||
         name.starts_with("aws_secretsmanager");
}

GoValue GoCalls::call(const std::string& name, Values a, std::string& problem) const {
  const auto builtin = builtins().find(name);
  const auto arity = arities().find(name);
  if (name == "sed") problem = "sed is called, which Packer has taken out; use replace_all";
  if (problem.empty() && builtin == builtins().end() && arity == arities().end())
    problem = fmt::format("there is no function \"{}\"", name);
  if (!problem.empty()) return string("");
  const Arity& takes = builtin != builtins().end() ? builtin->second.arity : arity->second;
  if (a.size() < takes.least || a.size() > takes.most)
    problem = fmt::format("{} is called with {} argument(s)", name, a.size());
  if (!problem.empty()) return string("");
  std::size_t depth = 1;
  for (const GoValue& v : a) depth = std::max(depth, v.depth + 1);
  if (depth > kMaxNesting) {
    problem = "actions are nested too deep";
    return string("");
  }
  GoValue out = builtin == builtins().end() ? packer_call(name, std::move(a), problem)
                : context_.symbolic         ? written_down(name, std::move(a), problem)
                                            : own(name, std::move(a));
  out.depth = depth;
  return out;
}

}  // namespace kiln::tmpl
