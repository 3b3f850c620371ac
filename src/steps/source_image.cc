#include "steps/source_image.h"

namespace kiln::steps {

namespace {

/// "F:name:tag" into path and name: the longest prefix that is a file, so that paths with colons work.
std::pair<fs::path, std::string> path_and_name(const std::string& location) {
  std::error_code ec;
  if (fs::exists(location, ec)) return {location, {}};
  for (std::size_t at = location.rfind(':'); at != std::string::npos && at > 0; at = location.rfind(':', at - 1)) {
    if (fs::exists(location.substr(0, at), ec)) return {location.substr(0, at), location.substr(at + 1)};
  }
  const std::size_t colon = location.find(':');
  return {location.substr(0, colon), colon == std::string::npos ? std::string() : location.substr(colon + 1)};
}

}  // namespace

Result<image::SourceImage> open_source_image(const plan::BaseRef& ref) {
  const auto [path, name] = path_and_name(ref.location);
  if (ref.transport == "docker-archive") return image::open_docker_archive(path, name);
  if (ref.transport == "oci-archive") return image::open_oci_archive(path, name);
  if (ref.transport == "oci") return image::open_oci_layout(path, name);
  return error(Errc::bad_template, "{}: unknown kind of base", ref.text);
}

Json image_facts(const image::SourceImage& image) {
  Json history = Json::array();
  for (const image::HistoryEntry& entry : image.history) {
    history.push_back({{"created_by", entry.created_by}, {"empty_layer", entry.empty_layer}});
  }
  return {{"config", image.raw_config}, {"history", history}};
}

}  // namespace kiln::steps
