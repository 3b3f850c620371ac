// A Docker Engine spoken to through its API: loading the images kiln made, reading images that it has as bases. Its
// answers are limited and checked like anybody's. API: Docker Engine API 1.41 (paths without a version: the Engine's
// own).
#pragma once

#include "cloud/cloud.h"
#include "image/image.h"

namespace kiln::publish {

struct EngineImage {
  Digest id;
  std::vector<std::string> tags;  // "name:tag"
  std::vector<Digest> diff_ids;   // oldest first
  std::uint64_t bytes = 0;
};

struct LoadedImages {
  std::vector<std::string> names;  // "spark:4.3.0"
  std::vector<Digest> ids;         // of images without a name
};

/// Bytes gone over the socket so far.
using EngineProgress = std::function<void(std::uint64_t bytes)>;

/// Pours a docker-archive into a sink, leaving out the layers named in `absent`.
using ArchiveWriter = std::function<Result<>(Sink& out, const std::vector<Digest>& absent)>;

class Engine {
 public:
  /// address as DOCKER_HOST has it: unix:///path or tcp://host:port (loopback only, without TLS); empty: the default
  /// socket. Opens nothing yet. The client should be one that does not retry.
  static Result<Engine> create(cloud::HttpClient& client, std::string_view address);

  const std::string& address() const { return address_; }

  /// Whether an Engine answers there: false when nothing listens; an error when something does and is no Engine, or
  /// when permission is missing.
  Result<bool> ping(const Cancel& cancel);

  /// `name` is a name with tag, or "sha256:ID". Errc::not_found when the Engine does not have it.
  Result<EngineImage> inspect(const std::string& name, const Cancel& cancel);

  /// How many of these layers, counted from the oldest, the Engine already has one on the other. At most max_images of
  /// its images are looked at.
  Result<std::size_t> known_layers(const std::vector<Digest>& diff_ids, const Cancel& cancel,
                                   std::size_t max_images = 500);

  /// Loads an archive while it is written; nothing is held in memory or on disk.
  Result<LoadedImages> load(const cloud::SinkWriter& write, const EngineProgress& progress, const Cancel& cancel);

  /// The same without the layers that the Engine has; whole when that does not work (an image may have been removed
  /// meanwhile). diff_ids are those of the archive, oldest first.
  Result<LoadedImages> load_missing(const std::vector<Digest>& diff_ids, const ArchiveWriter& write,
                                    const EngineProgress& progress, const Cancel& cancel);

  /// Gives an image one more name ("name:tag").
  Result<> tag(const Digest& id, const std::string& name, const Cancel& cancel);

  /// Removes a name, or an image by "sha256:ID" (with all its names). A missing one is fine.
  Result<> remove(const std::string& name, const Cancel& cancel);

  /// Saves an image as a docker-archive; returns its size. Errc::corrupt above max_bytes.
  Result<std::uint64_t> save(const std::string& name, Sink& to, const EngineProgress& progress, const Cancel& cancel,
                             std::uint64_t max_bytes = std::uint64_t{256} << 30);

 private:
  Engine(cloud::HttpClient& client, std::string address, std::string base, fs::path socket)
      : client_(client), address_(std::move(address)), base_(std::move(base)), socket_(std::move(socket)) {}
  cloud::HttpRequest request(const std::string& method, const std::string& path) const;
  Result<cloud::HttpResponse> call(const cloud::HttpRequest& request, const Cancel& cancel);
  Result<EngineImage> inspect_path(const std::string& name, const Cancel& cancel);

  cloud::HttpClient& client_;
  std::string address_, base_;
  fs::path socket_;
};

/// The base "docker-daemon:NAME": saved by its id into spool_dir (a file that lives as long as the directory) and
/// opened. `name` without a tag means latest; "sha256:ID" (or the ID's hex digits) is an image by id.
Result<image::SourceImage> open_daemon_image(Engine& engine, const std::string& name, const fs::path& spool_dir,
                                             const EngineProgress& progress, const Cancel& cancel);

/// The id that a docker-daemon name stands for now.
Result<Digest> resolve_daemon_image(Engine& engine, const std::string& name, const Cancel& cancel);

}  // namespace kiln::publish
