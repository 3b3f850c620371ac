#include "template/type_expr.h"

#include "template/convert.h"
#include "template/parser.h"
#include "template/pkr_json.h"

namespace kiln::tmpl {

namespace {

std::optional<Constraint> refuse(const Expr& expr, Evaluation& evaluation, std::string detail) {
  fail(evaluation, expr.range(), "Invalid type specification", std::move(detail));
  return std::nullopt;
}

std::optional<Constraint> keyword(const Expr& expr, const std::string& name, Evaluation& evaluation) {
  if (name == "string") return Constraint{Type::string(), {}};
  if (name == "number") return Constraint{Type::number(), {}};
  if (name == "bool") return Constraint{Type::boolean(), {}};
  if (name == "any") return Constraint{Type::dynamic(), {}};
  if (name == "list" || name == "set" || name == "map")
    return refuse(expr, evaluation,
                  fmt::format("The type of the elements is missing: {}(string) or {}(any).", name, name));
  if (name == "object") return refuse(expr, evaluation, "The attributes are missing: object({ name = string }).");
  if (name == "tuple")
    return refuse(expr, evaluation, "The types of the elements are missing: tuple([string, number]).");
  return refuse(
      expr, evaluation,
      fmt::format("\"{}\" is not a type.{}", name,
                  did_you_mean(name, {"string", "number", "bool", "any", "list", "set", "map", "object", "tuple"})));
}

std::optional<Constraint> collection(const std::string& name, const Expr& element, Evaluation& evaluation) {
  auto inside = read_type(element, evaluation);
  if (!inside) return std::nullopt;
  Constraint out;
  out.type = name == "list"  ? Type::list(inside->type)
             : name == "set" ? Type::set(inside->type)
                             : Type::map(inside->type);
  if (!inside->defaults.empty()) out.defaults.children[""] = std::move(inside->defaults);
  return out;
}

/// optional(type) or optional(type, default): the inner type, and whether it was that.
const Expr* optional_attribute(const Expr& expr, const Expr*& default_value) {
  const auto* call = std::get_if<CallExpr>(&expr.node);
  if (call == nullptr || call->name != "optional" || call->arguments.empty() || call->arguments.size() > 2)
    return nullptr;
  default_value = call->arguments.size() == 2 ? call->arguments[1].get() : nullptr;
  return call->arguments[0].get();
}

bool add_attribute(const ObjectExpr::Item& item, std::map<std::string, Type>& attributes,
                   std::set<std::string>& optional, Defaults& defaults, Evaluation& evaluation) {
  const auto* key = std::get_if<LiteralExpr>(&item.key->node);
  if (key == nullptr || !key->value.is(Kind::string)) {
    refuse(*item.key, evaluation, "The names of an object's attributes must be written literally.");
    return false;
  }
  const std::string& name = key->value.text();
  const Expr* default_expr = nullptr;
  const Expr* inner = optional_attribute(*item.value, default_expr);
  auto type = read_type(inner != nullptr ? *inner : *item.value, evaluation);
  if (!type) return false;
  if (inner != nullptr) optional.insert(name);
  if (default_expr != nullptr) {
    const Value raw = evaluate(*default_expr, Scope(), evaluation);
    auto value = convert(with_defaults(raw, type->defaults), type->type);
    if (!value) {
      fail(evaluation, default_expr->range(), "Invalid default value for optional attribute",
           fmt::format("It does not fit the attribute's type: {}.", value.error().text()));
      return false;
    }
    defaults.values[name] = std::move(value).take();
  }
  if (!type->defaults.empty()) defaults.children[name] = std::move(type->defaults);
  attributes[name] = std::move(type->type);
  return true;
}

std::optional<Constraint> object(const Expr& argument, Evaluation& evaluation) {
  const auto* fields = std::get_if<ObjectExpr>(&argument.node);
  if (fields == nullptr)
    return refuse(argument, evaluation, "object needs attributes in braces: object({ name = string }).");
  Constraint out;
  std::map<std::string, Type> attributes;
  std::set<std::string> optional;
  bool good = true;
  for (const ObjectExpr::Item& item : fields->items) {
    good = add_attribute(item, attributes, optional, out.defaults, evaluation) && good;
  }
  out.type = Type::object(std::move(attributes), std::move(optional));
  return good ? std::optional(std::move(out)) : std::nullopt;
}

std::optional<Constraint> tuple(const Expr& argument, Evaluation& evaluation) {
  const auto* list = std::get_if<TupleExpr>(&argument.node);
  if (list == nullptr) return refuse(argument, evaluation, "tuple needs types in brackets: tuple([string, number]).");
  Constraint out;
  std::vector<Type> types;
  for (const ExprPtr& element : list->elements) {
    auto type = read_type(*element, evaluation);
    if (!type) return std::nullopt;
    if (!type->defaults.empty()) out.defaults.children[std::to_string(types.size())] = std::move(type->defaults);
    types.push_back(std::move(type->type));
  }
  out.type = Type::tuple(std::move(types));
  return out;
}

}  // namespace

namespace {

/// A type in JSON is a string that holds the expression.
std::optional<Constraint> read_json_type(const Expr& expr, const std::string& text, Evaluation& evaluation) {
  Pos origin = expr.range().start;
  ++origin.byte;
  ++origin.column;
  const SourceFile file(expr.file->name(), text, origin);
  const ExprPtr inner = parse_expression(file, *evaluation.diagnostics);
  return inner ? read_type(*inner, evaluation) : std::nullopt;
}

}  // namespace

std::optional<Constraint> read_type(const Expr& whole, Evaluation& evaluation) {
  const Expr& expr = unwrapped(whole);
  if (const auto text = json_text(expr)) return read_json_type(expr, *text, evaluation);
  if (const auto* name = std::get_if<NameExpr>(&expr.node)) return keyword(expr, name->name, evaluation);
  const auto* call = std::get_if<CallExpr>(&expr.node);
  if (call == nullptr)
    return refuse(expr, evaluation, "A type is a word like string (without quotes) or a form like list(string).");
  if (call->name == "optional")
    return refuse(expr, evaluation,
                  "optional is only for the attributes of an object type, with one or two arguments.");
  const bool known = call->name == "list" || call->name == "set" || call->name == "map" || call->name == "object" ||
                     call->name == "tuple";
  if (!known) return keyword(expr, call->name + "()", evaluation);
  if (call->arguments.size() != 1 || call->expand)
    return refuse(expr, evaluation, fmt::format("{} needs exactly one argument.", call->name));
  const Expr& argument = *call->arguments[0];
  if (call->name == "object") return object(argument, evaluation);
  if (call->name == "tuple") return tuple(argument, evaluation);
  return collection(call->name, argument, evaluation);
}

Value with_defaults(const Value& value, const Defaults& defaults) {
  if (defaults.empty() || !value.is_known() || value.type().is_primitive()) return value;
  const auto child = [&](const std::string& name) -> const Defaults* {
    const auto it = defaults.children.find(name);
    return it == defaults.children.end() ? nullptr : &it->second;
  };
  const Defaults* all = child("");
  if (value.is(Kind::object) || value.is(Kind::map)) {
    Value::Entries entries = value.entries();
    for (const auto& [name, v] : defaults.values) {
      Value& entry = entries[name];
      if (entry.is_null()) entry = v;
      if (v.is_not_null()) entry = entry.not_null();
    }
    for (auto& [name, v] : entries) {
      const Defaults* own = all != nullptr ? all : child(name);
      if (own != nullptr) v = with_defaults(v, *own);
    }
    return Value::object(std::move(entries)).marked(value.marks());
  }
  Value::Elements elements = value.elements();
  for (std::size_t i = 0; i < elements.size(); ++i) {
    const Defaults* own = all != nullptr ? all : child(std::to_string(i));
    if (own != nullptr) elements[i] = with_defaults(elements[i], *own);
  }
  return Value::tuple(std::move(elements)).marked(value.marks());
}

}  // namespace kiln::tmpl
