// The functions of specifications, and those that a specification defines for its input.
#include <fmt/format.h>

#include "template/functions_support.h"
#include "template/hcldec_spec.h"
#include "template/source_file.h"

namespace kiln::tmpl {

namespace {

Result<Value> has_index(Arguments a, FunctionContext&) {
  const Value& collection = a[0];
  const Value& key = a[1];
  const bool named = is_mapping(collection.type());
  if (!key.is_known()) return Value::boolean(false);
  if (named) return Value::boolean(key.is(Kind::string) && collection.entries().contains(key.text()));
  if (!key.is(Kind::number) || collection.is(Kind::set)) return Value::boolean(false);
  const auto i = key.number().to_int();
  return Value::boolean(i && *i >= 0 && static_cast<std::uint64_t>(*i) < collection.length());
}

Result<Value> whole(Arguments a, FunctionContext&) {
  return Value::number(a[0].number().truncated());
}

Result<Value> length_of_text(Arguments a, FunctionContext&) {
  return Value::number(static_cast<std::int64_t>(count_graphemes(a[0].text())));
}

FunctionTable make_table() {
  FunctionTable t;
  for (const char* name :
       {"abs", "coalesce", "concat", "jsondecode", "jsonencode", "length", "lower", "max", "min", "substr", "upper"}) {
    t[name] = functions().at(name);
  }
  t["reverse"] = functions().at("strrev");
  t["hasindex"] = {.parameters = {any_parameter("collection"), any_parameter("key")},
                   .rest = {},
                   .result = Type::boolean(),
                   .call = has_index};
  t["int"] = {.parameters = {number_parameter("num")}, .rest = {}, .result = Type::number(), .call = whole};
  t["strlen"] = {.parameters = {text_parameter("str")}, .rest = {}, .result = Type::number(), .call = length_of_text};
  return t;
}

std::optional<std::string> word_of(const Expr& expr) {
  if (const auto* name = std::get_if<NameExpr>(&expr.node)) return name->name;
  const auto* literal = std::get_if<LiteralExpr>(&expr.node);
  if (literal == nullptr || literal->inside) return std::nullopt;
  if (literal->value.is_null()) return "null";
  if (literal->value.is(Kind::boolean)) return literal->value.truth() ? "true" : "false";
  return std::nullopt;
}

class FunctionReader {
 public:
  FunctionReader(const World& world, Diagnostics& diagnostics) : world_(world), diagnostics_(diagnostics) {}
  std::optional<Function> read(const SyntaxBody& body);

 private:
  bool parameters(const Expr& expr, std::vector<std::string>& names);
  bool name(const Expr& expr, std::string& out, const char* summary);
  const World& world_;
  Diagnostics& diagnostics_;
};

bool FunctionReader::name(const Expr& expr, std::string& out, const char* summary) {
  const auto word = word_of(expr);
  if (word) {
    out = *word;
  } else {
    diagnostics_.push_back({.summary = summary,
                            .detail = "The name of a parameter is a single word, without quotes.",
                            .subject = expr.range(),
                            .context = {}});
  }
  return word.has_value();
}

bool FunctionReader::parameters(const Expr& expr, std::vector<std::string>& names) {
  const auto* list = std::get_if<TupleExpr>(&expr.node);
  if (list == nullptr) {
    diagnostics_.push_back({.summary = "Invalid expression",
                            .detail = "The parameters are a list of names in brackets.",
                            .subject = expr.file->range(start_of(expr)),
                            .context = {}});
    return false;
  }
  for (const ExprPtr& element : list->elements) {
    std::string word;
    if (!name(*element, word, "Invalid param element")) return false;
    names.push_back(std::move(word));
  }
  return true;
}

/// Calls result with the arguments as names; it sees nothing but them and the functions of specifications.
Function function_of(std::vector<std::string> names, std::optional<std::string> rest, const Expr* result,
                     const World& world) {
  Function out;
  for (const std::string& name : names) out.parameters.push_back(any_parameter(name));
  if (rest) out.rest = any_parameter(*rest);
  out.call = [names = std::move(names), rest = std::move(rest), result, &world](Arguments a,
                                                                                FunctionContext&) -> Result<Value> {
    Scope scope;
    for (std::size_t i = 0; i < names.size(); ++i) scope.set(names[i], a[i]);
    if (rest) scope.set(*rest, Value::tuple({a.begin() + static_cast<std::ptrdiff_t>(names.size()), a.end()}));
    Diagnostics problems;
    Value v = evaluate_in(*result, scope, spec_functions(), world, problems);
    if (has_errors(problems))
      return Error(Errc::bad_template, problems.front().summary + ": " + problems.front().detail);
    return v;
  };
  return out;
}

std::optional<Function> FunctionReader::read(const SyntaxBody& body) {
  const std::size_t before = diagnostics_.size();
  const BodySchema schema{{{"params", true}, {"variadic_param"}, {"result", true}}, {}};
  const Content content = read_content(body, schema, diagnostics_);
  if (diagnostics_.size() > before) return std::nullopt;
  std::vector<std::string> names;
  if (!parameters(*content.arguments.at("params")->expr, names)) return std::nullopt;
  std::optional<std::string> rest;
  if (const auto it = content.arguments.find("variadic_param"); it != content.arguments.end()) {
    if (!name(*it->second->expr, rest.emplace(), "Invalid variadic_param")) return std::nullopt;
  }
  return function_of(std::move(names), std::move(rest), content.arguments.at("result")->expr.get(), world_);
}

}  // namespace

const FunctionTable& spec_functions() {
  static const FunctionTable table = make_table();
  return table;
}

void read_functions(const SyntaxBody& body, const World& world, Taken& taken, FunctionTable& out,
                    Diagnostics& diagnostics) {
  const Content content = read_part(body, {{}, {{"function", {"name"}}}}, diagnostics, taken);
  FunctionReader reader(world, diagnostics);
  for (const Block* block : content.blocks) {
    if (auto function = reader.read(block->body)) out[block->labels[0]] = std::move(*function);
  }
}

}  // namespace kiln::tmpl
