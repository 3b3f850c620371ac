#include "cloud/registry.h"

#include <algorithm>

#include "base/text.h"

namespace kiln::cloud {

namespace {

constexpr std::uint64_t kMaxManifest = 4 << 20;  // hardening section 9
constexpr std::uint64_t kMaxConfig = 8 << 20;
constexpr std::size_t kMaxLayers = 512;
constexpr int kMaxIndexDepth = 2;

constexpr std::string_view kOciManifest = "application/vnd.oci.image.manifest.v1+json";
constexpr std::string_view kOciIndex = "application/vnd.oci.image.index.v1+json";
constexpr std::string_view kDockerManifest = "application/vnd.docker.distribution.manifest.v2+json";
constexpr std::string_view kDockerList = "application/vnd.docker.distribution.manifest.list.v2+json";

bool is_index(std::string_view media_type) {
  return media_type == kOciIndex || media_type == kDockerList;
}

bool is_manifest(std::string_view media_type) {
  return media_type == kOciManifest || media_type == kDockerManifest;
}

std::string without_parameters(const std::string& content_type) {
  return std::string(trim(content_type.substr(0, content_type.find(';'))));
}

std::string pull_scope(const Reference& ref) {
  return fmt::format("repository:{}:pull", ref.path);
}

/// What every manifest must be (hardening section 9): no confusion about its kind (CVE-2021-41190).
Result<> check_document(const Json& json, const std::string& media_type) {
  if (!json.is_object() || json_uint(json, "schemaVersion") != 2) {
    return error(Errc::corrupt, "not a manifest of schema version 2");
  }
  const std::string own = json_string(json, "mediaType", media_type);
  if (own != media_type) {
    return error(Errc::corrupt, "sent as {} and calls itself {}", visible(media_type), visible(own));
  }
  const bool has_layers = json.contains("layers");
  const bool has_manifests = json.contains("manifests");
  if (has_layers == has_manifests || has_manifests != is_index(media_type)) {
    return error(Errc::corrupt, "neither clearly a manifest nor clearly an index ({})", visible(media_type));
  }
  return {};
}

/// The entry for linux/amd64 in an index.
Result<Descriptor> choose_platform(const Json& index) {
  const Json& entries = index["manifests"];
  if (!entries.is_array() || entries.size() > 1000) return error(Errc::corrupt, "an index that is not a list");
  std::vector<std::string> others;
  for (const Json& entry : entries) {
    const Json platform = entry.is_object() ? entry.value("platform", Json::object()) : Json::object();
    const std::string os = json_string(platform, "os");
    const std::string architecture = json_string(platform, "architecture");
    if (os == "linux" && architecture == "amd64") return parse_descriptor(entry);
    if (os != "unknown" && others.size() < 20) others.push_back(visible(fmt::format("{}/{}", os, architecture)));
  }
  return error(Errc::not_found, "no image for linux/amd64; there are: {}", join(others, ", "));
}

}  // namespace

Result<Descriptor> parse_descriptor(const Json& value) {
  if (!value.is_object()) return error(Errc::corrupt, "a descriptor that is not an object");
  Descriptor d;
  d.media_type = json_string(value, "mediaType");
  d.digest = TRY(Digest::parse(json_string(value, "digest")));
  const auto size = value.find("size");
  if (size == value.end() || !size->is_number_unsigned() || size->get<std::uint64_t>() >= std::uint64_t{1} << 62) {
    return error(Errc::corrupt, "a descriptor without a sound size");
  }
  d.bytes = size->get<std::uint64_t>();
  return d;
}

/// A blob whose transfer goes on where it broke off.
class BlobSource : public Source {
 public:
  BlobSource(Registry& registry, Reference ref, Descriptor blob, const Cancel& cancel)
      : registry_(registry), ref_(std::move(ref)), blob_(std::move(blob)), cancel_(cancel) {}

  Result<std::size_t> read(std::span<std::byte> buffer) override {
    if (ended_) return std::size_t{0};
    for (;;) {
      auto n = read_once(buffer);
      if (n && *n > 0) return take(buffer.first(*n));
      if (n && got_ == blob_.bytes) return finish();
      if (!n && n.error().code() != Errc::network) return std::move(n).context("{}", blob_.digest.text());
      stream_.reset();
      if (!TRY(registry_.client_.wait_before_retry(breaks_++, {}, cancel_))) {
        if (!n) return std::move(n).context("{}: broken off {} times", blob_.digest.text(), breaks_);
        return error(Errc::corrupt, "{}: ends after {} of {} bytes", blob_.digest.text(), got_, blob_.bytes);
      }
    }
  }

  Result<> connect() {
    HttpRequest request = TRY(registry_.request_for(ref_, "GET", "blobs/" + blob_.digest.text(), cancel_));
    request.max_body = blob_.bytes;
    if (got_ == 0) request.expected_body = blob_.bytes;
    if (got_ > 0) request.headers.push_back({"Range", fmt::format("bytes={}-", got_)});
    HttpAnswer answer = TRY(registry_.open(ref_, request, cancel_));
    if (answer.head.status == 206) {
      const std::string range = answer.head.header("content-range").value_or("");
      if (!range.starts_with(fmt::format("bytes {}-", got_))) {
        return error(Errc::corrupt, "asked for bytes from {}, got: {}", got_, visible(range));
      }
    } else if (answer.head.status != 200) {
      return status_error(request, {answer.head, {}});
    }
    stream_ = std::move(answer.body);
    skip_ = answer.head.status == 200 ? got_ : 0;
    return {};
  }

 private:
  Result<std::size_t> read_once(std::span<std::byte> buffer) {
    if (!stream_) TRY(connect());
    while (skip_ > 0) {  // the server starts over, and the reader has this part
      const auto part = buffer.first(static_cast<std::size_t>(std::min<std::uint64_t>(buffer.size(), skip_)));
      const std::size_t n = TRY(stream_->read(part));
      if (n == 0) return n;
      skip_ -= n;
    }
    return stream_->read(buffer);
  }

  Result<std::size_t> take(std::span<const std::byte> bytes) {
    got_ += bytes.size();
    if (got_ > blob_.bytes) {
      return error(Errc::corrupt, "{}: more than its {} bytes", blob_.digest.text(), blob_.bytes);
    }
    hash_.update(bytes);
    return bytes.size();
  }

  Result<std::size_t> finish() {
    ended_ = true;
    stream_.reset();
    const Digest found = hash_.finish();
    if (found == blob_.digest) return std::size_t{0};
    return error(Errc::corrupt, "{}: what came has the digest {}", blob_.digest.text(), found.text());
  }

  Registry& registry_;
  Reference ref_;
  Descriptor blob_;
  const Cancel& cancel_;
  std::unique_ptr<Source> stream_;
  std::uint64_t got_ = 0, skip_ = 0;
  unsigned breaks_ = 0;
  bool ended_ = false;
  Sha256 hash_;
};

// ---- Asking ----

Result<Url> Registry::probe(const std::string& host, const Cancel& cancel) {
  const auto location = config_.locations.find(host);
  const std::string& server = location == config_.locations.end() ? host : location->second;
  Url url = TRY(Url::parse("https://" + server).context("the registry {}", host));
  Url plain = TRY(Url::parse("http://" + server));
  HttpConfig rules;
  rules.insecure_hosts = config_.insecure_hosts;
  if (!may_be_plain(rules, plain)) return url;
  url.path = "/v2/";
  auto answer = client_.send({.url = url.text(), .redirects = 0, .retry = false}, cancel);
  if (!answer && answer.error().code() != Errc::network) return std::move(answer).error();
  url.path = "/";
  return answer ? url : plain;
}

Result<Url> Registry::base_url(const std::string& host, const Cancel& cancel) {
  {
    const std::scoped_lock lock(mutex_);
    if (const auto it = bases_.find(host); it != bases_.end()) return it->second;
  }
  Url url = TRY(probe(host, cancel));
  const std::scoped_lock lock(mutex_);
  return bases_.emplace(host, std::move(url)).first->second;
}

Result<HttpRequest> Registry::request_for(const Reference& ref, const std::string& method, const std::string& path,
                                          const Cancel& cancel) {
  if (ref.host.empty()) return error(Errc::usage, "the image name {} has no registry", ref.text());
  Url url = TRY(base_url(ref.host, cancel));
  const std::size_t mark = path.find('?');
  url.path = fmt::format("/v2/{}/{}", ref.path, path.substr(0, mark));
  if (mark != std::string::npos) url.query = path.substr(mark + 1);
  return HttpRequest{.method = method, .url = url.text()};
}

template <class Answer, class Send>
Result<Answer> Registry::authorized(const std::string& host, const std::string& scope, HttpRequest request,
                                    const Cancel& cancel, Send&& once) {
  const Url url = TRY(Url::parse(request.url));
  std::string authorization = auth_.remembered(host, scope);
  const std::size_t own_headers = request.headers.size();
  for (int attempt = 0;; ++attempt) {
    request.headers.resize(own_headers);
    if (!authorization.empty()) request.headers.push_back({"Authorization", authorization, true});
    Answer answer = TRY(once(request));
    if (answer.head.status != 401 || attempt == 1) return answer;
    authorization = TRY(auth_.answer(host, url, answer.head, scope, cancel));
  }
}

Result<HttpResponse> Registry::send(const Reference& ref, const std::string& scope, const HttpRequest& request,
                                    const Cancel& cancel) {
  return authorized<HttpResponse>(ref.host, scope, request, cancel,
                                  [&](const HttpRequest& r) { return client_.send(r, cancel); });
}

Result<HttpAnswer> Registry::open(const Reference& ref, const HttpRequest& request, const Cancel& cancel) {
  return authorized<HttpAnswer>(ref.host, pull_scope(ref), request, cancel,
                                [&](const HttpRequest& r) { return client_.open(r, cancel); });
}

// ---- Reading ----

Result<Registry::Document> Registry::get_manifest(const Reference& ref, const std::string& version,
                                                  const Cancel& cancel) {
  HttpRequest request = TRY(request_for(ref, "GET", "manifests/" + version, cancel));
  request.max_body = kMaxManifest;
  for (const std::string_view type : {kOciIndex, kOciManifest, kDockerList, kDockerManifest}) {
    if (request.headers.empty()) request.headers.push_back({"Accept", ""});
    std::string& accept = request.headers.front().value;
    accept += (accept.empty() ? "" : ", ") + std::string(type);
  }
  HttpResponse response = TRY(send(ref, pull_scope(ref), request, cancel));
  if (response.head.status != 200) return status_error(request, response);
  Document document;
  document.descriptor.media_type = without_parameters(response.head.header("content-type").value_or(""));
  document.descriptor.digest = sha256(response.body);
  document.descriptor.bytes = response.body.size();
  if (version.starts_with("sha256:") && version != document.descriptor.digest.text()) {
    return error(Errc::corrupt, "asked for {}, and what came has the digest {}", version,
                 document.descriptor.digest.text());
  }
  document.json = TRY(parse_json(response.body));
  document.text = std::move(response.body);
  TRY(check_document(document.json, document.descriptor.media_type));
  return document;
}

Result<Digest> Registry::resolve(const Reference& ref, const Cancel& cancel) {
  if (!ref.digest.empty()) return ref.digest;
  HttpRequest request = TRY(request_for(ref, "HEAD", "manifests/" + ref.tag, cancel));
  request.headers = {{"Accept", fmt::format("{}, {}, {}, {}", kOciIndex, kOciManifest, kDockerList, kDockerManifest)}};
  HttpResponse response = TRY(send(ref, pull_scope(ref), request, cancel).context("resolving {}", ref.text()));
  if (response.head.status == 404 || response.head.status == 401 || response.head.status == 403) {
    return Result<Digest>(status_error(request, response)).context("resolving {}", ref.text());
  }
  if (response.head.status == 200) {
    auto digest = Digest::parse(response.head.header("docker-content-digest").value_or(""));
    if (digest) return digest;
  }
  const Document document = TRY(get_manifest(ref, ref.tag, cancel).context("resolving {}", ref.text()));
  return document.descriptor.digest;
}

Result<Registry::Document> Registry::choose_manifest(const Reference& ref, const Cancel& cancel) {
  Document document = TRY(get_manifest(ref, ref.digest.text(), cancel));
  for (int depth = 0; is_index(document.descriptor.media_type); ++depth) {
    if (depth == kMaxIndexDepth) return error(Errc::corrupt, "indexes in indexes more than {} deep", kMaxIndexDepth);
    const Descriptor chosen = TRY(choose_platform(document.json));
    document = TRY(get_manifest(ref, chosen.digest.text(), cancel));
    if (document.descriptor.media_type != chosen.media_type || document.descriptor.bytes != chosen.bytes) {
      return error(Errc::corrupt, "{} is not as its index describes it", chosen.digest.text());
    }
  }
  if (!is_manifest(document.descriptor.media_type)) {
    return error(Errc::corrupt, "{} is not an image manifest", visible(document.descriptor.media_type));
  }
  return document;
}

Result<RemoteImage> Registry::read_image(const Reference& ref, const Cancel& cancel) {
  if (ref.digest.empty()) return error(Errc::usage, "{} is not resolved to a digest", ref.text());
  const Document document = TRY(choose_manifest(ref, cancel).context("reading {}", ref.text()));
  RemoteImage image;
  image.manifest = document.descriptor;
  const Json& layers = document.json["layers"];
  if (!layers.is_array() || layers.size() > kMaxLayers) {
    return error(Errc::corrupt, "{}: layers is not a list of at most {}", ref.text(), kMaxLayers);
  }
  for (const Json& layer : layers) {
    image.layers.push_back(TRY(parse_descriptor(layer).context("{}: a layer", ref.text())));
  }
  image.config = TRY(parse_descriptor(document.json.value("config", Json())).context("{}: config", ref.text()));
  if (image.config.bytes > kMaxConfig) return error(Errc::corrupt, "{}: config above {}", ref.text(), kMaxConfig);
  const std::unique_ptr<Source> blob = TRY(open_blob(ref, image.config, cancel));
  StringSink text;
  TRY(copy_all(*blob, text).context("{}: config", ref.text()));
  image.config_text = std::move(text.text);
  return image;
}

Result<std::unique_ptr<Source>> Registry::open_blob(const Reference& ref, const Descriptor& blob,
                                                    const Cancel& cancel) {
  auto source = std::make_unique<BlobSource>(*this, ref, blob, cancel);
  TRY(source->connect().context("reading {} of {}", blob.digest.text(), ref.repository()));
  return std::unique_ptr<Source>(std::move(source));
}

}  // namespace kiln::cloud
