#include <fcntl.h>

#include <algorithm>

#include "base/text.h"
#include "image/archive_index.h"
#include "image/manifest.h"
#include "image/verified_source.h"

namespace kiln::image {

namespace {

constexpr const char* kOs = "linux";
constexpr const char* kArchitecture = "amd64";
constexpr std::string_view kBlobs = "blobs/sha256/";
constexpr int kMaxIndexDepth = 2;

/// Finds a file of an image by its path in the archive or layout.
using Find = std::function<Result<FileRange>(const std::string& path)>;

/// The digest in a file's name: "blobs/sha256/HEX" or "HEX.json".
std::optional<Digest> digest_in_name(std::string_view path) {
  if (path.starts_with(kBlobs)) path.remove_prefix(kBlobs.size());
  if (path.ends_with(".json")) path.remove_suffix(5);
  auto digest = Digest::parse("sha256:" + std::string(path));
  return digest ? std::optional(*digest) : std::nullopt;
}

Result<std::string> read_blob(const Find& find, const Descriptor& descriptor, std::uint64_t limit) {
  const auto purpose = [&descriptor](auto result) {
    return std::move(result).context("blob {}", descriptor.digest.text());
  };
  const FileRange range = TRY(purpose(find(blob_path(descriptor.digest))));
  if (range.bytes != descriptor.size) {
    return error(Errc::corrupt, "blob {}: {} bytes, its descriptor says {}", descriptor.digest.text(), range.bytes,
                 descriptor.size);
  }
  std::string text = TRY(purpose(read_range(range, limit)));
  const Digest found = sha256(text);
  if (found != descriptor.digest) {
    return error(Errc::corrupt, "blob {}: its digest is {}", descriptor.digest.text(), found.text());
  }
  return text;
}

/// What the configuration says of an image, checked.
Result<SourceImage> read_config(const std::string& text, std::size_t layers) {
  const Json json = TRY(parse_json(text).context("image configuration"));
  SourceImage image;
  image.config_digest = sha256(text);
  image.config = TRY(parse_config(json));
  image.raw_config = json;
  image.history = TRY(parse_history(json));
  if (image.config.os != kOs || image.config.architecture != kArchitecture) {
    return error(Errc::corrupt, "the image is for '{}/{}'; kiln works with {}/{} so far", visible(image.config.os),
                 visible(image.config.architecture), kOs, kArchitecture);
  }
  const std::vector<Digest> ids = TRY(parse_diff_ids(json));
  if (ids.size() != layers || layers > kMaxLayersRead) {
    return error(Errc::corrupt, "the configuration names {} layers, the manifest {}", ids.size(), layers);
  }
  for (const Digest& id : ids) image.layers.push_back({.diff_id = id});
  return image;
}

std::string list_of(std::vector<std::string> names) {
  for (std::string& name : names) name = visible(name);
  return names.empty() ? "none" : join(names, ", ");
}

// ---- docker-archive ----

struct DockerImage {
  std::string config;
  std::vector<std::string> tags, layers;
};

Result<std::vector<std::string>> strings_of(const Json& entry, const char* name) {
  std::vector<std::string> texts;
  if (!entry.contains(name) || entry[name].is_null()) return texts;
  if (!entry[name].is_array()) return error(Errc::corrupt, "manifest.json: {} is not a list", name);
  for (const Json& item : entry[name]) {
    if (!item.is_string()) return error(Errc::corrupt, "manifest.json: {} is not a list of strings", name);
    texts.push_back(item.get<std::string>());
  }
  return texts;
}

Result<std::vector<DockerImage>> parse_docker_manifest(const std::string& text) {
  const Json json = TRY(parse_json(text).context("manifest.json"));
  if (!json.is_array()) return error(Errc::corrupt, "manifest.json: not a list of images");
  std::vector<DockerImage> images;
  for (const Json& entry : json) {
    if (!entry.is_object()) return error(Errc::corrupt, "manifest.json: not a list of images");
    DockerImage image{.config = json_string(entry, "Config")};
    image.tags = TRY(strings_of(entry, "RepoTags"));
    image.layers = TRY(strings_of(entry, "Layers"));
    images.push_back(std::move(image));
  }
  return images;
}

bool is_named(const DockerImage& image, const std::string& full_name) {
  return std::any_of(image.tags.begin(), image.tags.end(), [&full_name](const std::string& tag) {
    auto full = full_image_name(tag);
    return full && *full == full_name;
  });
}

Result<DockerImage> choose_docker_image(const std::vector<DockerImage>& images, std::string_view name) {
  std::vector<std::string> names;
  names.reserve(images.size());
  for (const DockerImage& image : images) {
    names.push_back(image.tags.empty() ? "<no name>" : image.tags.front());
  }
  if (name.empty()) {
    if (images.size() == 1) return images.front();
    if (images.empty()) return error(Errc::not_found, "the archive holds no image");
    return error(Errc::usage, "the archive holds several images; name one of: {}", list_of(names));
  }
  const std::string full = TRY(full_image_name(name));
  const auto it =
      std::find_if(images.begin(), images.end(), [&full](const DockerImage& image) { return is_named(image, full); });
  if (it == images.end())
    return error(Errc::not_found, "the archive has no image '{}', only: {}", name, list_of(names));
  return *it;
}

Result<> attach_docker_layer(const Find& find, const std::string& path, SourceLayer& layer) {
  layer.bytes = TRY(find(path)).bytes;
  if (path.starts_with(kBlobs)) layer.blob = digest_in_name(path).value_or(Digest());
  const ExpectedBlob expected{layer.blob, layer.bytes, std::nullopt};
  layer.open = [find, path, expected]() -> Result<std::unique_ptr<Source>> {
    auto source = open_range(TRY(find(path)));
    return expected.digest.empty() ? std::move(source) : verified(std::move(source), expected);
  };
  return {};
}

Result<SourceImage> read_docker_image(const Find& find, std::string_view name) {
  auto file = find("manifest.json");
  if (!file) return error(Errc::corrupt, "no manifest.json: not a docker-archive, or of a Docker before 1.10");
  const std::string text = TRY(read_range(*file, kMaxManifestBytes).context("manifest.json"));
  const std::vector<DockerImage> images = TRY(parse_docker_manifest(text));
  const DockerImage chosen = TRY(choose_docker_image(images, name));
  const FileRange config_file = TRY(find(chosen.config).context("configuration"));
  const std::string config = TRY(read_range(config_file, kMaxConfigBytes).context("configuration"));
  const auto named = digest_in_name(chosen.config);
  if (named && *named != sha256(config)) {
    return error(Errc::corrupt, "configuration {}: its digest is {}", named->text(), sha256(config).text());
  }
  SourceImage image = TRY(read_config(config, chosen.layers.size()));
  image.name = chosen.tags.empty() ? "" : chosen.tags.front();
  for (std::size_t i = 0; i < chosen.layers.size(); ++i) {
    TRY(attach_docker_layer(find, chosen.layers[i], image.layers[i]).context("layer {}", visible(chosen.layers[i])));
  }
  return image;
}

// ---- OCI ----

bool is_index(const Descriptor& descriptor) {
  return descriptor.media_type == kOciIndex || descriptor.media_type == kDockerList;
}

std::string annotation(const Descriptor& descriptor, const char* name) {
  const auto it = descriptor.annotations.find(name);
  return it == descriptor.annotations.end() ? "" : it->second;
}

std::string name_of(const Descriptor& descriptor) {
  const std::string full = annotation(descriptor, "io.containerd.image.name");
  return full.empty() ? annotation(descriptor, "org.opencontainers.image.ref.name") : full;
}

bool is_named(const Descriptor& descriptor, std::string_view name) {
  if (annotation(descriptor, "org.opencontainers.image.ref.name") == name) return true;
  auto full = full_image_name(name);
  return full && annotation(descriptor, "io.containerd.image.name") == *full;
}

bool suits(const Descriptor& descriptor) {
  return (descriptor.os.empty() || descriptor.os == kOs) &&
         (descriptor.architecture.empty() || descriptor.architecture == kArchitecture);
}

Result<Descriptor> choose(const std::vector<Descriptor>& all, std::string_view name) {
  std::vector<std::string> names;
  std::vector<Descriptor> found;
  for (const Descriptor& descriptor : all) {
    const bool is_other = !found.empty() && found.front().digest == descriptor.digest;
    if (!name_of(descriptor).empty()) names.push_back(name_of(descriptor));
    if (suits(descriptor) && (name.empty() || is_named(descriptor, name)) && !is_other) found.push_back(descriptor);
  }
  if (found.size() == 1) return found.front();
  if (found.size() > 1) return error(Errc::usage, "several images; name one of: {}", list_of(names));
  if (name.empty()) return error(Errc::not_found, "no image for {}/{}", kOs, kArchitecture);
  return error(Errc::not_found, "no image '{}' for {}/{}, only: {}", name, kOs, kArchitecture, list_of(names));
}

/// Goes down from index.json to the manifest of one image.
Result<Descriptor> find_manifest(const Find& find, std::string_view name) {
  const FileRange file = TRY(find("index.json"));
  std::string text = TRY(read_range(file, kMaxManifestBytes).context("index.json"));
  for (int depth = 0; depth <= kMaxIndexDepth; ++depth) {
    const Json json = TRY(parse_json(text).context("index"));
    const std::vector<Descriptor> all = TRY(parse_index(json));
    Descriptor chosen = TRY(choose(all, depth == 0 ? name : std::string_view()));
    if (!is_index(chosen)) return chosen;
    text = TRY(read_blob(find, chosen, kMaxManifestBytes));
  }
  return error(Errc::corrupt, "image indexes nested deeper than {}", kMaxIndexDepth);
}

Result<> attach_oci_layer(const Find& find, const Descriptor& descriptor, SourceLayer& layer) {
  const Compression compression = TRY(layer_compression(descriptor.media_type));
  const std::string path = blob_path(descriptor.digest);
  layer.blob = descriptor.digest;
  layer.bytes = TRY(find(path)).bytes;
  if (layer.bytes != descriptor.size) {
    return error(Errc::corrupt, "{} bytes, its descriptor says {}", layer.bytes, descriptor.size);
  }
  const ExpectedBlob expected{layer.blob, layer.bytes, compression};
  layer.open = [find, path, expected]() -> Result<std::unique_ptr<Source>> {
    return verified(open_range(TRY(find(path))), expected);
  };
  return {};
}

Result<SourceImage> read_oci_image(const Find& find, std::string_view name) {
  const FileRange layout_file = TRY(find("oci-layout"));
  const std::string layout = TRY(read_range(layout_file, kMaxManifestBytes).context("oci-layout"));
  const Json version = TRY(parse_json(layout).context("oci-layout"));
  if (!json_string(version, "imageLayoutVersion").starts_with("1.")) {
    return error(Errc::corrupt, "oci-layout: not an OCI image layout of version 1");
  }
  const Descriptor chosen = TRY(find_manifest(find, name));
  if (chosen.media_type != kOciManifest && chosen.media_type != kDockerManifest) {
    return error(Errc::corrupt, "'{}' is no image manifest", visible(chosen.media_type));
  }
  const std::string text = TRY(read_blob(find, chosen, kMaxManifestBytes));
  const Json json = TRY(parse_json(text).context("manifest"));
  const Manifest manifest = TRY(parse_manifest(json));
  const std::string config = TRY(read_blob(find, manifest.config, kMaxConfigBytes));
  SourceImage image = TRY(read_config(config, manifest.layers.size()));
  image.name = name_of(chosen);
  for (std::size_t i = 0; i < manifest.layers.size(); ++i) {
    const Descriptor& descriptor = manifest.layers[i];
    TRY(attach_oci_layer(find, descriptor, image.layers[i]).context("layer {}", descriptor.digest.text()));
  }
  return image;
}

Result<Find> find_in_archive(const fs::path& file) {
  const auto index = std::make_shared<const ArchiveIndex>(TRY(ArchiveIndex::open(file)));
  return Find([index](const std::string& path) { return index->find(path); });
}

/// Opens a file of a layout; a link, FIFO or device in its place is refused before it can block.
Result<FileRange> find_in_dir(int dir, const std::string& path) {
  const Fd probe = TRY(open_at(dir, path, O_PATH | O_NOFOLLOW, Resolve::no_symlinks));
  const struct stat st = TRY(stat_of(probe.get()));
  if (!S_ISREG(st.st_mode)) return error(Errc::corrupt, "{}: not a regular file", visible(path));
  auto fd = std::make_shared<const Fd>(TRY(open_read(fmt::format("/proc/self/fd/{}", probe.get()))));
  return FileRange{std::move(fd), 0, static_cast<std::uint64_t>(st.st_size)};
}

}  // namespace

Result<SourceImage> open_docker_archive(const fs::path& file, std::string_view name) {
  const Find find = TRY(find_in_archive(file));
  return read_docker_image(find, name).context("docker-archive {}", file);
}

Result<SourceImage> open_oci_archive(const fs::path& file, std::string_view name) {
  const Find find = TRY(find_in_archive(file));
  return read_oci_image(find, name).context("oci-archive {}", file);
}

Result<SourceImage> open_oci_layout(const fs::path& dir, std::string_view name) {
  const auto fd = std::make_shared<const Fd>(TRY(open_dir(dir)));
  const Find find = [fd](const std::string& path) { return find_in_dir(fd->get(), path); };
  return read_oci_image(find, name).context("OCI layout {}", dir);
}

Result<UnpackedLayer> unpack_image_layer(const SourceLayer& layer, const fs::path& tree, const Limits& limits,
                                         const Cancel& cancel) {
  const auto source = TRY(layer.open());
  UnpackedLayer unpacked = TRY(unpack_layer(*source, tree, limits, cancel));
  if (!layer.diff_id.empty() && unpacked.facts.diff_id != layer.diff_id) {
    return error(Errc::corrupt, "layer {}: unpacked its digest is {}", layer.diff_id.text(),
                 unpacked.facts.diff_id.text());
  }
  return unpacked;
}

}  // namespace kiln::image
