#include "image/manifest.h"

#include <algorithm>

#include "base/text.h"

namespace kiln::image {

namespace {

struct LayerType {
  std::string_view media_type;
  Compression compression;
};
constexpr LayerType kLayerTypes[] = {
    {"application/vnd.oci.image.layer.v1.tar", Compression::none},
    {"application/vnd.oci.image.layer.v1.tar+gzip", Compression::gzip},
    {"application/vnd.oci.image.layer.v1.tar+zstd", Compression::zstd},
    {"application/vnd.oci.image.layer.nondistributable.v1.tar", Compression::none},
    {"application/vnd.oci.image.layer.nondistributable.v1.tar+gzip", Compression::gzip},
    {"application/vnd.oci.image.layer.nondistributable.v1.tar+zstd", Compression::zstd},
    {"application/vnd.docker.image.rootfs.diff.tar", Compression::none},
    {"application/vnd.docker.image.rootfs.diff.tar.gzip", Compression::gzip},
    {"application/vnd.docker.image.rootfs.diff.tar.zstd", Compression::zstd},
    {"application/vnd.docker.image.rootfs.foreign.diff.tar.gzip", Compression::gzip},
};

bool is_one_of(char c, std::string_view others) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || others.find(c) != std::string_view::npos;
}

Json describe(const char* media_type, const std::string& document) {
  return {{"mediaType", media_type}, {"digest", sha256(document).text()}, {"size", document.size()}};
}

Json render_manifest(const ImageSpec& spec, const std::string& config) {
  Json layers = Json::array();
  for (const ImageLayer& layer : spec.layers) {
    layers.push_back({{"mediaType", layer.media_type}, {"digest", layer.blob.text()}, {"size", layer.bytes}});
  }
  return {{"schemaVersion", 2},
          {"mediaType", kOciManifest},
          {"config", describe(kOciConfig, config)},
          {"layers", std::move(layers)}};
}

/// One descriptor, whatever the number of tags: with two, readers that are given no name would refuse to choose.
Result<Json> render_index(const ImageSpec& spec, const std::string& manifest) {
  Json descriptor = describe(kOciManifest, manifest);
  descriptor["platform"] = {{"architecture", spec.config.architecture}, {"os", spec.config.os}};
  if (!spec.tags.empty()) {
    const std::string name = TRY(full_image_name(spec.tags.front()));
    descriptor["annotations"] = {{"io.containerd.image.name", name},
                                 {"org.opencontainers.image.ref.name", name.substr(name.rfind(':') + 1)}};
  }
  return Json{{"schemaVersion", 2}, {"mediaType", kOciIndex}, {"manifests", Json::array({std::move(descriptor)})}};
}

Result<Json> render_docker_manifest(const ImageSpec& spec, const Digest& config) {
  Json layers = Json::array();
  for (const ImageLayer& layer : spec.layers) layers.push_back(blob_path(layer.blob));
  Json tags = Json::array();
  for (const std::string& tag : spec.tags) {
    const std::string full = TRY(full_image_name(tag));
    tags.push_back(full.ends_with(tag) ? tag : tag + ":latest");
  }
  Json image = {{"Config", blob_path(config)}, {"RepoTags", std::move(tags)}, {"Layers", std::move(layers)}};
  return Json::array({std::move(image)});
}

}  // namespace

std::string blob_path(const Digest& digest) {
  return "blobs/sha256/" + digest.hex();
}

Result<Compression> layer_compression(std::string_view media_type) {
  for (const LayerType& type : kLayerTypes) {
    if (type.media_type == media_type) return type.compression;
  }
  return error(Errc::corrupt, "'{}' is no media type of a layer that kiln reads", visible(media_type.substr(0, 200)));
}

Result<Descriptor> parse_descriptor(const Json& value) {
  Descriptor descriptor;
  descriptor.media_type = json_string(value, "mediaType");
  descriptor.digest = TRY(Digest::parse(json_string(value, "digest")).context("descriptor"));
  if (!value.contains("size") || !value["size"].is_number_unsigned()) {
    return error(Errc::corrupt, "descriptor of {}: no size", descriptor.digest.text());
  }
  descriptor.size = value["size"].get<std::uint64_t>();
  if (value.contains("annotations") && value["annotations"].is_object()) {
    for (const auto& item : value["annotations"].items()) {
      if (item.value().is_string()) descriptor.annotations[item.key()] = item.value().get<std::string>();
    }
  }
  if (value.contains("platform")) {
    descriptor.os = json_string(value["platform"], "os");
    descriptor.architecture = json_string(value["platform"], "architecture");
  }
  return descriptor;
}

Result<Manifest> parse_manifest(const Json& value) {
  if (json_uint(value, "schemaVersion") != 2 || !value.contains("config") || !value.contains("layers") ||
      !value["layers"].is_array()) {
    return error(Errc::corrupt, "not an image manifest of schema version 2");
  }
  Manifest manifest;
  manifest.config = TRY(parse_descriptor(value["config"]).context("config"));
  if (manifest.config.media_type != kOciConfig && manifest.config.media_type != kDockerConfig) {
    return error(Errc::corrupt, "'{}' is no image configuration", visible(manifest.config.media_type));
  }
  if (value["layers"].size() > kMaxLayersRead) return error(Errc::corrupt, "more than {} layers", kMaxLayersRead);
  for (const Json& layer : value["layers"]) manifest.layers.push_back(TRY(parse_descriptor(layer).context("layer")));
  return manifest;
}

Result<std::vector<Descriptor>> parse_index(const Json& value) {
  if (json_uint(value, "schemaVersion") != 2 || !value.contains("manifests") || !value["manifests"].is_array()) {
    return error(Errc::corrupt, "not an image index of schema version 2");
  }
  std::vector<Descriptor> descriptors;
  for (const Json& entry : value["manifests"]) descriptors.push_back(TRY(parse_descriptor(entry).context("index")));
  return descriptors;
}

Result<std::string> full_image_name(std::string_view name) {
  const Error bad = error(Errc::usage, "'{}' is not an image name (NAME[:TAG], lower case)", visible(name));
  const std::size_t slash = name.rfind('/');
  const std::size_t colon = name.find(':', slash == std::string_view::npos ? 0 : slash);
  const std::string_view tag = colon == std::string_view::npos ? "latest" : name.substr(colon + 1);
  const std::string_view path = name.substr(0, colon);
  const auto in_tag = [](char c) { return is_one_of(c, "_.-") || (c >= 'A' && c <= 'Z'); };
  if (tag.empty() || tag.size() > 128 || !std::all_of(tag.begin(), tag.end(), in_tag) || tag[0] == '.' ||
      tag[0] == '-') {
    return bad;
  }
  std::vector<std::string> parts = split(path, '/');
  const bool has_host =
      parts.size() > 1 && (parts[0].find_first_of(".:") != std::string::npos || parts[0] == "localhost");
  if (has_host && !is_one_of(parts[0].front(), "")) return bad;
  for (std::size_t i = has_host ? 1 : 0; i < parts.size(); ++i) {
    const std::string& part = parts[i];
    const auto in_part = [](char c) { return is_one_of(c, "_.-"); };
    if (part.empty() || !std::all_of(part.begin(), part.end(), in_part) || !is_one_of(part.front(), "") ||
        !is_one_of(part.back(), "")) {
      return bad;
    }
  }
  std::string full(path);
  if (!has_host) full = (parts.size() == 1 ? "docker.io/library/" : "docker.io/") + full;
  return full + ":" + std::string(tag);
}

Result<ImageDocuments> render_documents(const ImageSpec& spec) {
  const auto with_layer = std::count_if(spec.history.begin(), spec.history.end(),
                                        [](const HistoryEntry& entry) { return !entry.empty_layer; });
  if (!spec.history.empty() && static_cast<std::size_t>(with_layer) != spec.layers.size()) {
    return error(Errc::usage, "image history names {} layers, the image has {}", with_layer, spec.layers.size());
  }
  ImageDocuments made;
  made.config = render_json(render_config(spec));
  made.ids.config = sha256(made.config);
  made.manifest = render_json(render_manifest(spec, made.config));
  made.ids.manifest = sha256(made.manifest);
  made.index = render_json(TRY(render_index(spec, made.manifest)));
  made.docker_manifest = render_json(TRY(render_docker_manifest(spec, made.ids.config)));
  made.oci_layout = R"({"imageLayoutVersion":"1.0.0"})";
  return made;
}

}  // namespace kiln::image
