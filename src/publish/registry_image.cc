#include "publish/registry_image.h"

#include <algorithm>
#include <array>

#include "base/text.h"

namespace kiln::publish {

namespace {

constexpr std::string_view kOciManifest = "application/vnd.oci.image.manifest.v1+json";
constexpr std::string_view kConfigTypes[] = {"application/vnd.oci.image.config.v1+json",
                                             "application/vnd.docker.container.image.v1+json"};
constexpr std::string_view kLayerTypes[] = {
    "application/vnd.oci.image.layer.v1.tar", "application/vnd.oci.image.layer.v1.tar+gzip",
    "application/vnd.oci.image.layer.v1.tar+zstd", "application/vnd.docker.image.rootfs.diff.tar",
    "application/vnd.docker.image.rootfs.diff.tar.gzip"};

template <std::size_t N>
bool is_one_of(const std::string_view (&all)[N], std::string_view type) {
  return std::find(std::begin(all), std::end(all), type) != std::end(all);
}

Result<> check_types(const cloud::RemoteImage& remote) {
  if (!is_one_of(kConfigTypes, remote.config.media_type)) {
    return error(Errc::corrupt, "not a container image: its config is {}", visible(remote.config.media_type));
  }
  for (const cloud::Descriptor& layer : remote.layers) {
    if (!is_one_of(kLayerTypes, layer.media_type)) {
      return error(Errc::corrupt, "the layer {} is {}, which kiln does not read", layer.digest.text(),
                   visible(layer.media_type));
    }
  }
  return {};
}

/// The diff_ids of a config, of which there must be one for each layer.
Result<std::vector<Digest>> read_diff_ids(const Json& config, std::size_t layers) {
  const Json rootfs = config.is_object() ? config.value("rootfs", Json::object()) : Json::object();
  const Json ids = rootfs.is_object() ? rootfs.value("diff_ids", Json::array()) : Json();
  if (!ids.is_array() || ids.size() != layers) {
    return error(Errc::corrupt, "the config does not name one diff_id for each of {} layers", layers);
  }
  std::vector<Digest> out;
  for (const Json& id : ids) {
    if (!id.is_string()) return error(Errc::corrupt, "a diff_id that is not text");
    out.push_back(TRY(Digest::parse(id.get<std::string>())));
  }
  return out;
}

std::vector<image::HistoryEntry> read_history(const Json& config) {
  std::vector<image::HistoryEntry> out;
  const Json entries = config.value("history", Json::array());
  if (!entries.is_array() || entries.size() > 10'000) return out;
  for (const Json& entry : entries) {
    const bool empty = entry.is_object() && entry.value("empty_layer", Json(false)) == Json(true);
    out.push_back({json_string(entry, "created_by"), empty});
  }
  return out;
}

}  // namespace

Result<image::SourceImage> open_registry_image(cloud::Registry& registry, const cloud::Reference& ref,
                                               const Cancel& cancel) {
  const cloud::RemoteImage remote = TRY(registry.read_image(ref, cancel));
  TRY(check_types(remote).context("{}", ref.text()));
  const Json config = TRY(parse_json(remote.config_text).context("{}: config", ref.text()));
  const std::vector<Digest> diff_ids = TRY(read_diff_ids(config, remote.layers.size()).context("{}", ref.text()));
  image::SourceImage out;
  out.config = TRY(image::parse_config(config).context("{}: config", ref.text()));
  out.raw_config = config;
  if (out.config.os != "linux" || out.config.architecture != "amd64") {
    return error(Errc::corrupt, "{} is for {}/{}, not for linux/amd64", ref.text(), visible(out.config.os),
                 visible(out.config.architecture));
  }
  out.config_digest = remote.config.digest;
  out.history = read_history(config);
  out.name = ref.text();
  for (std::size_t i = 0; i < remote.layers.size(); ++i) {
    const cloud::Descriptor& layer = remote.layers[i];
    out.layers.push_back({.diff_id = diff_ids[i], .blob = layer.digest, .bytes = layer.bytes});
    out.layers.back().open = [&registry, ref, layer, &cancel] { return registry.open_blob(ref, layer, cancel); };
  }
  return out;
}

namespace {

/// One push: what has been done so far, and what comes next.
class Push {
 public:
  Push(cloud::Registry& registry, const cloud::Reference& ref, const PushOptions& options, const Cancel& cancel)
      : registry_(registry), ref_(ref), options_(options), cancel_(cancel) {}

  Result<PushResult> run(const image::ImageSpec& spec) {
    const image::ImageTexts texts = TRY(image::image_texts(spec));
    for (const image::ImageLayer& layer : spec.layers) total_ += layer.bytes;
    for (const image::ImageLayer& layer : spec.layers) TRY(push_layer(layer));
    TRY(push_text(texts.config).context("the config"));
    result_.manifest = sha256(texts.manifest);
    std::vector<std::string> versions = {result_.manifest.text()};
    if (!ref_.tag.empty()) versions.push_back(ref_.tag);
    versions.insert(versions.end(), options_.more_tags.begin(), options_.more_tags.end());
    for (const std::string& version : versions) {
      TRY(registry_.put_manifest(ref_, version, std::string(kOciManifest), texts.manifest, cancel_)
              .context("storing the manifest as {}", version));
    }
    return result_;
  }

 private:
  void report(std::uint64_t of_this) const {
    if (options_.progress) options_.progress({done_ + of_this, total_});
  }

  Result<bool> mount(const Digest& blob) {
    for (const KnownBlob& known : options_.known) {
      const bool elsewhere = known.at.host == ref_.host && known.at.path != ref_.path;
      if (known.blob == blob && elsewhere && TRY(registry_.mount_blob(ref_, blob, known.at.path, cancel_))) return true;
    }
    return false;
  }

  Result<> push_layer(const image::ImageLayer& layer) {
    if (TRY(registry_.has_blob(ref_, layer.blob, cancel_))) {
      ++result_.present;
    } else if (TRY(mount(layer.blob))) {
      ++result_.mounted;
    } else {
      TRY(upload(layer));
      ++result_.uploaded;
      result_.uploaded_bytes += layer.bytes;
    }
    done_ += layer.bytes;
    report(0);
    return {};
  }

  Result<> upload(const image::ImageLayer& layer) {
    const Fd file = TRY(open_read(layer.path));
    const struct stat st = TRY(stat_of(file.get()));
    if (static_cast<std::uint64_t>(st.st_size) != layer.bytes) {
      return error(Errc::corrupt, "{} has {} bytes and should have {}", layer.path, st.st_size, layer.bytes);
    }
    const cloud::HttpBody body = cloud::file_body(file.get(), 0, layer.bytes);
    const cloud::Descriptor blob{layer.media_type, layer.blob, layer.bytes};
    return registry_.upload_blob(
        ref_, blob, body.open, [this](std::uint64_t sent) { report(sent); }, cancel_);
  }

  Result<> push_text(const std::string& text) {
    const cloud::Descriptor blob{"", sha256(text), text.size()};
    if (TRY(registry_.has_blob(ref_, blob.digest, cancel_))) return {};
    return registry_.upload_blob(ref_, blob, cloud::text_body(text).open, {}, cancel_);
  }

  cloud::Registry& registry_;
  const cloud::Reference& ref_;
  const PushOptions& options_;
  const Cancel& cancel_;
  PushResult result_;
  std::uint64_t done_ = 0, total_ = 0;
};

}  // namespace

Result<PushResult> push_image(cloud::Registry& registry, const cloud::Reference& ref, const image::ImageSpec& spec,
                              const PushOptions& options, const Cancel& cancel) {
  return Push(registry, ref, options, cancel).run(spec).context("pushing {}", ref.text());
}

}  // namespace kiln::publish
