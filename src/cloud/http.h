// The one way kiln speaks HTTP: a client that opens requests and streams answers. Redirects, limits, time-outs, proxy,
// TLS and cancellation are settled here (hardening section 9); repeating a request is retry.h's work.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>

#include "base/cancel.h"
#include "base/sink.h"
#include "cloud/url.h"

namespace kiln::cloud {

/// A secret header goes to the origin of the request only, never to where it is redirected, and to no message.
struct Header {
  std::string name, value;
  bool secret = false;
};

/// What is sent. `open` is called once for every attempt; `bytes` missing means chunked encoding.
struct HttpBody {
  std::function<Result<std::unique_ptr<Source>>()> open;
  std::optional<std::uint64_t> bytes;
};
HttpBody text_body(std::string text);
/// A part of an open regular file, which must stay open as long as the request lasts.
HttpBody file_body(int fd, std::uint64_t offset, std::uint64_t bytes);

struct HttpRequest {
  std::string method = "GET";
  std::string url;
  std::vector<Header> headers;
  std::optional<HttpBody> body;
  fs::path unix_socket;                        // connect here instead of to the URL's host
  std::uint64_t max_body = 1 << 20;            // bytes of the answer; more is Errc::corrupt
  std::optional<std::uint64_t> expected_body;  // a Content-Length that differs from it is Errc::corrupt (2xx only)
  unsigned redirects = 5;                      // followed for GET and HEAD only
  bool public_only = false;  // the URL was named by a public server: loopback and private addresses are refused
  Duration idle{60'000};     // under 1 KiB/s for so long of waiting is Errc::network; 0: never
  Duration deadline{0};      // for the whole of it, 0: none
  bool retry = true;         // may be sent again when it is not known what became of it
  std::function<void(std::uint64_t sent_bytes)> on_sent;
};

struct HttpHead {
  long status = 0;
  std::vector<Header> headers;  // names in lower case
  std::string url;              // after redirects; may hold a signature
  AddressKind peer = AddressKind::unknown;

  /// The first header of that name (lower case), trimmed, or nothing.
  std::optional<std::string> header(std::string_view name) const;
  bool is_success() const { return status >= 200 && status < 300; }
};

/// An answer whose body is still to be read. The body uses the request's Cancel, which must outlive it.
struct HttpAnswer {
  HttpHead head;
  std::unique_ptr<Source> body;
};

/// An answer with its body; of an error status at most 64 KiB are kept.
struct HttpResponse {
  HttpHead head;
  std::string body;
};

class HttpClient {
 public:
  virtual ~HttpClient() = default;
  /// Sends and returns as soon as the answer's head is there, whatever its status. Thread-safe.
  virtual Result<HttpAnswer> open(const HttpRequest& request, const Cancel& cancel) = 0;
  /// The same with the body read into memory.
  virtual Result<HttpResponse> send(const HttpRequest& request, const Cancel& cancel);
};

/// Streams a 2xx body to a sink; another status is an error. The sink may have got a part when this fails.
Result<HttpHead> download(HttpClient& client, const HttpRequest& request, Sink& to, const Cancel& cancel);

/// An error for a status nobody expected: "GET https://h/p: http 503: text of the body". 404 is Errc::not_found, 401
/// and 403 Errc::denied, 5xx, 408 and 429 Errc::network, others Errc::io.
Error status_error(const HttpRequest& request, const HttpResponse& response);

struct HttpConfig {
  std::string http_proxy, https_proxy;      // URL; may hold user:password
  std::vector<std::string> no_proxy;        // host, .suffix, address, network/bits, or *
  fs::path ca_file, ca_dir;                 // empty: the system's
  std::map<std::string, fs::path> host_ca;  // "host" or "host:port" to a bundle of its own
  std::vector<std::string> insecure_hosts;  // "host" or "host:port" that may be spoken to without TLS
  std::string user_agent = "kiln";
  Duration connect_timeout{20'000};  // TCP and TLS together
};

/// Reads proxy and CA settings from environment variables as curl and Go programs name them: http(s)_proxy, all_proxy,
/// no_proxy in either case (HTTP_PROXY in lower case only), SSL_CERT_FILE, CURL_CA_BUNDLE, SSL_CERT_DIR.
HttpConfig http_config_from(const std::map<std::string, std::string>& environment);

/// Whether plain http may be used for a URL: loopback and hosts configured as insecure.
bool may_be_plain(const HttpConfig& config, const Url& url);

/// The proxy for a URL or nothing; loopback is never proxied.
std::string proxy_for(const HttpConfig& config, const Url& url);

/// Over libcurl. Connections are kept and used again.
Result<std::unique_ptr<HttpClient>> make_http_client(HttpConfig config);

}  // namespace kiln::cloud
