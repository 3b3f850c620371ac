#include "template/hcldec_spec.h"

#include <fmt/format.h>

#include <algorithm>

#include "template/convert.h"
#include "template/type_expr.h"

namespace kiln::tmpl {

namespace {

const std::vector<std::string> kSpecTypes = {"object",      "array",       "literal",   "attr",
                                             "block",       "block_list",  "block_map", "block_set",
                                             "block_tuple", "block_attrs", "default",   "transform"};

BodySchema spec_blocks(const std::vector<std::string>& labels) {
  BodySchema out;
  for (const std::string& type : kSpecTypes) out.blocks.push_back({type, labels});
  return out;
}

class SpecReader {
 public:
  SpecReader(const World& world, Diagnostics& diagnostics) : world_(world), diagnostics_(diagnostics) {}
  SpecPtr only_spec(const SyntaxBody& body, Taken taken, const char* detail);
  void variables(const SyntaxBody& body, Taken& taken, SpecScope& out);

 private:
  SpecPtr spec(const Block& block);
  SpecPtr object(const SyntaxBody& body);
  SpecPtr tuple(const SyntaxBody& body);
  SpecPtr attribute(const SyntaxBody& body, std::string name);
  SpecPtr literal(const SyntaxBody& body);
  SpecPtr fallback(const SyntaxBody& body);
  SpecPtr transform(const SyntaxBody& body);
  SpecPtr blocks(Spec::Kind kind, const SyntaxBody& body, std::string name);
  SpecPtr block_attributes(const SyntaxBody& body, std::string name);
  void common(const Content& content, Spec& out);

  SpecPtr broken() const { return std::make_unique<const Spec>(); }
  void fail(const Range& at, std::string summary, std::string detail) {
    diagnostics_.push_back({.summary = std::move(summary), .detail = std::move(detail), .subject = at, .context = {}});
  }
  void fail_missing(const SyntaxBody& body, std::string summary, std::string detail) {
    fail(body.file->range(body.missing), std::move(summary), std::move(detail));
  }
  std::optional<Value> constant(const Content& content, const std::string& name, const Type& type,
                                bool with_functions = false);
  Type type_of(const Content& content, const std::string& name);

  const World& world_;
  Diagnostics& diagnostics_;
};

/// The argument's value; nothing when it is absent, null or wrong (reported).
std::optional<Value> SpecReader::constant(const Content& content, const std::string& name, const Type& type,
                                          bool with_functions) {
  const auto it = content.arguments.find(name);
  if (it == content.arguments.end()) return std::nullopt;
  const Expr& expr = *it->second->expr;
  const std::size_t before = diagnostics_.size();
  const Value v = evaluate_in(expr, Scope(), with_functions ? spec_functions() : FunctionTable(), world_, diagnostics_);
  if (diagnostics_.size() > before) return std::nullopt;
  auto converted = convert(v, type);
  if (converted) {
    if (!type.is_dynamic() && (*converted).is_null()) return std::nullopt;
    return std::move(converted).take();
  }
  fail(expr.file->range(start_of(expr)), "Unsuitable value type",
       fmt::format("Unsuitable value: {}.", converted.error().text()));
  return std::nullopt;
}

Type SpecReader::type_of(const Content& content, const std::string& name) {
  const auto it = content.arguments.find(name);
  if (it == content.arguments.end()) return {};
  Evaluation evaluation{&world_, ".", &diagnostics_};
  const auto constraint = read_type(*it->second->expr, evaluation);
  return constraint ? constraint->type : Type();
}

/// name, block_type, required, min_items, max_items, labels: what a kind of specification has of them.
void SpecReader::common(const Content& content, Spec& out) {
  for (const char* key : {"name", "block_type"}) {
    if (const auto name = constant(content, key, Type::string())) out.name = name->text();
  }
  if (const auto required = constant(content, "required", Type::boolean())) out.required = required->truth();
  const auto count = [&](const char* key, std::uint64_t& into) {
    const auto v = constant(content, key, Type::number());
    if (v) into = static_cast<std::uint64_t>(std::max<std::int64_t>(v->number().to_int().value_or(0), 0));
  };
  count("min_items", out.least);
  count("max_items", out.most);
  if (const auto labels = constant(content, "labels", Type::list(Type::string()))) {
    for (const Value& label : labels->elements()) out.labels.push_back(label.is_known() ? label.text() : "");
  }
}

SpecPtr SpecReader::only_spec(const SyntaxBody& body, Taken taken, const char* detail) {
  const std::size_t before = diagnostics_.size();
  const Content content = read_content(body, spec_blocks({}), diagnostics_, std::move(taken));
  if (content.blocks.empty()) {
    if (diagnostics_.size() == before) fail_missing(body, "Missing spec block", detail);
    return broken();
  }
  if (content.blocks.size() > 1) {
    fail(content.blocks[1]->range(), "Extraneous spec block", detail);
    return broken();
  }
  return spec(*content.blocks[0]);
}

SpecPtr SpecReader::spec(const Block& block) {
  static const std::map<std::string, Spec::Kind> kBlocks = {{"block", Spec::Kind::block},
                                                            {"block_list", Spec::Kind::block_list},
                                                            {"block_set", Spec::Kind::block_set},
                                                            {"block_tuple", Spec::Kind::block_tuple},
                                                            {"block_map", Spec::Kind::block_map}};
  const std::string name = block.labels.empty() ? "" : block.labels[0];
  if (block.type == "object") return object(block.body);
  if (block.type == "array") return tuple(block.body);
  if (block.type == "attr") return attribute(block.body, name);
  if (block.type == "literal") return literal(block.body);
  if (block.type == "default") return fallback(block.body);
  if (block.type == "transform") return transform(block.body);
  if (block.type == "block_attrs") return block_attributes(block.body, name);
  return blocks(kBlocks.at(block.type), block.body, name);
}

SpecPtr SpecReader::object(const SyntaxBody& body) {
  auto out = std::make_unique<Spec>();
  out->kind = Spec::Kind::object;
  const Content content = read_content(body, spec_blocks({"key"}), diagnostics_);
  for (const Block* block : content.blocks) out->keys[block->labels[0]] = spec(*block);
  return out;
}

SpecPtr SpecReader::tuple(const SyntaxBody& body) {
  auto out = std::make_unique<Spec>();
  out->kind = Spec::Kind::tuple;
  const Content content = read_content(body, spec_blocks({}), diagnostics_);
  for (const Block* block : content.blocks) out->parts.push_back(spec(*block));
  return out;
}

SpecPtr SpecReader::attribute(const SyntaxBody& body, std::string name) {
  auto out = std::make_unique<Spec>();
  out->kind = Spec::Kind::attribute;
  out->name = std::move(name);
  const std::size_t before = diagnostics_.size();
  const Content content = read_content(body, {{{"name"}, {"type"}, {"required"}}, {}}, diagnostics_);
  common(content, *out);
  if (diagnostics_.size() > before) return broken();
  out->type = type_of(content, "type");
  if (!out->name.empty()) return out;
  fail_missing(body, "Missing name in attribute spec", "The argument needs a name: name = \"...\".");
  return broken();
}

SpecPtr SpecReader::block_attributes(const SyntaxBody& body, std::string name) {
  auto out = std::make_unique<Spec>();
  out->kind = Spec::Kind::block_attributes;
  out->name = std::move(name);
  const std::size_t before = diagnostics_.size();
  const Content content = read_content(body, {{{"block_type"}, {"element_type"}, {"required"}}, {}}, diagnostics_);
  common(content, *out);
  if (diagnostics_.size() > before) return broken();
  out->type = type_of(content, "element_type");
  if (!out->name.empty()) return out;
  fail_missing(body, "Missing block_type in block_attrs spec", "The block needs a type: block_type = \"...\".");
  return broken();
}

SpecPtr SpecReader::literal(const SyntaxBody& body) {
  auto out = std::make_unique<Spec>();
  const Content content = read_content(body, {{{"value", true}}, {}}, diagnostics_);
  if (const auto value = constant(content, "value", Type(), true)) out->value = *value;
  return out;
}

SpecPtr SpecReader::fallback(const SyntaxBody& body) {
  const std::size_t before = diagnostics_.size();
  const Content content = read_content(body, spec_blocks({}), diagnostics_);
  if (content.blocks.empty() && diagnostics_.size() == before)
    fail_missing(body, "Missing spec block", "A default block holds the specifications to try, at least one.");
  SpecPtr out;
  for (const Block* block : content.blocks) {
    SpecPtr candidate = spec(*block);
    if (!out) {
      out = std::move(candidate);
      continue;
    }
    Spec both{.kind = Spec::Kind::fallback};
    both.parts.push_back(std::move(out));
    both.parts.push_back(std::move(candidate));
    out = std::make_unique<const Spec>(std::move(both));
  }
  if (!out) out = broken();
  return out;
}

SpecPtr SpecReader::transform(const SyntaxBody& body) {
  auto out = std::make_unique<Spec>();
  out->kind = Spec::Kind::transform;
  Taken taken;
  const std::size_t before = diagnostics_.size();
  const Content content = read_part(body, {{{"result"}}, {}}, diagnostics_, taken);
  if (diagnostics_.size() > before) return broken();
  if (const auto it = content.arguments.find("result"); it != content.arguments.end())
    out->result = it->second->expr.get();
  out->parts.push_back(only_spec(body, std::move(taken), "A transform block holds exactly one specification."));
  return out;
}

SpecPtr SpecReader::blocks(Spec::Kind kind, const SyntaxBody& body, std::string name) {
  auto out = std::make_unique<Spec>();
  out->kind = kind;
  out->name = std::move(name);
  BodySchema schema{{{"block_type"}}, {}};
  if (kind == Spec::Kind::block) {
    schema.arguments.push_back({"required"});
  } else if (kind == Spec::Kind::block_map) {
    schema.arguments.push_back({"labels", true});
  } else {
    schema.arguments.push_back({"min_items"});
    schema.arguments.push_back({"max_items"});
  }
  Taken taken;
  const std::size_t before = diagnostics_.size();
  const Content content = read_part(body, schema, diagnostics_, taken);
  common(content, *out);
  if (diagnostics_.size() > before) return broken();
  out->parts.push_back(only_spec(body, std::move(taken), "A block holds exactly one specification for its content."));
  if (kind == Spec::Kind::block) return out;
  if (out->name.empty()) {
    fail_missing(body, "Missing block_type", "The block needs a type: block_type = \"...\".");
    return broken();
  }
  if (kind != Spec::Kind::block_map) return out;
  if (out->labels.empty()) {
    fail_missing(body, "Invalid block label name list", "A block_map needs at least one label.");
    return broken();
  }
  if (implied_type(*out, world_).has_dynamic())
    fail_missing(body, "Invalid block_map spec", "The arguments in a block_map need types other than any.");
  return out;
}

void SpecReader::variables(const SyntaxBody& body, Taken& taken, SpecScope& out) {
  const Content content = read_part(body, {{}, {{"variables", {}}}}, diagnostics_, taken);
  for (const Block* block : content.blocks) {
    const Content inside = read_arguments(block->body, diagnostics_);
    for (const auto& [name, a] : inside.arguments)
      out.names->set(name, evaluate_in(*a->expr, Scope(), spec_functions(), world_, diagnostics_));
  }
}

}  // namespace

Value evaluate_in(const Expr& expr, const Scope& names, const FunctionTable& functions, const World& world,
                  Diagnostics& diagnostics) {
  Evaluation evaluation{&world, ".", &diagnostics};
  evaluation.calls_allowed = !functions.empty();
  evaluation.table = &functions;
  evaluation.constant = functions.empty() && names.names().empty();
  return evaluate(expr, names, evaluation);
}

SpecFile read_spec(const SyntaxBody& body, const World& world, Diagnostics& diagnostics) {
  SpecFile out;
  SpecReader reader(world, diagnostics);
  Taken taken;
  read_functions(body, world, taken, out.scope.functions, diagnostics);
  reader.variables(body, taken, out.scope);
  out.root = reader.only_spec(body, std::move(taken), "A specification file holds exactly one specification.");
  return out;
}

}  // namespace kiln::tmpl
