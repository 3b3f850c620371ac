#include "base/json.h"

#include <set>

namespace kiln {

namespace {

constexpr int kMaxDepth = 200;  // templates and manifests nest a few levels; deeper is an attack

/// Watches the parse for depth and repeated names, which nlohmann-json accepts.
struct Watch {
  std::vector<std::set<std::string>> names;
  std::string problem;
  bool operator()(int depth, nlohmann::json::parse_event_t event, Json& parsed) {
    using Event = nlohmann::json::parse_event_t;
    if (depth > kMaxDepth && problem.empty()) problem = fmt::format("nested deeper than {} levels", kMaxDepth);
    if (event == Event::object_start) names.emplace_back();
    if (event == Event::object_end) names.pop_back();
    if (event == Event::key && !names.empty() && !names.back().insert(parsed.get<std::string>()).second &&
        problem.empty()) {
      problem = fmt::format("the name \"{}\" stands twice in an object", parsed.get<std::string>());
    }
    return true;
  }
};

/// Parser recursion does not exist in nlohmann-json, but its destructor recurses: refuse deep text before parsing.
bool too_deep(std::string_view text) {
  int depth = 0;
  bool in_string = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (in_string) {
      if (c == '\\') ++i;
      if (c == '"') in_string = false;
      continue;
    }
    if (c == '"') in_string = true;
    if (c == '{' || c == '[') ++depth;
    if (c == '}' || c == ']') --depth;
    if (depth > kMaxDepth) return true;
  }
  return false;
}

}  // namespace

Result<Json> parse_json(std::string_view text) {
  if (too_deep(text)) return error(Errc::corrupt, "JSON nested deeper than {} levels", kMaxDepth);
  Watch watch;
  try {
    Json value = Json::parse(text.begin(), text.end(), std::ref(watch));
    if (!watch.problem.empty()) return error(Errc::corrupt, "JSON: {}", watch.problem);
    return value;
  } catch (const nlohmann::json::exception& e) {
    return error(Errc::corrupt, "JSON: {}", e.what());
  }
}

std::string render_json(const Json& value) {
  return value.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string render_json_pretty(const Json& value) {
  return value.dump(2, ' ', false, Json::error_handler_t::replace);
}

std::string json_string(const Json& value, const std::string& name, std::string otherwise) {
  if (!value.is_object()) return otherwise;
  const auto it = value.find(name);
  return it != value.end() && it->is_string() ? it->get<std::string>() : otherwise;
}

std::uint64_t json_uint(const Json& value, const std::string& name, std::uint64_t otherwise) {
  if (!value.is_object()) return otherwise;
  const auto it = value.find(name);
  return it != value.end() && it->is_number_unsigned() ? it->get<std::uint64_t>() : otherwise;
}

}  // namespace kiln
