#include "steps/manifest.h"

#include <sys/stat.h>

#include "base/file.h"

namespace kiln::steps {

namespace {

using OrderedJson = nlohmann::ordered_json;  // the order of fields is Packer's

OrderedJson files_json(const ManifestEntry& entry) {
  if (entry.files.empty()) return nullptr;
  OrderedJson list = OrderedJson::array();
  for (const std::string& file : entry.files) {
    std::error_code ec;
    const std::uintmax_t size = fs::file_size(file, ec);
    OrderedJson item;
    item["name"] = entry.strip_path ? fs::path(file).filename().native() : file;
    item["size"] = ec ? 0 : size;
    list.push_back(std::move(item));
  }
  return list;
}

OrderedJson entry_json(const ManifestEntry& entry) {
  OrderedJson e;
  e["name"] = entry.name;
  e["builder_type"] = entry.builder_type;
  if (entry.build_time != 0) e["build_time"] = entry.build_time;
  e["files"] = files_json(entry);
  e["artifact_id"] = entry.artifact_id;
  e["packer_run_uuid"] = entry.run_uuid;
  e["custom_data"] = OrderedJson::parse(render_json(entry.custom_data));
  return e;
}

Result<OrderedJson> read_manifest(const fs::path& path) {
  auto text = read_file(path);
  if (!text) {
    if (text.error().code() != Errc::not_found) return std::move(text).error();
    return OrderedJson({{"builds", OrderedJson::array()}, {"last_run_uuid", ""}});
  }
  TRY(parse_json(*text).context("{} is not a manifest; move it away", path));
  return OrderedJson::parse(*text);
}

}  // namespace

Result<> append_manifest(const fs::path& path, const ManifestEntry& entry, bool truncate) {
  OrderedJson manifest = TRY(read_manifest(path));
  if (!manifest.is_object() || !manifest.contains("builds") || !manifest["builds"].is_array()) {
    return error(Errc::corrupt, "{} is not a manifest; move it away", path);
  }
  if (truncate && manifest["last_run_uuid"] != OrderedJson(entry.run_uuid)) manifest["builds"] = OrderedJson::array();
  manifest["builds"].push_back(entry_json(entry));
  manifest["last_run_uuid"] = entry.run_uuid;
  if (!path.parent_path().empty()) TRY(make_dirs(path.parent_path()));
  return write_file(path, manifest.dump(2, ' ', false, OrderedJson::error_handler_t::replace), 0664);
}

bool manifest_has(const fs::path& path, const std::string& name, const std::string& artifact_id,
                  const std::string& run_uuid) {
  auto text = read_file(path);
  if (!text) return false;
  auto manifest = parse_json(*text);
  if (!manifest || !manifest->is_object() || !manifest->contains("builds")) return false;
  for (const Json& e : (*manifest)["builds"]) {
    if (json_string(e, "name") == name && json_string(e, "artifact_id") == artifact_id &&
        json_string(e, "packer_run_uuid") == run_uuid) {
      return true;
    }
  }
  return false;
}

}  // namespace kiln::steps
