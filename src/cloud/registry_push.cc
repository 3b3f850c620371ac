// The writing half of the registry client.
#include "base/text.h"
#include "cloud/registry.h"

namespace kiln::cloud {

namespace {

std::string push_scope(const Reference& ref) {
  return fmt::format("repository:{}:pull,push", ref.path);
}

/// Hands on what is uploaded and refuses the last piece when all of it is not what was announced.
class CheckedUpload : public Source {
 public:
  CheckedUpload(std::unique_ptr<Source> from, const Descriptor& blob) : from_(std::move(from)), blob_(blob) {}

  Result<std::size_t> read(std::span<std::byte> buffer) override {
    const std::size_t n = TRY(from_->read(buffer));
    count_ += n;
    hash_.update(buffer.first(n));
    if (n > 0 && count_ == blob_.bytes && hash_.finish() != blob_.digest) {
      return error(Errc::corrupt, "{} changed while it was sent", blob_.digest.text());
    }
    return n;
  }

 private:
  std::unique_ptr<Source> from_;
  Descriptor blob_;
  Sha256 hash_;
  std::uint64_t count_ = 0;
};

}  // namespace

Result<bool> Registry::has_blob(const Reference& ref, const Digest& digest, const Cancel& cancel) {
  const HttpRequest request = TRY(request_for(ref, "HEAD", "blobs/" + digest.text(), cancel));
  const HttpResponse response = TRY(send(ref, push_scope(ref), request, cancel));
  if (response.head.status == 404) return false;
  if (!response.head.is_success()) return status_error(request, response);
  return true;
}

Result<bool> Registry::mount_blob(const Reference& ref, const Digest& digest, const std::string& from_path,
                                  const Cancel& cancel) {
  const std::string path =
      fmt::format("blobs/uploads/?mount={}&from={}", url_escape(digest.text()), url_escape(from_path));
  const HttpRequest request = TRY(request_for(ref, "POST", path, cancel));
  const std::string scope = fmt::format("{} repository:{}:pull", push_scope(ref), from_path);
  auto response = send(ref, scope, request, cancel);
  if (!response && response.error().code() == Errc::interrupted) return std::move(response).error();
  if (!response) return false;  // an upload will do, and says more about what is wrong
  if (response->head.status == 202) {
    const Url at = TRY(Url::parse(response->head.url));
    auto session = at.resolve(response->head.header("location").value_or(""));
    if (session && session->origin() == at.origin()) abandon_upload(ref, *session);
  }
  return response->head.status == 201;
}

Result<Url> Registry::start_upload(const Reference& ref, const Cancel& cancel) {
  const HttpRequest request = TRY(request_for(ref, "POST", "blobs/uploads/", cancel));
  const HttpResponse response = TRY(send(ref, push_scope(ref), request, cancel));
  if (response.head.status != 202) return status_error(request, response);
  const Url at = TRY(Url::parse(response.head.url));
  Url session = TRY(at.resolve(response.head.header("location").value_or("")).context("the upload's Location"));
  if (session.origin() != at.origin()) {
    return error(Errc::denied, "{} sends the upload to another host: {}", ref.host, session.shown());
  }
  return session;
}

void Registry::abandon_upload(const Reference& ref, const Url& session) {
  const Cancel own;  // cleaning up is not what was cancelled
  HttpRequest request{.method = "DELETE", .url = session.text()};
  request.deadline = Duration(1000);
  request.retry = false;
  (void)send(ref, push_scope(ref), request, own).ok();
}

Result<> Registry::send_upload(const Reference& ref, const Descriptor& blob, const BlobOpen& read,
                               const ByteProgress& progress, const Cancel& cancel) {
  const Url session = TRY(start_upload(ref, cancel));
  Url target = session;
  target.query += (target.query.empty() ? "digest=" : "&digest=") + url_escape(blob.digest.text());
  HttpRequest request{.method = "PUT", .url = target.text()};
  request.headers = {{"Content-Type", "application/octet-stream"}};
  request.retry = false;  // a session is good for one attempt
  request.on_sent = progress;
  request.body = HttpBody{[&]() -> Result<std::unique_ptr<Source>> {
                            std::unique_ptr<Source> source = TRY(read());
                            return std::unique_ptr<Source>(std::make_unique<CheckedUpload>(std::move(source), blob));
                          },
                          blob.bytes};
  auto response = send(ref, push_scope(ref), request, cancel);
  if (!response || response->head.status != 201) abandon_upload(ref, session);
  if (!response) return std::move(response).error();
  if (response->head.status != 201) return status_error(request, *response);
  const auto stored = response->head.header("docker-content-digest");
  if (stored && *stored != blob.digest.text()) {
    return error(Errc::corrupt, "the registry stored {} as {}", blob.digest.text(), visible(*stored));
  }
  return {};
}

Result<> Registry::upload_blob(const Reference& ref, const Descriptor& blob, const BlobOpen& read,
                               const ByteProgress& progress, const Cancel& cancel) {
  for (unsigned attempt = 0;; ++attempt) {
    Result<> sent = send_upload(ref, blob, read, progress, cancel);
    if (sent || sent.error().code() != Errc::network)
      return std::move(sent).context("uploading {}", blob.digest.text());
    if (!TRY(client_.wait_before_retry(attempt, {}, cancel))) {
      return std::move(sent).context("uploading {}, tried {} times", blob.digest.text(), attempt + 1);
    }
    auto there = has_blob(ref, blob.digest, cancel);  // the answer may have been lost, not the blob
    if (there && *there) return {};
  }
}

Result<Digest> Registry::put_manifest(const Reference& ref, const std::string& version, const std::string& media_type,
                                      const std::string& bytes, const Cancel& cancel) {
  HttpRequest request = TRY(request_for(ref, "PUT", "manifests/" + version, cancel));
  request.headers = {{"Content-Type", media_type}};
  request.body = text_body(bytes);
  HttpResponse response = TRY(send(ref, push_scope(ref), request, cancel));
  if (response.head.status != 201 && response.head.status != 200) return status_error(request, response);
  const Digest digest = sha256(bytes);
  const auto stored = response.head.header("docker-content-digest");
  if (stored && *stored != digest.text()) {
    return error(Errc::corrupt, "the registry stored the manifest {} as {}", digest.text(), visible(*stored));
  }
  return digest;
}

}  // namespace kiln::cloud
