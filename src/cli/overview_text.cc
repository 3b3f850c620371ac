#include "cli/overview_text.h"

#include <fmt/format.h>

#include "base/text.h"
#include "template/console.h"

namespace kiln::cli {

namespace {

std::string values_text(const std::vector<tmpl::VariableInfo>& values, const char* root) {
  std::string out;
  for (const tmpl::VariableInfo& v : values) {
    out += fmt::format("{}.{}: {}\n", root, visible(v.name), tmpl::go_quoted(tmpl::console_text(v.value)));
  }
  return out;
}

std::string list_text(const std::vector<std::string>& names, const char* pad, const char* gap, const char* none) {
  if (names.empty()) return fmt::format("\n      {}\n", none);
  std::string out;
  for (const std::string& name : names) out += fmt::format("{}{}{}\n", gap, pad, visible(name));
  return out;
}

std::string build_text(const tmpl::BuildOverview& build, std::size_t index) {
  const std::string name = build.name.empty() ? fmt::format("<unnamed build {}>", index) : visible(build.name);
  std::string out = fmt::format("  > {}:\n\n", name);
  if (!build.description.empty()) out += fmt::format("  > Description: {}\n\n", visible(build.description, true));
  out += "    sources:\n" + list_text(build.sources, "      ", "\n", "<no source>");
  out += "\n    provisioners:\n\n";
  out += build.provisioners.empty() ? "      <no provisioner>\n" : list_text(build.provisioners, "      ", "", "");
  out += "\n    post-processors:\n";
  if (build.chains.empty()) out += "\n      <no post-processor>\n";
  for (std::size_t i = 0; i < build.chains.size(); ++i) {
    out += fmt::format("\n      {}:\n{}", i, list_text(build.chains[i], "        ", "", "<no post-processor>"));
  }
  return out;
}

Json value_json(const tmpl::Value& v, bool hidden) {
  hidden = hidden || v.marks().contains(tmpl::Marks::sensitive());
  if (v.is_unknown() || v.is_null()) return nullptr;
  if (v.type().is_primitive() && hidden) return "<sensitive>";
  if (v.is(tmpl::Kind::string)) return v.text();
  if (v.is(tmpl::Kind::boolean)) return v.truth();
  if (v.is(tmpl::Kind::number)) {
    const auto whole = v.number().to_int();
    return whole ? Json(*whole) : Json(v.number().to_double());
  }
  Json out = Json::array();
  if (v.is(tmpl::Kind::map) || v.is(tmpl::Kind::object)) {
    out = Json::object();
    for (const auto& [key, part] : v.entries()) out[key] = value_json(part, hidden);
  } else {
    for (const tmpl::Value& part : v.elements()) out.push_back(value_json(part, hidden));
  }
  return out;
}

Json values_json(const std::vector<tmpl::VariableInfo>& values) {
  Json out = Json::object();
  for (const tmpl::VariableInfo& v : values) {
    Json one = {{"type", v.type}, {"sensitive", v.sensitive}, {"known", v.value.is_wholly_known()}};
    if (!v.description.empty()) one["description"] = v.description;
    one["value"] = value_json(v.value, false);
    out[v.name] = std::move(one);
  }
  return out;
}

}  // namespace

std::string variables_text(const tmpl::Overview& overview) {
  return "> input-variables:\n\n" + values_text(overview.variables, "var") + "\n> local-variables:\n\n" +
         values_text(overview.locals, "local");
}

std::string builds_text(const tmpl::Overview& overview) {
  std::string out = "> builds:\n";
  for (std::size_t i = 0; i < overview.builds.size(); ++i) out += "\n" + build_text(overview.builds[i], i);
  return out;
}

Json overview_json(const tmpl::Overview& overview) {
  Json builds = Json::array();
  for (const tmpl::BuildOverview& b : overview.builds) {
    Json one = {{"name", b.name},
                {"description", b.description},
                {"sources", b.sources},
                {"provisioners", b.provisioners},
                {"post_processors", b.chains}};
    if (b.error_cleanup) one["error_cleanup_provisioner"] = *b.error_cleanup;
    builds.push_back(std::move(one));
  }
  Json plugins = Json::object();
  for (const tmpl::PluginWish& p : overview.plugins) plugins[p.name] = {{"source", p.source}, {"version", p.version}};
  return {{"variables", values_json(overview.variables)},
          {"locals", values_json(overview.locals)},
          {"builds", builds},
          {"required_plugins", plugins}};
}

}  // namespace kiln::cli
