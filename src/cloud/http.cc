#include "cloud/http.h"

#include <algorithm>
#include <array>

#include "base/text.h"

namespace kiln::cloud {

namespace {

constexpr std::uint64_t kMaxErrorBody = 64 << 10;

/// A string that its reader owns.
class OwnedTextSource : public Source {
 public:
  explicit OwnedTextSource(std::string text) : text_(std::move(text)), source_(text_) {}
  Result<std::size_t> read(std::span<std::byte> buffer) override { return source_.read(buffer); }

 private:
  std::string text_;
  StringSource source_;
};

Errc code_of(long status) {
  if (status == 404) return Errc::not_found;
  if (status == 401 || status == 403) return Errc::denied;
  return status >= 500 || status == 408 || status == 429 ? Errc::network : Errc::io;
}

Result<std::string> read_body(Source& body, std::uint64_t keep) {
  std::string text;
  std::array<std::byte, 16 << 10> buffer{};
  while (text.size() < keep) {
    const std::size_t n = TRY(body.read(buffer));
    if (n == 0) break;
    text.append(as_text(std::span(buffer).first(n)));
  }
  text.resize(std::min<std::size_t>(text.size(), keep));
  return text;
}

}  // namespace

HttpBody text_body(std::string text) {
  const std::uint64_t bytes = text.size();
  return {[text = std::move(text)]() -> Result<std::unique_ptr<Source>> {
            return std::unique_ptr<Source>(std::make_unique<OwnedTextSource>(text));
          },
          bytes};
}

HttpBody file_body(int fd, std::uint64_t offset, std::uint64_t bytes) {
  return {[=]() -> Result<std::unique_ptr<Source>> {
            return std::unique_ptr<Source>(std::make_unique<FileRangeSource>(fd, offset, bytes));
          },
          bytes};
}

std::optional<std::string> HttpHead::header(std::string_view name) const {
  for (const Header& h : headers) {
    if (h.name == name) return h.value;
  }
  return std::nullopt;
}

Result<HttpResponse> HttpClient::send(const HttpRequest& request, const Cancel& cancel) {
  HttpAnswer answer = TRY(open(request, cancel));
  if (answer.head.is_success()) {
    std::string body = TRY(read_body(*answer.body, request.max_body + 1));
    if (body.size() > request.max_body) {
      return error(Errc::corrupt, "the answer is larger than {} bytes", request.max_body);
    }
    return HttpResponse{std::move(answer.head), std::move(body)};
  }
  auto body = read_body(*answer.body, kMaxErrorBody);  // only an explanation: a broken one does not matter
  if (!body && body.error().code() == Errc::interrupted) return std::move(body).error();
  return HttpResponse{std::move(answer.head), body ? std::move(body).take() : std::string()};
}

Result<HttpHead> download(HttpClient& client, const HttpRequest& request, Sink& to, const Cancel& cancel) {
  HttpAnswer answer = TRY(client.open(request, cancel));
  if (!answer.head.is_success()) {
    auto body = read_body(*answer.body, kMaxErrorBody);
    return status_error(request, {std::move(answer.head), body ? std::move(body).take() : std::string()});
  }
  TRY(copy_all(*answer.body, to));
  return std::move(answer.head);
}

Error status_error(const HttpRequest& request, const HttpResponse& response) {
  auto url = Url::parse(request.url);
  std::string text = visible(trim(std::string_view(response.body).substr(0, 500)));
  if (!text.empty()) text.insert(0, ": ");
  return error(code_of(response.head.status), "{} {}: http {}{}", request.method, url ? url->shown() : "a URL",
               response.head.status, text);
}

}  // namespace kiln::cloud
