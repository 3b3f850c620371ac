#include "template/body_reader.h"

#include "base/text.h"
#include "template/convert.h"
#include "template/evaluate.h"
#include "template/locals.h"

namespace kiln::tmpl {

BodyReader::BodyReader(const Body& body, Diagnostics& diagnostics, std::string what)
    : body_(body), diagnostics_(diagnostics), what_(std::move(what)) {}

void BodyReader::report(const Range& at, std::string summary, std::string detail) {
  diagnostics_.push_back({.summary = std::move(summary), .detail = std::move(detail), .subject = at, .context = {}});
}

const Option* BodyReader::raw(const std::string& name) {
  names_.insert(name);
  const auto it = body_.options.find(name);
  if (it == body_.options.end()) return nullptr;
  if (!it->second.value.is_wholly_known()) unknown_.insert(name);
  return &it->second;
}

namespace {

/// One value where a list is meant: old JSON templates cut texts at commas.
Value as_list(const Value& value) {
  if (!value.is_known() || !value.is(Kind::string)) return Value::tuple({value});
  const std::string& text = value.text();
  Value::Elements parts;
  if (!text.empty()) {
    for (const std::string& part : split(text, ',')) parts.push_back(Value::string(part));
  }
  return Value::tuple(std::move(parts)).marked(value.marks());
}

}  // namespace

std::optional<Value> BodyReader::read(const std::string& name, const Type& type) {
  const Option* option = raw(name);
  if (option == nullptr || option->value.is_null()) return std::nullopt;
  const bool alone = body_.weak && type.is(Kind::list) && option->value.type().is_primitive();
  auto converted = convert(alone ? as_list(option->value) : option->value, type);
  if (!converted) {
    report(option->range, "Incorrect attribute value type",
           fmt::format("Inappropriate value for \"{}\" of {}: {}.", name, what_, converted.error().text()));
    return std::nullopt;
  }
  if (!(*converted).is_wholly_known()) return std::nullopt;
  return std::move(converted).take();
}

std::optional<std::string> BodyReader::string(const std::string& name) {
  const auto v = read(name, Type::string());
  return v ? std::optional(v->text()) : std::nullopt;
}

std::optional<bool> BodyReader::boolean(const std::string& name) {
  const auto v = read(name, Type::boolean());
  return v ? std::optional(v->truth()) : std::nullopt;
}

std::optional<std::int64_t> BodyReader::integer(const std::string& name) {
  const auto v = read(name, Type::number());
  if (!v) return std::nullopt;
  const auto n = v->number().to_int();
  if (!n)
    error(name, "Incorrect attribute value type", fmt::format("\"{}\" of {} must be a whole number.", name, what_));
  return n;
}

std::optional<double> BodyReader::number(const std::string& name) {
  const auto v = read(name, Type::number());
  return v ? std::optional(v->number().to_double()) : std::nullopt;
}

std::optional<std::vector<std::string>> BodyReader::strings(const std::string& name) {
  const auto v = read(name, Type::list(Type::string()));
  if (!v) return std::nullopt;
  std::vector<std::string> out;
  for (const Value& element : v->elements()) out.push_back(element.is_null() ? "" : element.text());
  return out;
}

std::optional<std::vector<std::int64_t>> BodyReader::integers(const std::string& name) {
  const auto v = read(name, Type::list(Type::number()));
  if (!v) return std::nullopt;
  std::vector<std::int64_t> out;
  for (const Value& element : v->elements()) {
    const auto n = element.is_null() ? std::nullopt : element.number().to_int();
    if (!n) {
      error(name, "Incorrect attribute value type", fmt::format("\"{}\" of {} must hold whole numbers.", name, what_));
      return std::nullopt;
    }
    out.push_back(*n);
  }
  return out;
}

std::optional<std::map<std::string, std::string>> BodyReader::string_map(const std::string& name) {
  const auto v = read(name, Type::map(Type::string()));
  if (!v) return std::nullopt;
  std::map<std::string, std::string> out;
  for (const auto& [key, part] : v->entries()) out[key] = part.is_null() ? "" : part.text();
  return out;
}

std::optional<Duration> BodyReader::duration(const std::string& name) {
  const auto text = string(name);
  if (!text) return std::nullopt;
  auto parsed = parse_go_duration(*text);
  if (parsed) return *parsed;
  error(name, "Incorrect attribute value type",
        fmt::format("\"{}\" of {} must be a duration such as \"30s\" or \"1h15m\".", name, what_));
  return std::nullopt;
}

namespace {

/// An object as a block, or each of several.
void add_blocks(const Value& value, const Option& from, std::vector<NestedBlock>& out) {
  if (!value.is_known()) return;
  if (value.is(Kind::tuple)) {
    for (const Value& part : value.elements()) add_blocks(part, from, out);
  }
  if (!value.is(Kind::object)) return;
  auto body = std::make_shared<Body>();
  body->range = from.range;
  body->weak = true;
  for (const auto& [name, part] : value.entries())
    body->options[name] = {part.marked(value.marks()), from.range, from.name_range};
  out.push_back({.labels = {}, .body = std::move(body), .range = from.range});
}

}  // namespace

std::vector<NestedBlock> BodyReader::blocks(const std::string& type) {
  block_names_.insert(type);
  std::vector<NestedBlock> out;
  if (const auto it = body_.blocks.find(type); it != body_.blocks.end()) out = it->second;
  const auto option = body_.options.find(type);
  if (!body_.weak || option == body_.options.end()) return out;
  names_.insert(type);
  add_blocks(option->second.value, option->second, out);
  return out;
}

std::string BodyReader::required_string(const std::string& name) {
  auto text = string(name);
  if (text) return std::move(*text);
  if (!has(name))
    error(name, "Missing required argument", fmt::format("The argument \"{}\" of {} is required.", name, what_));
  return {};
}

std::vector<std::string> BodyReader::ignore(const std::vector<std::string>& names) {
  std::vector<std::string> set;
  for (const std::string& name : names) {
    names_.insert(name);
    block_names_.insert(name);
    if (has(name) || body_.blocks.contains(name)) set.push_back(name);
  }
  return set;
}

bool BodyReader::has(const std::string& name) const {
  const auto it = body_.options.find(name);
  return it != body_.options.end() && !it->second.value.is_null();
}

bool BodyReader::is_sensitive(const std::string& name) const {
  const auto it = body_.options.find(name);
  return it != body_.options.end() && it->second.value.is_sensitive();
}

namespace {

void add_secrets(const Body& body, std::vector<std::string>& secrets) {
  for (const auto& [name, option] : body.options) collect_secrets(option.value, secrets);
  for (const auto& [type, blocks] : body.blocks) {
    for (const NestedBlock& block : blocks) add_secrets(*block.body, secrets);
  }
}

}  // namespace

std::vector<std::string> BodyReader::secrets() const {
  std::vector<std::string> secrets;
  add_secrets(body_, secrets);
  return secrets;
}

void BodyReader::error(const std::string& name, std::string summary, std::string detail) {
  const auto it = body_.options.find(name);
  report(it == body_.options.end() ? body_.range : it->second.range, std::move(summary), std::move(detail));
}

void BodyReader::finish() {
  const std::vector<std::string> names(names_.begin(), names_.end());
  const std::vector<std::string> block_names(block_names_.begin(), block_names_.end());
  const auto is_both = [&](const std::string& name, const Range& at) {  // of JSON: read as the other
    const auto option = body_.options.find(name);
    const auto blocks = body_.blocks.find(name);
    return option != body_.options.end() && blocks != body_.blocks.end() && option->second.range == at &&
           blocks->second.front().range == at && (names_.contains(name) || block_names_.contains(name));
  };
  for (const auto& [name, option] : body_.options) {
    if (names_.contains(name) || is_both(name, option.range)) continue;
    const std::string hint =
        block_names_.contains(name) ? fmt::format(" It is a block: {} {{ ... }}", name) : did_you_mean(name, names);
    report(option.name_range, "Unsupported argument",
           fmt::format("An argument named \"{}\" is not expected in {}.{}", name, what_, hint));
  }
  for (const auto& [type, list] : body_.blocks) {
    if (block_names_.contains(type) || is_both(type, list.front().range)) continue;
    const std::string hint =
        names_.contains(type) ? fmt::format(" It is an argument: {} = ...", type) : did_you_mean(type, block_names);
    report(list.front().range, "Unsupported block type",
           fmt::format("Blocks of type \"{}\" are not expected in {}.{}", type, what_, hint));
  }
}

}  // namespace kiln::tmpl
