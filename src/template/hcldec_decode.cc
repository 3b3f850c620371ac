#include <fmt/format.h>

#include <algorithm>

#include "template/convert.h"
#include "template/hcldec_spec.h"

namespace kiln::tmpl {

namespace {

/// Arguments that a specification looks for itself; a default also names those it chooses from, once more.
void add_arguments(const Spec& spec, BodySchema& out) {
  if (spec.kind == Spec::Kind::attribute) out.arguments.push_back({spec.name, spec.required});
  if (spec.kind != Spec::Kind::fallback) return;
  for (const SpecPtr& part : spec.parts) add_arguments(*part, out);
}

void add_blocks(const Spec& spec, BodySchema& out) {
  if (spec.is_block()) out.blocks.push_back({spec.name, spec.labels});
  if (spec.kind == Spec::Kind::fallback) add_blocks(*spec.parts[0], out);
}

template <class F>
void each_same_body(const Spec& spec, F visit) {
  visit(spec);
  if (spec.is_block()) return;
  for (const auto& [key, child] : spec.keys) each_same_body(*child, visit);
  for (const SpecPtr& part : spec.parts) each_same_body(*part, visit);
}

class Decoder {
 public:
  Decoder(const SpecScope& scope, const World& world, Diagnostics& diagnostics)
      : scope_(scope), world_(world), diagnostics_(diagnostics) {}
  Value body(const Spec& spec, const SyntaxBody& syntax) {
    return value(spec, read_content(syntax, implied_schema(spec), diagnostics_));
  }

 private:
  Value value(const Spec& spec, const Content& content);
  Value attribute(const Spec& spec, const Content& content);
  Value transform(const Spec& spec, const Content& content);
  const Block* only_block(const Spec& spec, const Content& content);
  Value block(const Spec& spec, const Content& content);
  Value blocks(const Spec& spec, const Content& content);
  void check_count(const Spec& spec, const Content& content, const std::vector<Range>& places);
  Value collection(const Spec& spec, Value::Elements elements, const std::vector<Range>& places);
  Value block_map(const Spec& spec, const Content& content);
  Value map_of(const Spec& spec, const std::vector<const Block*>& found, std::size_t level);
  Value block_attributes(const Spec& spec, const Content& content);
  Range place(const Spec& spec, const Content& content);
  Range place(const Spec& spec, const SyntaxBody& body);
  static std::vector<const Block*> blocks_of(const Spec& spec, const Content& content);
  Value null_of(const Spec& spec) { return Value::null(implied_type(spec, world_)); }
  void fail(const Range& at, std::string summary, std::string detail) {
    diagnostics_.push_back({.summary = std::move(summary), .detail = std::move(detail), .subject = at, .context = {}});
  }

  const SpecScope& scope_;
  const World& world_;
  Diagnostics& diagnostics_;
};

std::vector<const Block*> Decoder::blocks_of(const Spec& spec, const Content& content) {
  std::vector<const Block*> out;
  for (const Block* block : content.blocks) {
    if (block->type == spec.name) out.push_back(block);
  }
  return out;
}

/// Where the value of a specification stands, or would stand.
Range Decoder::place(const Spec& spec, const Content& content) {
  if (spec.kind == Spec::Kind::attribute) {
    const auto it = content.arguments.find(spec.name);
    return it == content.arguments.end() ? content.missing : it->second->expr->range();
  }
  if (spec.kind == Spec::Kind::fallback || spec.kind == Spec::Kind::transform) return place(*spec.parts[0], content);
  if (spec.kind == Spec::Kind::literal) return {"<unknown>", {0, 0, 0}, {0, 0, 0}};
  const auto found = spec.is_block() ? blocks_of(spec, content) : std::vector<const Block*>();
  if (found.empty()) return content.missing;
  if (spec.kind == Spec::Kind::block_attributes) return found[0]->range();
  return place(*spec.parts[0], found[0]->body);
}

Range Decoder::place(const Spec& spec, const SyntaxBody& syntax) {
  Diagnostics ignored;
  Taken taken;
  return place(spec, read_part(syntax, implied_schema(spec), ignored, taken));
}

Value Decoder::value(const Spec& spec, const Content& content) {
  switch (spec.kind) {
    case Spec::Kind::object: {
      Value::Entries entries;
      for (const auto& [key, child] : spec.keys) entries[key] = value(*child, content);
      return Value::object(std::move(entries));
    }
    case Spec::Kind::tuple: {
      Value::Elements elements;
      for (const SpecPtr& part : spec.parts) elements.push_back(value(*part, content));
      return Value::tuple(std::move(elements));
    }
    case Spec::Kind::fallback: {
      Value first = value(*spec.parts[0], content);
      return first.is_null() ? value(*spec.parts[1], content) : first;
    }
    case Spec::Kind::literal:
      return spec.value;
    case Spec::Kind::attribute:
      return attribute(spec, content);
    case Spec::Kind::transform:
      return transform(spec, content);
    case Spec::Kind::block:
      return block(spec, content);
    case Spec::Kind::block_map:
      return block_map(spec, content);
    case Spec::Kind::block_attributes:
      return block_attributes(spec, content);
    default:
      return blocks(spec, content);
  }
}

Value Decoder::attribute(const Spec& spec, const Content& content) {
  const auto it = content.arguments.find(spec.name);
  if (it == content.arguments.end()) return Value::null(spec.type);
  const Expr& expr = *it->second->expr;
  const Value v = evaluate_in(expr, *scope_.names, scope_.functions, world_, diagnostics_);
  auto converted = convert(v, spec.type);
  if (converted) return std::move(converted).take();
  fail(expr.range(), "Incorrect attribute value type",
       fmt::format("Inappropriate value for attribute \"{}\": {}.", spec.name, converted.error().text()));
  return Value::unknown(spec.type);
}

Value Decoder::transform(const Spec& spec, const Content& content) {
  const std::size_t before = diagnostics_.size();
  Value nested = value(*spec.parts[0], content);
  if (diagnostics_.size() > before || spec.result == nullptr) return Value::null();
  Scope scope;
  scope.set("nested", std::move(nested));
  return evaluate_in(*spec.result, scope, spec_functions(), world_, diagnostics_);
}

/// The block of a type that may stand once, if it is there.
const Block* Decoder::only_block(const Spec& spec, const Content& content) {
  const auto found = blocks_of(spec, content);
  if (found.empty() && spec.required)
    fail(content.missing, fmt::format("Missing {} block", spec.name),
         fmt::format("A block of type \"{}\" is required here.", spec.name));
  if (found.size() > 1)
    fail(found[1]->range(), fmt::format("Duplicate {} block", spec.name),
         fmt::format("Only one block of type \"{}\" is allowed.", spec.name));
  return found.empty() ? nullptr : found[0];
}

Value Decoder::block(const Spec& spec, const Content& content) {
  const Block* found = only_block(spec, content);
  return found == nullptr ? null_of(spec) : body(*spec.parts[0], found->body);
}

void Decoder::check_count(const Spec& spec, const Content& content, const std::vector<Range>& places) {
  if (places.size() < spec.least) {
    fail(content.missing, fmt::format("Insufficient {} blocks", spec.name),
         fmt::format("At least {} blocks of type \"{}\" are required.", spec.least, spec.name));
  } else if (spec.most > 0 && places.size() > spec.most) {
    fail(places[spec.most], fmt::format("Too many {} blocks", spec.name),
         fmt::format("At most {} blocks of type \"{}\" are allowed.", spec.most, spec.name));
  }
}

Value Decoder::blocks(const Spec& spec, const Content& content) {
  Value::Elements elements;
  std::vector<Range> places;
  for (const Block* block : blocks_of(spec, content)) {
    elements.push_back(body(*spec.parts[0], block->body));
    places.push_back(place(*spec.parts[0], block->body));
  }
  check_count(spec, content, places);
  if (spec.kind == Spec::Kind::block_tuple) return Value::tuple(std::move(elements));
  return collection(spec, std::move(elements), places);
}

/// A list or set of values that may have different types where the specification says any.
Value Decoder::collection(const Spec& spec, Value::Elements elements, const std::vector<Range>& places) {
  const auto make = [&](Type type, Value::Elements parts) {
    return spec.kind == Spec::Kind::block_set ? Value::set(std::move(type), std::move(parts))
                                              : Value::list(std::move(type), std::move(parts));
  };
  if (elements.empty()) return make(implied_type(*spec.parts[0], world_), {});
  std::vector<Type> types;
  for (const Value& v : elements) types.push_back(v.type());
  const auto one = unify(types);
  const std::string summary = fmt::format("Inconsistent argument types in {} blocks", spec.name);
  if (!one) {
    fail(places[0], summary, "Arguments of one name must have one type in all blocks of this type.");
    return Value::unknown();
  }
  for (std::size_t i = 0; i < elements.size(); ++i) {
    auto converted = convert(elements[i], *one);
    if (!converted) {
      fail(places[i], summary, fmt::format("Block {} does not fit: {}.", i, converted.error().text()));
      return Value::unknown();
    }
    elements[i] = std::move(converted).take();
  }
  return make(*one, std::move(elements));
}

/// The blocks by their label at this level.
Value Decoder::map_of(const Spec& spec, const std::vector<const Block*>& found, std::size_t level) {
  Type element = implied_type(*spec.parts[0], world_);
  for (std::size_t i = level + 1; i < spec.labels.size(); ++i) element = Type::map(element);
  Value::Entries entries;
  if (level + 1 == spec.labels.size()) {
    for (const Block* block : found) {
      Value v = body(*spec.parts[0], block->body);
      if (!entries.emplace(block->labels[level], std::move(v)).second)
        fail(block->range(), fmt::format("Duplicate {} block", spec.name),
             "There is already a block of this type with these labels.");
    }
    return Value::map(element, std::move(entries));
  }
  std::map<std::string, std::vector<const Block*>> groups;
  for (const Block* block : found) groups[block->labels[level]].push_back(block);
  for (const auto& [label, group] : groups) entries[label] = map_of(spec, group, level + 1);
  return Value::map(element, std::move(entries));
}

Value Decoder::block_map(const Spec& spec, const Content& content) {
  const auto found = blocks_of(spec, content);
  if (found.empty()) return Value::map(implied_type(*spec.parts[0], world_), {});  // hcldec forgets the other labels
  return map_of(spec, found, 0);
}

Value Decoder::block_attributes(const Spec& spec, const Content& content) {
  const Block* found = only_block(spec, content);
  if (found == nullptr) return Value::null(Type::map(spec.type));
  const Content inside = read_arguments(found->body, diagnostics_);
  Value::Entries entries;
  for (const auto& [name, a] : inside.arguments) {
    const Value v = evaluate_in(*a->expr, *scope_.names, scope_.functions, world_, diagnostics_);
    auto converted = convert(v, spec.type);
    if (!converted)
      fail(a->expr->range(), "Invalid attribute value",
           fmt::format("Invalid value in the block \"{}\": {}.", spec.name, converted.error().text()));
    entries[name] = converted ? std::move(converted).take() : Value::unknown(spec.type);
  }
  return Value::map(spec.type, std::move(entries));
}

}  // namespace

BodySchema implied_schema(const Spec& spec) {
  BodySchema out;
  each_same_body(spec, [&](const Spec& s) {
    add_arguments(s, out);
    add_blocks(s, out);
  });
  return out;
}

Type implied_type(const Spec& spec, const World& world) {
  const auto nested = [&] { return implied_type(*spec.parts[0], world); };
  switch (spec.kind) {
    case Spec::Kind::object: {
      std::map<std::string, Type> attributes;
      for (const auto& [key, child] : spec.keys) attributes[key] = implied_type(*child, world);
      return Type::object(std::move(attributes));
    }
    case Spec::Kind::tuple: {
      std::vector<Type> elements;
      for (const SpecPtr& part : spec.parts) elements.push_back(implied_type(*part, world));
      return Type::tuple(std::move(elements));
    }
    case Spec::Kind::attribute:
      return spec.type;
    case Spec::Kind::literal:
      return spec.value.type();
    case Spec::Kind::transform: {
      if (spec.result == nullptr) return {};
      Scope scope;
      scope.set("nested", Value::unknown(nested()));
      Diagnostics ignored;
      return evaluate_in(*spec.result, scope, spec_functions(), world, ignored).type();
    }
    case Spec::Kind::block_list:
      return Type::list(nested());
    case Spec::Kind::block_set:
      return Type::set(nested());
    case Spec::Kind::block_tuple:
      return {};
    case Spec::Kind::block_attributes:
      return Type::map(spec.type);
    case Spec::Kind::block_map: {
      Type out = nested();
      for (std::size_t i = 0; i < spec.labels.size(); ++i) out = Type::map(std::move(out));
      return out;
    }
    default:
      return nested();
  }
}

Value decode(const Spec& spec, const SyntaxBody& body, const SpecScope& scope, const World& world,
             Diagnostics& diagnostics) {
  return Decoder(scope, world, diagnostics).body(spec, body);
}

}  // namespace kiln::tmpl
