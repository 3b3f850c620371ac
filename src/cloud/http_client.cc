// The client over libcurl: which hop comes next, and what it may carry.
#include "base/text.h"
#include "cloud/http_transfer.h"

namespace kiln::cloud {

namespace {

bool is_redirect(long status) {
  return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

/// What must hold before anything is connected.
Result<> check_hop(const Hop& hop) {
  if (hop.request->unix_socket.empty() && hop.url.scheme == "http" && !may_be_plain(*hop.config, hop.url)) {
    return error(Errc::denied, "{}: http without TLS is for loopback and for hosts configured as insecure",
                 hop.url.shown());
  }
  const AddressKind kind = host_kind(hop.url.host);
  if (hop.public_only && kind != AddressKind::unknown && kind != AddressKind::global) {
    return error(Errc::denied, "{}: a server named an address that is not a public one", hop.url.shown());
  }
  return {};
}

/// The hop that a redirect asks for; credentials stay behind when the origin changes.
Result<Hop> next_hop(const Hop& from, const HttpHead& head) {
  const auto location = head.header("location");
  if (!location) return error(Errc::corrupt, "{}: http {} without a Location", from.url.shown(), head.status);
  Hop next = from;
  next.url = TRY(from.url.resolve(*location).context("{}: redirected", from.url.shown()));
  if (from.url.scheme == "https" && next.url.scheme == "http") {
    return error(Errc::denied, "{}: redirected from https to http", from.url.shown());
  }
  if (next.url.origin() != from.url.origin()) {
    next.with_secrets = false;
    if (host_kind(from.url.host) == AddressKind::unknown || host_kind(from.url.host) == AddressKind::global) {
      next.public_only = next.public_only || head.peer == AddressKind::global || head.peer == AddressKind::unknown;
    }
  }
  return next;
}

class CurlClient : public HttpClient {
 public:
  explicit CurlClient(HttpConfig config) : config_(std::move(config)), lanes_(std::make_shared<LanePool>()) {}

  Result<HttpAnswer> open(const HttpRequest& request, const Cancel& cancel) override {
    Hop hop{.request = &request, .config = &config_, .public_only = request.public_only};
    hop.url = TRY(Url::parse(request.url).context("{} request", request.method));
    const bool may_follow = (request.method == "GET" || request.method == "HEAD") && request.redirects > 0;
    for (unsigned hops = 0;; ++hops) {
      TRY(check_hop(hop));
      std::unique_ptr<Transfer> transfer = TRY(Transfer::create(lanes_, hop, cancel));
      HttpHead head = TRY(transfer->wait_for_head());
      if (!may_follow || !is_redirect(head.status)) return HttpAnswer{std::move(head), std::move(transfer)};
      if (hops == request.redirects) {
        return error(Errc::corrupt, "{}: more than {} redirects", hop.url.shown(), request.redirects);
      }
      hop = TRY(next_hop(hop, head));
    }
  }

 private:
  HttpConfig config_;
  std::shared_ptr<LanePool> lanes_;
};

}  // namespace

Result<std::unique_ptr<HttpClient>> make_http_client(HttpConfig config) {
  TRY(load_curl());
  return std::unique_ptr<HttpClient>(std::make_unique<CurlClient>(std::move(config)));
}

}  // namespace kiln::cloud
