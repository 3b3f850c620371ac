#include "publish/engine.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>

#include "base/json.h"
#include "base/text.h"

namespace kiln::publish {

namespace {

constexpr std::string_view kDefaultSocket = "/var/run/docker.sock";
constexpr std::uint64_t kMaxJson = 32 << 20;  // a list of thousands of images has a few MB
constexpr std::uint64_t kMaxLoadReport = 16 << 20;
constexpr Duration kQuick{60'000};     // for answers that need no work
constexpr Duration kPatient{600'000};  // the Engine unpacks a layer before it takes the next bytes

/// The image's name in an API path: names are checked by the reference grammar, ids by the digest's.
Result<std::string> api_name(const std::string& name) {
  if (Digest::parse(name)) return name;
  if (Digest::parse("sha256:" + name)) return "sha256:" + name;
  const cloud::Reference ref = TRY(cloud::parse_reference(name));
  return ref.text();
}

Result<std::vector<Digest>> read_digests(const Json& list) {
  if (!list.is_array() || list.size() > 1000) return error(Errc::corrupt, "not a list of digests");
  std::vector<Digest> out;
  for (const Json& entry : list) {
    if (!entry.is_string()) return error(Errc::corrupt, "a digest that is not text");
    out.push_back(TRY(Digest::parse(entry.get<std::string>())));
  }
  return out;
}

/// Whether the socket takes connections; says what errno means.
Result<bool> socket_listens(const fs::path& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.native().size() >= sizeof address.sun_path) return error(Errc::usage, "{}: the path is too long", path);
  path.native().copy(address.sun_path, sizeof address.sun_path - 1);
  const Fd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) return true;
  if (errno == ENOENT || errno == ECONNREFUSED) return false;
  return sys_error("connect to {}", path);
}

/// One line of the answer to a load: progress, a name, or an error.
Result<> read_load_line(std::string_view line, LoadedImages& out) {
  if (trim(line).empty()) return {};
  const Json json = TRY(parse_json(line));
  if (!json.is_object()) return error(Errc::corrupt, "a line that is not an object");
  const Json detail = json.value("errorDetail", Json::object());
  if (json.contains("error") || json.contains("errorDetail")) {
    return error(Errc::io, "the Engine says: {}", visible(json_string(json, "error", json_string(detail, "message"))));
  }
  const std::string stream = json_string(json, "stream");
  const std::string_view text = trim(stream);
  constexpr std::string_view kName = "Loaded image: ";
  constexpr std::string_view kId = "Loaded image ID: ";
  if (text.starts_with(kName)) {
    out.names.push_back(visible(text.substr(kName.size())));
  } else if (text.starts_with(kId)) {
    out.ids.push_back(TRY(Digest::parse(text.substr(kId.size()))));
  }
  return {};
}

Result<LoadedImages> read_load_report(std::string_view body) {
  LoadedImages out;
  for (const std::string& line : split(body, '\n')) TRY(read_load_line(line, out));
  return out;
}

/// A writer can be asked once only: what has been poured cannot be poured again.
cloud::HttpBody body_of_writer(const cloud::SinkWriter& write, const Cancel& cancel) {
  auto used = std::make_shared<bool>(false);
  return {[&write, &cancel, used]() -> Result<std::unique_ptr<Source>> {
            if (std::exchange(*used, true)) return error(Errc::network, "the connection broke");
            return cloud::source_of_writer(write, cancel);
          },
          std::nullopt};
}

/// Counts what passes.
class CountingSink : public Sink {
 public:
  CountingSink(Sink& to, const EngineProgress& progress) : to_(to), progress_(progress) {}
  Result<> write(std::span<const std::byte> bytes) override {
    TRY(to_.write(bytes));
    count_ += bytes.size();
    if (progress_) progress_(count_);
    return {};
  }
  std::uint64_t count() const { return count_; }

 private:
  Sink& to_;
  const EngineProgress& progress_;
  std::uint64_t count_ = 0;
};

}  // namespace

Result<Engine> Engine::create(cloud::HttpClient& client, std::string_view address) {
  if (address.empty()) return Engine(client, fmt::format("unix://{}", kDefaultSocket), "http://engine", kDefaultSocket);
  if (address.starts_with("unix://")) {
    return Engine(client, std::string(address), "http://engine", fs::path(address.substr(7)));
  }
  if (address.starts_with("tcp://")) {
    const cloud::Url url = TRY(cloud::Url::parse("http://" + std::string(address.substr(6))).context("DOCKER_HOST"));
    if (cloud::host_kind(url.host) == cloud::AddressKind::loopback) {
      return Engine(client, std::string(address), url.origin(), {});
    }
  }
  return error(Errc::usage, "DOCKER_HOST={}: kiln speaks to an Engine by unix:// or by tcp:// on this machine",
               visible(address));
}

cloud::HttpRequest Engine::request(const std::string& method, const std::string& path) const {
  cloud::HttpRequest request{.method = method, .url = base_ + path, .unix_socket = socket_};
  request.max_body = kMaxJson;
  request.idle = kQuick;
  request.redirects = 0;
  request.retry = false;
  return request;
}

Result<cloud::HttpResponse> Engine::call(const cloud::HttpRequest& request, const Cancel& cancel) {
  cloud::HttpResponse response = TRY(client_.send(request, cancel).context("the Docker Engine at {}", address_));
  if (response.head.is_success()) return response;
  Error problem = cloud::status_error(request, response);
  auto json = parse_json(response.body);
  const std::string said = json ? json_string(*json, "message") : std::string();
  if (!said.empty()) problem = Error(problem.code(), visible(said));
  problem.push(fmt::format("the Docker Engine at {}", address_));
  return problem;
}

Result<bool> Engine::ping(const Cancel& cancel) {
  if (!socket_.empty() && !TRY(socket_listens(socket_))) return false;
  cloud::HttpRequest ask = request("GET", "/_ping");
  ask.deadline = Duration(5000);
  auto answer = client_.send(ask, cancel);
  if (!answer && socket_.empty() && answer.error().code() == Errc::network) return false;
  if (!answer) return std::move(answer).context("the Docker Engine at {}", address_).error();
  if (answer->head.status == 200 && trim(answer->body) == "OK") return true;
  return error(Errc::network, "what listens at {} is no Docker Engine: http {}", address_, answer->head.status);
}

Result<EngineImage> Engine::inspect_path(const std::string& name, const Cancel& cancel) {
  const cloud::HttpResponse response = TRY(call(request("GET", "/images/" + name + "/json"), cancel));
  const Json json = TRY(parse_json(response.body));
  if (!json.is_object()) return error(Errc::corrupt, "the Docker Engine at {}: not an image", address_);
  EngineImage image;
  image.id = TRY(Digest::parse(json_string(json, "Id")));
  image.bytes = json_uint(json, "Size");
  const Json tags = json.value("RepoTags", Json::array());
  for (const Json& entry : tags) {
    if (entry.is_string()) image.tags.push_back(visible(entry.get<std::string>()));
  }
  const Json rootfs = json.value("RootFS", Json::object());
  const Json layers = rootfs.is_object() ? rootfs.value("Layers", Json::array()) : Json();
  image.diff_ids = TRY(read_digests(layers.is_null() ? Json::array() : layers));
  return image;
}

Result<EngineImage> Engine::inspect(const std::string& name, const Cancel& cancel) {
  const std::string path = TRY(api_name(name));
  return inspect_path(path, cancel).context("image {}", name);
}

Result<std::size_t> Engine::known_layers(const std::vector<Digest>& diff_ids, const Cancel& cancel,
                                         std::size_t max_images) {
  const cloud::HttpResponse response = TRY(call(request("GET", "/images/json"), cancel));
  const Json list = TRY(parse_json(response.body));
  if (!list.is_array()) return error(Errc::corrupt, "the Docker Engine at {}: not a list of images", address_);
  std::size_t known = 0;
  std::size_t looked_at = 0;
  for (const Json& entry : list) {
    if (known == diff_ids.size() || looked_at++ == max_images) break;
    auto id = Digest::parse(json_string(entry, "Id"));
    if (!id) continue;
    auto image = inspect_path(id->text(), cancel);
    if (!image && image.error().code() == Errc::interrupted) return std::move(image).error();
    if (!image) continue;  // removed meanwhile
    const auto [ours, theirs] =
        std::mismatch(diff_ids.begin(), diff_ids.end(), image->diff_ids.begin(), image->diff_ids.end());
    known = std::max(known, static_cast<std::size_t>(ours - diff_ids.begin()));
  }
  return known;
}

Result<LoadedImages> Engine::load(const cloud::SinkWriter& write, const EngineProgress& progress,
                                  const Cancel& cancel) {
  cloud::HttpRequest post = request("POST", "/images/load?quiet=1");
  post.headers = {{"Content-Type", "application/x-tar"}};
  post.body = body_of_writer(write, cancel);
  post.on_sent = progress;
  post.idle = kPatient;
  post.max_body = kMaxLoadReport;
  const cloud::HttpResponse response = TRY(call(post, cancel).context("loading the image"));
  return read_load_report(response.body).context("loading the image");
}

Result<LoadedImages> Engine::load_missing(const std::vector<Digest>& diff_ids, const ArchiveWriter& write,
                                          const EngineProgress& progress, const Cancel& cancel) {
  auto known = known_layers(diff_ids, cancel);
  if (!known && known.error().code() == Errc::interrupted) return std::move(known).error();
  std::vector<Digest> absent;
  const auto rest = diff_ids.begin() + static_cast<std::ptrdiff_t>(known ? *known : 0);
  for (auto it = diff_ids.begin(); it != rest; ++it) {
    // The Engine knows layers by what lies below them: one that comes again further up must be there.
    if (std::find(rest, diff_ids.end(), *it) == diff_ids.end()) absent.push_back(*it);
  }
  if (!absent.empty()) {
    auto loaded = load([&](Sink& out) { return write(out, absent); }, progress, cancel);
    if (loaded || loaded.error().code() == Errc::interrupted) return loaded;
  }
  return load([&](Sink& out) { return write(out, {}); }, progress, cancel);
}

Result<> Engine::tag(const Digest& id, const std::string& name, const Cancel& cancel) {
  const cloud::Reference ref = TRY(cloud::parse_reference(name));
  const std::string repository = ref.host.empty() ? ref.path : ref.repository();
  TRY(call(request("POST", fmt::format("/images/{}/tag?repo={}&tag={}", id.text(), cloud::url_escape(repository),
                                       cloud::url_escape(ref.tag))),
           cancel)
          .context("tagging {} as {}", id.brief(), name));
  return {};
}

Result<> Engine::remove(const std::string& name, const Cancel& cancel) {
  const std::string path = TRY(api_name(name));
  const std::string force = path.starts_with("sha256:") ? "?force=1" : "";
  auto gone = call(request("DELETE", "/images/" + path + force), cancel);
  if (!gone && gone.error().code() != Errc::not_found) return std::move(gone).context("removing {}", name).error();
  return {};
}

Result<std::uint64_t> Engine::save(const std::string& name, Sink& to, const EngineProgress& progress,
                                   const Cancel& cancel, std::uint64_t max_bytes) {
  cloud::HttpRequest get = request("GET", "/images/" + TRY(api_name(name)) + "/get");
  get.max_body = max_bytes;
  get.idle = kPatient;
  CountingSink counted(to, progress);
  TRY(cloud::download(client_, get, counted, cancel)
          .context("reading {} from the Docker Engine at {}", name, address_));
  return counted.count();
}

Result<Digest> resolve_daemon_image(Engine& engine, const std::string& name, const Cancel& cancel) {
  const EngineImage image = TRY(engine.inspect(name, cancel).context("docker-daemon:{}", name));
  return image.id;
}

Result<image::SourceImage> open_daemon_image(Engine& engine, const std::string& name, const fs::path& spool_dir,
                                             const EngineProgress& progress, const Cancel& cancel) {
  // By id, so that a tag that moves meanwhile cannot give another image than the one that was resolved.
  const Digest id = TRY(resolve_daemon_image(engine, name, cancel));
  const fs::path path = spool_dir / (id.hex() + ".tar");
  (void)::unlink(path.c_str());
  Fd file(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!file) return sys_error("create {}", path);
  FdSink sink(file.get());
  TRY(engine.save(id.text(), sink, progress, cancel).context("docker-daemon:{}", name));
  TRY(file.close().context("writing {}", path));
  return image::open_docker_archive(path, "").context("docker-daemon:{}", name);
}

}  // namespace kiln::publish
