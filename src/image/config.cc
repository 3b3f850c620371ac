#include <algorithm>

#include "base/text.h"
#include "image/manifest.h"

namespace kiln::image {

namespace {

using Strings = std::vector<std::string>;

Error wrong_type(const char* name, const char* wanted) {
  return error(Errc::corrupt, "image configuration: {} is not {}", name, wanted);
}

/// The member of that name; null when it is missing.
const Json& member(const Json& object, const char* name) {
  static const Json kNull;
  const auto it = object.find(name);
  return it == object.end() ? kNull : *it;
}

Result<std::string> read_string(const Json& object, const char* name) {
  const Json& value = member(object, name);
  if (value.is_null()) return std::string();
  if (!value.is_string()) return wrong_type(name, "a string");
  return value.get<std::string>();
}

Result<std::optional<Strings>> read_strings(const Json& object, const char* name) {
  const Json& value = member(object, name);
  if (value.is_null()) return std::optional<Strings>();
  const auto is_string = [](const Json& item) { return item.is_string(); };
  if (!value.is_array() || !std::all_of(value.begin(), value.end(), is_string)) {
    return wrong_type(name, "a list of strings");
  }
  return std::optional(value.get<Strings>());
}

/// The names of an object whose values are empty objects: a set as Go writes it.
Result<Strings> read_set(const Json& object, const char* name) {
  const Json& value = member(object, name);
  if (value.is_null()) return Strings();
  if (!value.is_object()) return wrong_type(name, "an object");
  Strings names;
  for (const auto& item : value.items()) names.push_back(item.key());
  return names;
}

Result<std::map<std::string, std::string>> read_labels(const Json& object) {
  std::map<std::string, std::string> labels;
  const Json& value = member(object, "Labels");
  if (value.is_null()) return labels;
  if (!value.is_object()) return wrong_type("Labels", "an object");
  for (const auto& item : value.items()) {
    if (!item.value().is_string()) return wrong_type("Labels", "an object of strings");
    labels[item.key()] = item.value().get<std::string>();
  }
  return labels;
}

constexpr const char* kKnown[] = {"Env",        "Entrypoint", "Cmd",          "User",    "WorkingDir",
                                  "StopSignal", "Labels",     "ExposedPorts", "Volumes", "OnBuild"};

Result<> read_run_config(const Json& run, Config& config) {
  for (const std::string& variable : TRY(read_strings(run, "Env")).value_or(Strings())) {
    const std::size_t equals = variable.find('=');
    if (equals == std::string::npos || equals == 0) continue;  // names nothing; runtimes differ in what they do
    config.env[variable.substr(0, equals)] = variable.substr(equals + 1);
  }
  config.entrypoint = TRY(read_strings(run, "Entrypoint"));
  config.cmd = TRY(read_strings(run, "Cmd"));
  config.user = TRY(read_string(run, "User"));
  config.working_dir = TRY(read_string(run, "WorkingDir"));
  config.stop_signal = TRY(read_string(run, "StopSignal"));
  config.labels = TRY(read_labels(run));
  config.exposed_ports = TRY(read_set(run, "ExposedPorts"));
  config.volumes = TRY(read_set(run, "Volumes"));
  config.on_build = TRY(read_strings(run, "OnBuild")).value_or(Strings());
  config.other = run;
  for (const char* name : kKnown) config.other.erase(name);
  return {};
}

void put_text(Json& object, const char* name, const std::string& value) {
  if (!value.empty()) object[name] = value;
}

Json set_of(const Strings& names) {
  Json object = Json::object();
  for (const std::string& name : names) object[name] = Json::object();
  return object;
}

Json render_run_config(const Config& config) {
  Json run = config.other.is_object() ? config.other : Json::object();
  for (const auto& [name, value] : config.env) run["Env"].push_back(fmt::format("{}={}", name, value));
  if (config.entrypoint) run["Entrypoint"] = *config.entrypoint;
  if (config.cmd) run["Cmd"] = *config.cmd;
  put_text(run, "User", config.user);
  put_text(run, "WorkingDir", config.working_dir);
  put_text(run, "StopSignal", config.stop_signal);
  if (!config.labels.empty()) run["Labels"] = config.labels;
  if (!config.exposed_ports.empty()) run["ExposedPorts"] = set_of(config.exposed_ports);
  if (!config.volumes.empty()) run["Volumes"] = set_of(config.volumes);
  if (!config.on_build.empty()) run["OnBuild"] = config.on_build;
  return run;
}

Json render_history(const ImageSpec& spec) {
  Json history = Json::array();
  for (const HistoryEntry& entry : spec.history) {
    Json line = Json::object();
    put_text(line, "created", spec.config.created);
    put_text(line, "created_by", entry.created_by);
    if (entry.empty_layer) line["empty_layer"] = true;
    history.push_back(std::move(line));
  }
  return history;
}

}  // namespace

Result<Config> parse_config(const Json& image_config) {
  if (!image_config.is_object()) return error(Errc::corrupt, "image configuration: not an object");
  Config config;
  config.architecture = TRY(read_string(image_config, "architecture"));
  config.os = TRY(read_string(image_config, "os"));
  config.created = TRY(read_string(image_config, "created"));
  config.author = TRY(read_string(image_config, "author"));
  const Json& run = member(image_config, "config");
  if (run.is_null()) return config;
  if (!run.is_object()) return wrong_type("config", "an object");
  TRY(read_run_config(run, config));
  return config;
}

Result<std::vector<HistoryEntry>> parse_history(const Json& image_config) {
  std::vector<HistoryEntry> history;
  const Json& list = member(image_config, "history");
  if (list.is_null()) return history;
  if (!list.is_array()) return wrong_type("history", "a list");
  for (const Json& entry : list) {
    if (!entry.is_object()) return wrong_type("history", "a list of objects");
    const Json& empty = member(entry, "empty_layer");
    history.push_back({TRY(read_string(entry, "created_by")), empty.is_boolean() && empty.get<bool>()});
  }
  return history;
}

Result<std::vector<Digest>> parse_diff_ids(const Json& image_config) {
  const Json& rootfs = member(image_config, "rootfs");
  if (!rootfs.is_object()) return wrong_type("rootfs", "an object");
  std::vector<Digest> ids;
  for (const std::string& text : TRY(read_strings(rootfs, "diff_ids")).value_or(Strings())) {
    ids.push_back(TRY(Digest::parse(text).context("diff_ids")));
  }
  return ids;
}

Json render_config(const ImageSpec& spec) {
  Json config = {{"architecture", spec.config.architecture}, {"os", spec.config.os}};
  put_text(config, "created", spec.config.created);
  put_text(config, "author", spec.config.author);
  config["config"] = render_run_config(spec.config);
  Json ids = Json::array();
  for (const ImageLayer& layer : spec.layers) ids.push_back(layer.diff_id.text());
  config["rootfs"] = {{"type", "layers"}, {"diff_ids", std::move(ids)}};
  if (!spec.history.empty()) config["history"] = render_history(spec);
  return config;
}

}  // namespace kiln::image
