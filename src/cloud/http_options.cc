// What a transfer tells curl before it starts.
#include <algorithm>

#include "base/text.h"
#include "cloud/http_transfer.h"

namespace kiln::cloud {

namespace {

template <class Value>
void set(CURL* easy, CURLoption option, Value value) {
  (void)curl().easy_setopt(easy, option, value);  // fails for unknown options only, and these are all in 7.88
}

bool is_clean(std::string_view text) {
  return text.find_first_of(std::string_view("\r\n\0", 3)) == std::string_view::npos;
}

struct ProxyParts {
  std::string url, user;  // user: "name:password", percent-decoded by curl's rules for USERPWD
};

ProxyParts split_proxy(std::string_view proxy) {
  const std::size_t mark = proxy.find("://");
  const std::string scheme(mark == std::string_view::npos ? "http" : proxy.substr(0, mark));
  if (mark != std::string_view::npos) proxy.remove_prefix(mark + 3);
  const std::size_t at = proxy.rfind('@');
  const std::string user(at == std::string_view::npos ? "" : proxy.substr(0, at));
  if (at != std::string_view::npos) proxy.remove_prefix(at + 1);
  return {scheme + "://" + std::string(proxy), user};
}

}  // namespace

Result<> Transfer::set_options(const Hop& hop) {
  const HttpRequest& request = *hop.request;
  set(easy_, CURLOPT_URL, head_.url.c_str());
  set(easy_, CURLOPT_PROTOCOLS_STR, "http,https");
  set(easy_, CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
  set(easy_, CURLOPT_PATH_AS_IS, 1L);
  set(easy_, CURLOPT_NOSIGNAL, 1L);
  set(easy_, CURLOPT_QUICK_EXIT, 1L);  // a name server that does not answer must not hold up a cancel
  set(easy_, CURLOPT_FOLLOWLOCATION, 0L);
  set(easy_, CURLOPT_USERAGENT, hop.config->user_agent.c_str());
  set(easy_, CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(hop.config->connect_timeout.count()));
  set(easy_, CURLOPT_ERRORBUFFER, error_text_);
  set(easy_, CURLOPT_HEADERFUNCTION, &Transfer::header_arrived);
  set(easy_, CURLOPT_HEADERDATA, this);
  set(easy_, CURLOPT_WRITEFUNCTION, &Transfer::body_arrived);
  set(easy_, CURLOPT_WRITEDATA, this);
  set(easy_, CURLOPT_OPENSOCKETFUNCTION, &Transfer::socket_wanted);
  set(easy_, CURLOPT_OPENSOCKETDATA, this);
  set(easy_, CURLOPT_BUFFERSIZE, 64L << 10);
  // A kept connection was opened under other rules about its address.
  if (public_only_) set(easy_, CURLOPT_FRESH_CONNECT, 1L);
  if (!request.unix_socket.empty()) set(easy_, CURLOPT_UNIX_SOCKET_PATH, request.unix_socket.c_str());
  set(easy_, CURLOPT_CUSTOMREQUEST, request.method.c_str());
  if (request.method == "HEAD") set(easy_, CURLOPT_NOBODY, 1L);
  TRY(set_proxy_and_trust(hop));
  if (request.body) {
    TRY(set_body(*request.body));
  } else if (request.method == "POST" || request.method == "PUT" || request.method == "PATCH") {
    TRY(set_body(text_body({})));
  }
  return set_headers(hop);
}

Result<> Transfer::set_proxy_and_trust(const Hop& hop) {
  const HttpConfig& config = *hop.config;
  set(easy_, CURLOPT_PROXY, "");  // and never what the environment says
  set(easy_, CURLOPT_NOPROXY, "");
  set(easy_, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
  set(easy_, CURLOPT_HEADEROPT, static_cast<long>(CURLHEADER_SEPARATE));
  if (proxied_) {
    // curl repeats a proxy URL that it does not understand, password and all: look at it first.
    const ProxyParts proxy = split_proxy(proxy_for(config, hop.url));
    if (!Url::parse(proxy.url)) return error(Errc::usage, "{}: the proxy's address is not an http or https URL", what_);
    set(easy_, CURLOPT_PROXY, proxy.url.c_str());
    if (!proxy.user.empty()) set(easy_, CURLOPT_PROXYUSERPWD, proxy.user.c_str());
  }
  set(easy_, CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
  set(easy_, CURLOPT_SSL_VERIFYPEER, 1L);
  set(easy_, CURLOPT_SSL_VERIFYHOST, 2L);
  auto own = config.host_ca.find(fmt::format("{}:{}", hop.url.host, hop.url.port));
  if (own == config.host_ca.end()) own = config.host_ca.find(hop.url.host);
  const fs::path& ca = own != config.host_ca.end() ? own->second : config.ca_file;
  if (!ca.empty()) set(easy_, CURLOPT_CAINFO, ca.c_str());
  if (own == config.host_ca.end() && !config.ca_dir.empty()) set(easy_, CURLOPT_CAPATH, config.ca_dir.c_str());
  return {};
}

Result<> Transfer::set_headers(const Hop& hop) {
  const auto add = [&](const std::string& line) { header_list_ = curl().slist_append(header_list_, line.c_str()); };
  bool has_type = false;
  for (const Header& header : hop.request->headers) {
    if (header.secret && !hop.with_secrets) continue;
    if (!is_clean(header.name) || !is_clean(header.value)) {
      return error(Errc::usage, "{}: the header {} holds a line break", what_, visible(header.name));
    }
    has_type = has_type || ascii_lower(header.name) == "content-type";
    add(header.value.empty() ? header.name + ";" : fmt::format("{}: {}", header.name, header.value));
  }
  add("Expect:");
  if (!has_type) add("Content-Type:");
  set(easy_, CURLOPT_HTTPHEADER, header_list_);
  return {};
}

Result<> Transfer::set_body(const HttpBody& body) {
  upload_ = body;
  upload_source_ = TRY(body.open().context("{}", what_));
  set(easy_, CURLOPT_UPLOAD, 1L);
  set(easy_, CURLOPT_INFILESIZE_LARGE, body.bytes ? static_cast<curl_off_t>(*body.bytes) : curl_off_t{-1});
  set(easy_, CURLOPT_READFUNCTION, &Transfer::body_wanted);
  set(easy_, CURLOPT_READDATA, this);
  set(easy_, CURLOPT_SEEKFUNCTION, &Transfer::body_rewound);
  set(easy_, CURLOPT_SEEKDATA, this);
  set(easy_, CURLOPT_UPLOAD_BUFFERSIZE, 256L << 10);
  return {};
}

}  // namespace kiln::cloud
