// Which proxy, and whether without TLS: decisions about a URL that need no network.
#include <arpa/inet.h>

#include <algorithm>
#include <charconv>
#include <cstring>

#include "base/text.h"
#include "cloud/http.h"

namespace kiln::cloud {

namespace {

bool is_host_or_authority(const std::string& entry, const Url& url) {
  return entry == url.host || entry == fmt::format("{}:{}", url.host, url.port);
}

/// Whether an IPv4 host lies in "a.b.c.d/bits".
bool in_network(const std::string& host, std::string_view entry) {
  const std::size_t slash = entry.find('/');
  unsigned bits = 0;
  if (slash == std::string_view::npos) return false;
  const std::string_view length = entry.substr(slash + 1);
  const auto [end, problem] = std::from_chars(length.data(), length.data() + length.size(), bits);
  in_addr network{};
  in_addr address{};
  if (problem != std::errc() || end != length.data() + length.size() || bits > 32) return false;
  if (::inet_pton(AF_INET, std::string(entry.substr(0, slash)).c_str(), &network) != 1) return false;
  if (::inet_pton(AF_INET, host.c_str(), &address) != 1) return false;
  return bits == 0 || ntohl(network.s_addr) >> (32 - bits) == ntohl(address.s_addr) >> (32 - bits);
}

bool is_excepted(const std::string& entry, const Url& url) {
  if (entry == "*" || is_host_or_authority(entry, url) || in_network(url.host, entry)) return true;
  const std::string_view suffix = entry.starts_with("*.") ? std::string_view(entry).substr(1) : entry;
  if (suffix.starts_with('.')) return url.host.ends_with(suffix) || url.host == suffix.substr(1);
  return host_kind(url.host) == AddressKind::unknown && url.host.ends_with("." + std::string(suffix));
}

}  // namespace

HttpConfig http_config_from(const std::map<std::string, std::string>& environment) {
  const auto first_of = [&](std::initializer_list<const char*> names) {
    for (const char* name : names) {
      const auto it = environment.find(name);
      if (it != environment.end() && !it->second.empty()) return it->second;
    }
    return std::string();
  };
  HttpConfig config;
  config.http_proxy = first_of({"http_proxy", "all_proxy", "ALL_PROXY"});
  config.https_proxy = first_of({"https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"});
  for (const std::string& entry : split(first_of({"no_proxy", "NO_PROXY"}), ',')) {
    std::string name = ascii_lower(trim(entry));
    if (!name.empty()) config.no_proxy.push_back(std::move(name));
  }
  config.ca_file = first_of({"SSL_CERT_FILE", "CURL_CA_BUNDLE"});
  config.ca_dir = first_of({"SSL_CERT_DIR"});
  return config;
}

bool may_be_plain(const HttpConfig& config, const Url& url) {
  if (host_kind(url.host) == AddressKind::loopback) return true;
  return std::any_of(config.insecure_hosts.begin(), config.insecure_hosts.end(),
                     [&](const std::string& entry) { return is_host_or_authority(entry, url); });
}

std::string proxy_for(const HttpConfig& config, const Url& url) {
  if (host_kind(url.host) == AddressKind::loopback) return {};
  for (const std::string& entry : config.no_proxy) {
    if (is_excepted(entry, url)) return {};
  }
  return url.scheme == "https" ? config.https_proxy : config.http_proxy;
}

}  // namespace kiln::cloud
