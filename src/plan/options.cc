#include "plan/options.h"

#include <charconv>

#include "base/text.h"
#include "template/convert.h"

namespace kiln::plan {

using tmpl::Kind;
using tmpl::Value;

bool Options::has(const std::string& name) const {
  const auto it = body_.options.find(name);
  return it != body_.options.end() && !it->second.value.is_null();
}

bool Options::sensitive(const std::string& name) const {
  const auto it = body_.options.find(name);
  return it != body_.options.end() && it->second.value.is_sensitive();
}

void Options::problem(const std::string& name, std::string summary, std::string detail) {
  const auto it = body_.options.find(name);
  const tmpl::Range& where = it != body_.options.end() ? it->second.range : body_.range;
  diagnostics_.push_back({tmpl::Severity::error, std::move(summary), std::move(detail), where, body_.range});
}

const Value* Options::find(const std::string& name, tmpl::Type wanted) {
  known_.insert(name);
  const auto it = body_.options.find(name);
  if (it == body_.options.end() || it->second.value.is_null()) return nullptr;
  if (!it->second.value.is_wholly_known()) {
    unknown_ = true;
    return nullptr;
  }
  auto converted = tmpl::convert(it->second.value.deep_unmarked(), wanted);
  if (!converted) {
    problem(
        name, fmt::format("Wrong type for \"{}\"", name),
        fmt::format("The option \"{}\" of {} needs a {}: {}.", name, what_, wanted.name(), converted.error().text()));
    return nullptr;
  }
  return &(converted_[name] = std::move(converted).take());
}

std::optional<std::string> Options::text(const std::string& name) {
  const Value* value = find(name, tmpl::Type::string());
  return value != nullptr ? std::optional(value->text()) : std::nullopt;
}

bool Options::truth(const std::string& name, bool otherwise) {
  const Value* value = find(name, tmpl::Type::boolean());
  return value != nullptr ? value->truth() : otherwise;
}

std::optional<std::int64_t> Options::integer(const std::string& name) {
  const auto digits = text(name);
  if (!digits) return std::nullopt;
  std::int64_t number = 0;
  const auto [end, ec] = std::from_chars(digits->data(), digits->data() + digits->size(), number);
  if (ec == std::errc() && end == digits->data() + digits->size()) return number;
  problem(name, fmt::format("\"{}\" must be a whole number", name), fmt::format("It is \"{}\".", visible(*digits)));
  return std::nullopt;
}

std::vector<std::string> Options::texts(const std::string& name) {
  const Value* value = find(name, tmpl::Type::list(tmpl::Type::string()));
  std::vector<std::string> all;
  if (value == nullptr) return all;
  for (const Value& element : value->elements()) {
    if (element.is_known()) all.push_back(element.text());
  }
  return all;
}

std::map<std::string, std::string> Options::text_map(const std::string& name) {
  const Value* value = find(name, tmpl::Type::map(tmpl::Type::string()));
  std::map<std::string, std::string> all;
  if (value == nullptr) return all;
  for (const auto& [key, element] : value->entries()) {
    if (element.is_known()) all[key] = element.text();
  }
  return all;
}

std::optional<Duration> Options::duration(const std::string& name) {
  const auto written = text(name);
  if (!written) return std::nullopt;
  auto parsed = parse_go_duration(*written);
  if (parsed) return *parsed;
  problem(name, fmt::format("\"{}\" is not a duration", name), parsed.error().text() + ".");
  return std::nullopt;
}

std::optional<Json> Options::json(const std::string& name) {
  known_.insert(name);
  const auto it = body_.options.find(name);
  if (it == body_.options.end() || it->second.value.is_null()) return std::nullopt;
  return to_json(it->second.value);
}

void Options::accept_unneeded(const std::set<std::string>& names) {
  for (const std::string& name : names) {
    known_.insert(name);
    if (body_.options.contains(name) || body_.blocks.contains(name)) unneeded_.push_back(name);
  }
}

void Options::finish() {
  const std::vector<std::string> known(known_.begin(), known_.end());
  const auto report = [&](const std::string& name, const tmpl::Range& where) {
    if (known_.contains(name)) return;
    std::string detail = fmt::format("{} has no option \"{}\".", what_, name);
    if (const auto guess = nearest(name, known)) detail += fmt::format(" Did you mean \"{}\"?", *guess);
    diagnostics_.push_back({tmpl::Severity::error, "Unsupported argument", std::move(detail), where, body_.range});
  };
  for (const auto& [name, option] : body_.options) report(name, option.name_range);
  for (const auto& [name, blocks] : body_.blocks) {
    if (!blocks.empty()) report(name, blocks.front().range);
  }
}

Json to_json(const Value& value) {
  const Value plain = value.unmarked();
  if (!plain.is_known()) return nullptr;
  switch (plain.type().kind()) {
    case Kind::string:
      return plain.text();
    case Kind::boolean:
      return plain.truth();
    case Kind::number: {
      const auto number = parse_json(plain.number().text());
      return number ? *number : Json(plain.number().text());
    }
    case Kind::list:
    case Kind::set:
    case Kind::tuple: {
      Json list = Json::array();
      for (const Value& element : plain.elements()) list.push_back(to_json(element));
      return list;
    }
    case Kind::map:
    case Kind::object: {
      Json object = Json::object();
      for (const auto& [key, element] : plain.entries()) object[key] = to_json(element);
      return object;
    }
    case Kind::dynamic:
      break;
  }
  return nullptr;
}

}  // namespace kiln::plan
