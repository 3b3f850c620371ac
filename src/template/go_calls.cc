#include "template/go_calls.h"

#include <fmt/format.h>
#include <re2/re2.h>

#include <algorithm>
#include <cstdlib>
#include <map>

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
      {"urlquery", "urlencode"},
      {"printf", "format"},
      {"vault", "vault"},
      {"consul_key", "consul_key"},
      {"aws_secretsmanager", "aws_secretsmanager"},
      {"aws_secretsmanager_raw", "aws_secretsmanager_raw"},
  };
  return kNames;
}

std::vector<GoValue> values_of(GoValue a) {
  std::vector<GoValue> out;
  out.push_back(std::move(a));
  return out;
}

std::vector<GoValue> values_of(GoValue a, GoValue b) {
  std::vector<GoValue> out = values_of(std::move(a));
  out.push_back(std::move(b));
  return out;
}

}  // namespace

ExprPtr GoCalls::function(std::string name, Values arguments) const {
  std::vector<ExprPtr> exprs;
  exprs.reserve(arguments.size());
  for (GoValue& v : arguments) exprs.push_back(std::move(v.expr));
  return make(CallExpr{std::move(name), at_, std::move(exprs), false, at_, at_});
}

/// root[key]
ExprPtr GoCalls::member(std::string root, ExprPtr key) const {
  Step step;
  step.span = at_;
  step.how = Step::How::index;
  step.index = std::move(key);
  PostfixExpr path{make(NameExpr{std::move(root)}), {}};
  path.steps.push_back(std::move(step));
  return make(std::move(path));
}

ExprPtr GoCalls::binary(ExprPtr left, Op op, ExprPtr right) const {
  BinaryExpr out{std::move(left), {}};
  out.rest.push_back({op, std::move(right)});
  return make(std::move(out));
}

GoValue GoCalls::number(const std::string& digits, bool real) const {
  const Value n = Value::number(Number::parse(digits).value_or(0));
  const bool apart = real && !context_.symbolic;
  return {make(LiteralExpr{apart ? Value::tuple({n}) : n}), real ? GoType::real : GoType::integer, digits};
}

ExprPtr GoCalls::truth(GoValue value) const {
  if (value.type == GoType::boolean || value.only_truth) return std::move(value.expr);
  if (!context_.symbolic) return function("go truth", values_of(std::move(value)));
  if (value.type == GoType::integer || value.type == GoType::real)
    return binary(std::move(value.expr), Op::not_equal, number("0", false).expr);
  std::vector<ExprPtr> parts;
  parts.push_back(std::move(value.expr));
  return binary(make(TemplateExpr{std::move(parts), false}), Op::not_equal, text(""));
}

ExprPtr GoCalls::output(GoValue value, std::string& problem) const {
  if (value.only_truth && problem.empty())
    problem = "\"and\" and \"or\" give one of their values, for which HCL2 has no function";
  if (context_.symbolic || value.type == GoType::text) return std::move(value.expr);
  return function("go print", values_of(std::move(value)));
}

/// What is known of the world, by its name in the language.
std::optional<GoValue> GoCalls::reference_of(const std::string& name) const {
  if (name == "timestamp") return GoValue{member("local", text("timestamp")), GoType::text};
  if (name == "packer_version") return GoValue{member("packer", text("version")), GoType::text};
  if (name == "pwd") return GoValue{member("path", text("cwd")), GoType::text};
  if (name != "template_dir") return std::nullopt;
  return GoValue{function("abspath", values_of({member("path", text("root"))})), GoType::text};
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
  return {function("urlencode", values_of({function("go print", std::move(a))})), type};
}

/// Conditions and comparisons in HCL2's own words, to be written down.
std::optional<GoValue> GoCalls::logic(const std::string& name, Values& arguments) const {
  if (name == "eq" && arguments.size() > 2) {  // one of the others
    TupleExpr others;
    for (std::size_t i = 1; i < arguments.size(); ++i) others.elements.push_back(std::move(arguments[i].expr));
    return GoValue{function("contains", values_of({make(std::move(others))}, std::move(arguments[0]))),
                   GoType::boolean};
  }
  if (name == "eq" || name == "ne") {
    const Op op = name == "eq" ? Op::equal : Op::not_equal;
    return GoValue{binary(std::move(arguments[0].expr), op, std::move(arguments[1].expr)), GoType::boolean};
  }
  if (name == "not")
    return GoValue{make(UnaryExpr{{{'!', at_.begin}}, truth(std::move(arguments[0]))}), GoType::boolean};
  if (name != "and" && name != "or") return std::nullopt;
  BinaryExpr out{truth(std::move(arguments[0])), {}};
  for (std::size_t i = 1; i < arguments.size(); ++i)
    out.rest.push_back({name == "and" ? Op::logical_and : Op::logical_or, truth(std::move(arguments[i]))});
  ExprPtr expr = out.rest.empty() ? std::move(out.first) : make(std::move(out));
  return GoValue{std::move(expr), GoType::any, {}, true};
}

namespace {

bool fits(GoType type, char verb) {
  if (type == GoType::any) return true;
  switch (verb) {
    case 's':
    case 'q':
      return type == GoType::text;
    case 'v':
      return type != GoType::real && type != GoType::nil;
    case 'd':
    case 'x':
    case 'X':
      return type == GoType::integer;
    case 't':
      return type == GoType::boolean;
    case 'f':
      return type == GoType::real;
    default:
      return false;
  }
}

/// Whether HCL2's format makes of these arguments what printf does: for plain verbs and what they are meant for.
bool is_plain_format(const std::vector<GoValue>& a) {
  static const RE2 kVerbs(R"(%(?:%|(-?[0-9]*)(\.[0-9]+)?([sqvdxXtf])))");
  if (!a[0].constant) return false;
  re2::StringPiece rest(*a[0].constant);
  std::size_t used = 1;
  std::string width, precision, verb;
  std::size_t percents = 0;
  while (RE2::FindAndConsume(&rest, kVerbs, &width, &precision, &verb)) {
    percents += verb.empty() ? 2 : 1;
    if (verb.empty()) continue;
    if (used == a.size() || !fits(a[used].type, verb[0])) return false;
    if (!precision.empty() && verb != "f") return false;
    if (!width.empty() && verb != "d" && (verb != "s" || width[0] == '0' || width.starts_with("-0"))) return false;
    ++used;
  }
  return used == a.size() && percents == static_cast<std::size_t>(std::ranges::count(*a[0].constant, '%'));
}

bool is_printed_alike(const GoValue& v) {
  return v.type == GoType::text || v.type == GoType::integer || v.type == GoType::boolean;
}

}  // namespace

/// A function of Go's engine as HCL2 has it; not every one has a counterpart.
GoValue GoCalls::written_down(const std::string& name, Values a, std::string& problem) const {
  if (auto answer = logic(name, a)) return std::move(*answer);
  for (const GoValue& v : a) {
    if (v.only_truth && problem.empty()) problem = fmt::format("{} is given what \"and\" or \"or\" chose", name);
  }
  if (name == "print" && std::all_of(a.begin(), a.end(), is_printed_alike)) {
    TemplateExpr all;
    for (std::size_t i = 0; i < a.size(); ++i) {
      if (i > 0 && a[i - 1].type != GoType::text && a[i].type != GoType::text) all.parts.push_back(text(" "));
      all.parts.push_back(std::move(a[i].expr));
    }
    if (all.parts.empty()) all.parts.push_back(text(""));
    return {make(std::move(all)), GoType::text};
  }
  if (name == "printf" && !is_plain_format(a) && problem.empty())
    problem = "printf formats what it is given in a way for which HCL2 has no function";
  if (name == "printf" || (name == "urlquery" && a.size() == 1))
    return {function(same_functions().at(name), std::move(a)), GoType::text};
  if (problem.empty()) problem = fmt::format("{} is called, for which HCL2 has no function", name);
  return string("");
}

namespace {

std::string replaced(std::string s, const std::string& old, const std::string& with, std::size_t times) {
  for (std::size_t at = 0; times > 0; --times) {
    at = s.find(old, at);
    if (at == std::string::npos) break;
    s.replace(at, old.size(), with);
    at += with.size() + (old.empty() ? 1 : 0);
  }
  return s;
}

}  // namespace

/// replace old new n s
GoValue GoCalls::replace_first(Values a, std::string& problem) const {
  if (!context_.symbolic) return {function("go replace", std::move(a)), GoType::text};
  const bool all = a[2].constant && a[2].constant->starts_with('-');
  if (!all && a[0].constant && a[1].constant && a[2].constant && a[3].constant) {
    const std::size_t times = std::min<std::size_t>(std::strtoul(a[2].constant->c_str(), nullptr, 10), 1000);
    return string(replaced(*a[3].constant, *a[0].constant, *a[1].constant, times));
  }
  if (!all) problem = "replace is called with a count; write -1 (all) or use replace_all";
  std::rotate(a.begin(), a.begin() + 3, a.end());
  a.pop_back();
  return {function("replace", std::move(a)), GoType::text};
}

GoValue GoCalls::split_at(Values a) const {
  Step step;
  step.span = at_;
  step.how = Step::How::index;
  step.index = std::move(a[2].expr);
  PostfixExpr path{function("split", values_of(std::move(a[1]), std::move(a[0]))), {}};
  path.steps.push_back(std::move(step));
  return {make(std::move(path)), GoType::text};
}

/// What a cloud does not allow in a name becomes "-".
GoValue GoCalls::clean_name(Values a) const {
  const bool amazon = context_.builder.starts_with("amazon");
  if (context_.builder == "googlecompute") a = values_of({function("lower", std::move(a))});
  a.push_back(string(amazon ? "[^]a-zA-Z0-9()[ ./'@_-]" : "[^a-zA-Z0-9_-]"));
  a.push_back(string("-"));
  return {function("regex_replace", std::move(a)), GoType::text};
}

namespace {

/// What the engine asks of the template or the world, for which HCL2 has expressions.
bool outside_hcl(const std::string& name) {
  return name == "user" || name == "env" || name == "vault" || name == "consul_key" ||
         name.starts_with("aws_secretsmanager");
}

bool is_cloud(const std::string& builder) {
  return builder.starts_with("amazon") || builder.starts_with("azure") || builder == "googlecompute";
}

}  // namespace

/// A function that Packer added: all take texts, but for the counts of split and replace.
GoValue GoCalls::packer_call(const std::string& name, Values a, std::string& problem) const {
  if (context_.hcl && outside_hcl(name))
    problem = fmt::format("{} is called, which only old JSON templates have", name);
  if (context_.hcl && name == "clean_resource_name" && !is_cloud(context_.builder))
    problem = "clean_resource_name is called, which only sources of clouds have";
  for (std::size_t i = 0; i < a.size(); ++i) {
    const bool count = i == 2 && (name == "split" || name == "replace");
    const GoType wanted = count ? GoType::integer : GoType::text;
    if (a[i].only_truth || (a[i].type != GoType::any && a[i].type != wanted))
      problem = fmt::format("{} needs a {} as its argument {}", name, count ? "whole number" : "text", i + 1);
  }
  if (!problem.empty()) return string("");
  if (auto constant = constant_of(name)) return std::move(*constant);
  if (name == "user") return {member("var", std::move(a[0].expr)), GoType::text};
  if (name == "build") return {member("build", std::move(a[0].expr)), GoType::text};
  if (name == "split") return split_at(std::move(a));
  if (name == "replace") return replace_first(std::move(a), problem);
  if (name == "clean_resource_name") return clean_name(std::move(a));
  if (name == "replace_all") {  // old new s
    std::rotate(a.begin(), a.begin() + 2, a.end());
    return {function("replace", std::move(a)), GoType::text};
  }
  return {function(same_functions().at(name), std::move(a)), GoType::text};
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
