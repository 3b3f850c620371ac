#include "template/go_calls.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <map>

namespace kiln::tmpl {

namespace {

struct Arity {
  std::size_t least, most;
};

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
      {"eq", {2, 16}},
      {"ne", {2, 2}},
      {"and", {1, 16}},
      {"print", {1, 16}},
      {"urlquery", {1, 1}},
      {"or", {1, 16}},
      {"not", {1, 1}},
      {"printf", {1, 16}},
      {"vault", {2, 2}},
      {"consul_key", {1, 1}},
      {"aws_secretsmanager", {2, 2}},
      {"aws_secretsmanager_raw", {1, 1}},
  };
  return kArities;
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

}  // namespace

ExprPtr GoCalls::function(std::string name, std::vector<ExprPtr> arguments) const {
  return make(CallExpr{std::move(name), at_, std::move(arguments), false, at_, at_});
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

ExprPtr GoCalls::number(const std::string& digits) const {
  return make(LiteralExpr{Value::number(Number::parse(digits).value_or(0))});
}

ExprPtr GoCalls::truth(GoValue value) const {
  if (value.is_bool) return std::move(value.expr);
  std::vector<ExprPtr> parts;
  parts.push_back(std::move(value.expr));
  return binary(make(TemplateExpr{std::move(parts), false}), Op::not_equal, text(""));
}

/// What is known of the world, by its name in the language.
std::optional<GoValue> GoCalls::reference_of(const std::string& name) const {
  if (name == "timestamp") return GoValue{member("local", text("timestamp"))};
  if (name == "packer_version") return GoValue{member("packer", text("version"))};
  if (name == "pwd") return GoValue{member("path", text("cwd"))};
  if (name != "template_dir") return std::nullopt;
  std::vector<ExprPtr> directory;
  directory.push_back(member("path", text("root")));
  return GoValue{function("abspath", std::move(directory))};
}

std::optional<GoValue> GoCalls::constant_of(const std::string& name) const {
  if (name == "build_name") return GoValue{member("source", text("name"))};
  if (name == "build_type") return GoValue{member("source", text("type"))};
  if (context_.symbolic) return reference_of(name);
  if (name == "timestamp") return GoValue{text(std::to_string(context_.now))};
  if (name == "packer_version") return GoValue{text(context_.packer_version)};
  if (name == "pwd") return GoValue{text(context_.cwd)};
  if (name == "template_dir") return GoValue{text(context_.template_dir)};
  return std::nullopt;
}

std::optional<GoValue> GoCalls::logic(const std::string& name, Values& arguments) const {
  if (name == "eq" && arguments.size() > 2) {  // one of the others
    TupleExpr others;
    for (std::size_t i = 1; i < arguments.size(); ++i) others.elements.push_back(std::move(arguments[i].expr));
    std::vector<ExprPtr> call;
    call.push_back(make(std::move(others)));
    call.push_back(std::move(arguments[0].expr));
    return GoValue{function("contains", std::move(call)), true};
  }
  if (name == "print") {
    TemplateExpr all;
    for (GoValue& v : arguments) all.parts.push_back(std::move(v.expr));
    return GoValue{make(std::move(all))};
  }
  if (name == "eq" || name == "ne") {
    const Op op = name == "eq" ? Op::equal : Op::not_equal;
    return GoValue{binary(std::move(arguments[0].expr), op, std::move(arguments[1].expr)), true};
  }
  if (name == "not") return GoValue{make(UnaryExpr{{{'!', at_.begin}}, truth(std::move(arguments[0]))}), true};
  if (name != "and" && name != "or") return std::nullopt;
  BinaryExpr out{truth(std::move(arguments[0])), {}};
  for (std::size_t i = 1; i < arguments.size(); ++i)
    out.rest.push_back({name == "and" ? Op::logical_and : Op::logical_or, truth(std::move(arguments[i]))});
  return GoValue{out.rest.empty() ? std::move(out.first) : make(std::move(out)), true};
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

/// replace old new n s: of what is not known yet only "all of them" has a function here.
GoValue GoCalls::replace_first(Values a, std::string& problem) const {
  const bool all = a[2].constant && a[2].constant->starts_with('-');
  if (!all && a[0].constant && a[1].constant && a[2].constant && a[3].constant) {
    const std::size_t times = std::min<std::size_t>(std::strtoul(a[2].constant->c_str(), nullptr, 10), 1000);
    const std::string result = replaced(*a[3].constant, *a[0].constant, *a[1].constant, times);
    return {text(result), false, result};
  }
  if (!all) problem = "replace is called with a count; write -1 (all) or use replace_all";
  std::vector<ExprPtr> arguments;
  arguments.push_back(std::move(a[3].expr));
  arguments.push_back(std::move(a[0].expr));
  arguments.push_back(std::move(a[1].expr));
  return {function("replace", std::move(arguments))};
}

GoValue GoCalls::split_at(Values a) const {
  std::vector<ExprPtr> arguments;
  arguments.push_back(std::move(a[1].expr));
  arguments.push_back(std::move(a[0].expr));
  Step step;
  step.span = at_;
  step.how = Step::How::index;
  step.index = std::move(a[2].expr);
  PostfixExpr path{function("split", std::move(arguments)), {}};
  path.steps.push_back(std::move(step));
  return {make(std::move(path))};
}

/// What a cloud does not allow in a name becomes "-".
GoValue GoCalls::clean_name(Values a) const {
  const bool amazon = context_.builder.starts_with("amazon");
  ExprPtr name = std::move(a[0].expr);
  std::vector<ExprPtr> lowered;
  if (context_.builder == "googlecompute") {
    lowered.push_back(std::move(name));
    name = function("lower", std::move(lowered));
  }
  std::vector<ExprPtr> arguments;
  arguments.push_back(std::move(name));
  arguments.push_back(text(amazon ? "[^]a-zA-Z0-9()[ ./'@_-]" : "[^a-zA-Z0-9_-]"));
  arguments.push_back(text("-"));
  return {function("regex_replace", std::move(arguments))};
}

GoValue GoCalls::call(const std::string& name, Values a, std::string& problem) const {
  const auto arity = arities().find(name);
  if (name == "sed") problem = "sed is called, which Packer has taken out; use replace_all";
  if (problem.empty() && arity == arities().end()) problem = fmt::format("there is no function \"{}\"", name);
  if (problem.empty() && (a.size() < arity->second.least || a.size() > arity->second.most))
    problem = fmt::format("{} is called with {} argument(s)", name, a.size());
  if (!problem.empty()) return {text("")};
  if (auto constant = constant_of(name)) return std::move(*constant);
  if (auto answer = logic(name, a)) return std::move(*answer);
  if (name == "user") return {member("var", std::move(a[0].expr))};
  if (name == "build") return {member("build", std::move(a[0].expr))};
  if (name == "split") return split_at(std::move(a));
  if (name == "replace") return replace_first(std::move(a), problem);
  if (name == "clean_resource_name") return clean_name(std::move(a));
  std::vector<ExprPtr> arguments;
  for (GoValue& v : a) arguments.push_back(std::move(v.expr));
  if (name == "replace_all") {  // old new s
    std::rotate(arguments.begin(), arguments.begin() + 2, arguments.end());
    return {function("replace", std::move(arguments))};
  }
  return {function(same_functions().at(name), std::move(arguments))};
}

}  // namespace kiln::tmpl
