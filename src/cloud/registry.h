// A client of container registries: manifests, blobs, uploads. Digests and sizes are checked on the way through; what
// the JSON means as an image is for the publish room. API: OCI distribution specification 1.0.
#pragma once

#include <mutex>

#include "base/json.h"
#include "cloud/http.h"
#include "cloud/reference.h"
#include "cloud/registry_auth.h"
#include "cloud/registry_config.h"
#include "cloud/retry.h"

namespace kiln::cloud {

/// The part of an OCI descriptor that kiln uses.
struct Descriptor {
  std::string media_type;
  Digest digest;
  std::uint64_t bytes = 0;
};

/// Reads a descriptor strictly: digest grammar, 0 <= size < 2^62.
Result<Descriptor> parse_descriptor(const Json& value);

/// The documents of an image: linux/amd64 is chosen from an index, digests are checked.
struct RemoteImage {
  Descriptor manifest;
  Descriptor config;
  std::string config_text;
  std::vector<Descriptor> layers;  // oldest first
};

using BlobOpen = std::function<Result<std::unique_ptr<Source>>()>;
using ByteProgress = std::function<void(std::uint64_t bytes_so_far)>;

/// One object for all registries of a build. Thread-safe. Keeps references: client must outlive it, and it must outlive
/// the sources it gave out.
class Registry {
 public:
  Registry(RetryingClient& client, RegistryConfig config)
      : client_(client), config_(std::move(config)), auth_(client, config_) {}

  const RegistryConfig& config() const { return config_; }

  /// What the tag points to now: the digest of a manifest or of an index. A reference with a digest is its own answer,
  /// without the network. Errc::not_found when there is no such image.
  Result<Digest> resolve(const Reference& ref, const Cancel& cancel);

  /// Manifest and configuration of the image that ref.digest names (which must be there).
  Result<RemoteImage> read_image(const Reference& ref, const Cancel& cancel);

  /// A blob as a stream that goes on after broken connections. Its end comes only when size and digest are right;
  /// otherwise Errc::corrupt. cancel must outlive the stream.
  Result<std::unique_ptr<Source>> open_blob(const Reference& ref, const Descriptor& blob, const Cancel& cancel);

  Result<bool> has_blob(const Reference& ref, const Digest& digest, const Cancel& cancel);

  /// Takes over a blob of another repository of the same registry; false when the registry would rather not.
  Result<bool> mount_blob(const Reference& ref, const Digest& digest, const std::string& from_path,
                          const Cancel& cancel);

  /// Uploads a blob in one piece, again from the start when the connection breaks. What is sent must have the
  /// descriptor's size and digest (Errc::corrupt when the file changed meanwhile).
  Result<> upload_blob(const Reference& ref, const Descriptor& blob, const BlobOpen& open, const ByteProgress& progress,
                       const Cancel& cancel);

  /// Stores a manifest under a tag or digest text; the registry's answer must name the digest of the bytes.
  Result<Digest> put_manifest(const Reference& ref, const std::string& version, const std::string& media_type,
                              const std::string& bytes, const Cancel& cancel);

 private:
  struct Document {
    Descriptor descriptor;
    std::string text;
    Json json;
  };
  friend class BlobSource;

  Result<Url> base_url(const std::string& host, const Cancel& cancel);
  Result<Url> probe(const std::string& host, const Cancel& cancel);
  /// A request below /v2/REPOSITORY/.
  Result<HttpRequest> request_for(const Reference& ref, const std::string& method, const std::string& path,
                                  const Cancel& cancel);
  /// Sends with credentials where the registry asks for them; `once` is how a request is sent.
  template <class Answer, class Send>
  Result<Answer> authorized(const std::string& host, const std::string& scope, HttpRequest request,
                            const Cancel& cancel, Send&& once);
  Result<HttpResponse> send(const Reference& ref, const std::string& scope, const HttpRequest& request,
                            const Cancel& cancel);
  Result<HttpAnswer> open(const Reference& ref, const HttpRequest& request, const Cancel& cancel);
  Result<Document> get_manifest(const Reference& ref, const std::string& version, const Cancel& cancel);
  Result<Document> choose_manifest(const Reference& ref, const Cancel& cancel);
  Result<Url> start_upload(const Reference& ref, const Cancel& cancel);
  void abandon_upload(const Reference& ref, const Url& session);
  /// One attempt.
  Result<> send_upload(const Reference& ref, const Descriptor& blob, const BlobOpen& read, const ByteProgress& progress,
                       const Cancel& cancel);

  RetryingClient& client_;
  RegistryConfig config_;
  RegistryAuth auth_;
  std::mutex mutex_;
  std::map<std::string, Url> bases_;  // by host
};

}  // namespace kiln::cloud
