#include "cloud/url.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <cstring>
#include <memory>

#include "base/text.h"
#include "cloud/curl.h"

namespace kiln::cloud {

namespace {

using CurlUrl = std::unique_ptr<CURLU, decltype(&::curl_url_cleanup)>;

std::string part(CURLU* url, CURLUPart which, unsigned flags = 0) {
  char* text = nullptr;
  if (curl().url_get(url, which, &text, flags) != CURLUE_OK || text == nullptr) return {};
  std::string copy = text;
  curl().free(text);
  return copy;
}

bool is_plain_host(std::string_view host) {
  if (host.empty() || host.size() > 255 || host.back() == '.') return false;
  if (host.front() == '[') {
    return host.back() == ']' && std::all_of(host.begin() + 1, host.end() - 1, [](unsigned char c) {
             return std::isxdigit(c) != 0 || c == ':' || c == '.';
           });
  }
  return std::all_of(host.begin(), host.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_';
  });
}

/// The authority as it was written, where percent signs hide things from a comparison.
bool has_encoded_host(std::string_view text) {
  const std::size_t slashes = text.find("//");
  if (slashes == std::string_view::npos) return false;
  const std::string_view rest = text.substr(slashes + 2);
  return rest.substr(0, rest.find_first_of("/?#")).find('%') != std::string_view::npos;
}

Result<Url> read_parts(CURLU* handle, std::string_view written) {
  Url url;
  url.scheme = part(handle, CURLUPART_SCHEME);
  url.host = part(handle, CURLUPART_HOST);
  std::transform(url.host.begin(), url.host.end(), url.host.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  if (url.scheme != "http" && url.scheme != "https") return error(Errc::corrupt, "the URL is neither http nor https");
  if (!is_plain_host(url.host) || has_encoded_host(written)) return error(Errc::corrupt, "the URL has no plain host");
  const std::string port = part(handle, CURLUPART_PORT, CURLU_DEFAULT_PORT);
  unsigned long number = 0;
  if (port.empty() || port.size() > 5 || (number = std::stoul(port)) == 0 || number > 65535) {
    return error(Errc::corrupt, "the URL's port is out of range");
  }
  url.port = static_cast<std::uint16_t>(number);
  url.path = part(handle, CURLUPART_PATH);
  url.query = part(handle, CURLUPART_QUERY);
  return url;
}

Result<Url> parse_from(const Url* base, std::string_view text) {
  if (text.size() > (16U << 10) || text.find('\0') != std::string_view::npos) {
    return error(Errc::corrupt, "the URL is too long or holds a NUL");
  }
  TRY(load_curl());
  const CurlUrl handle(curl().url(), curl().url_cleanup);
  if (base != nullptr) (void)curl().url_set(handle.get(), CURLUPART_URL, base->text().c_str(), 0);
  const std::string copy(text);
  const CURLUcode code = curl().url_set(handle.get(), CURLUPART_URL, copy.c_str(), CURLU_DISALLOW_USER);
  if (code != CURLUE_OK) return error(Errc::corrupt, "not a URL kiln uses: {}", curl().url_strerror(code));
  return read_parts(handle.get(), text);
}

AddressKind kind_of_v4(std::uint32_t a) {
  struct Range {
    std::uint32_t start;
    int bits;
  };
  // IANA's special-purpose registry: what is not globally reachable.
  static constexpr Range kInternal[] = {{0x00000000, 8},  {0x0A000000, 8},  {0x64400000, 10}, {0xA9FE0000, 16},
                                        {0xAC100000, 12}, {0xC0000000, 24}, {0xC0A80000, 16}, {0xC6120000, 15},
                                        {0xE0000000, 4},  {0xF0000000, 4}};
  if (a >> 24 == 127) return AddressKind::loopback;
  for (const Range& r : kInternal) {
    if (a >> (32 - r.bits) == r.start >> (32 - r.bits)) return AddressKind::internal;
  }
  return AddressKind::global;
}

AddressKind kind_of_v6(const in6_addr& a) {
  const auto v4_at = [&](std::size_t i) {
    std::uint32_t v = 0;
    std::memcpy(&v, a.s6_addr + i, 4);
    return kind_of_v4(ntohl(v));
  };
  static constexpr unsigned char kNat64[12] = {0x00, 0x64, 0xff, 0x9b};
  if (IN6_IS_ADDR_LOOPBACK(&a)) return AddressKind::loopback;
  if (IN6_IS_ADDR_V4MAPPED(&a)) return v4_at(12);
  if (std::memcmp(a.s6_addr, kNat64, sizeof kNat64) == 0) return v4_at(12);
  if (a.s6_addr[0] == 0x20 && a.s6_addr[1] == 0x02) return v4_at(2);
  // Global unicast is 2000::/3; all else is local, multicast or reserved.
  return a.s6_addr[0] >> 5 == 1 ? AddressKind::global : AddressKind::internal;
}

}  // namespace

std::string Url::origin() const {
  return fmt::format("{}://{}:{}", scheme, host, port);
}

std::string Url::shown() const {
  const bool usual = port == (scheme == "https" ? 443 : 80);
  return fmt::format("{}://{}{}{}", scheme, host, usual ? "" : fmt::format(":{}", port), visible(path));
}

std::string Url::text() const {
  return query.empty() ? origin() + path : origin() + path + "?" + query;
}

Result<Url> Url::resolve(std::string_view reference) const {
  return parse_from(this, reference);
}

Result<Url> Url::parse(std::string_view text) {
  return parse_from(nullptr, text);
}

AddressKind address_kind(const sockaddr* address) {
  switch (address->sa_family) {
    case AF_UNIX:
      return AddressKind::loopback;
    case AF_INET: {
      sockaddr_in v4{};
      std::memcpy(&v4, address, sizeof v4);
      return kind_of_v4(ntohl(v4.sin_addr.s_addr));
    }
    case AF_INET6: {
      sockaddr_in6 v6{};
      std::memcpy(&v6, address, sizeof v6);
      return kind_of_v6(v6.sin6_addr);
    }
    default:
      return AddressKind::internal;
  }
}

AddressKind host_kind(std::string_view host) {
  if (host == "localhost" || host.ends_with(".localhost")) return AddressKind::loopback;
  if (host.size() > 2 && host.front() == '[') host = host.substr(1, host.size() - 2);
  const std::string text(host);
  sockaddr_in v4{};
  sockaddr_in6 v6{};
  v4.sin_family = AF_INET;
  v6.sin6_family = AF_INET6;
  if (::inet_pton(AF_INET, text.c_str(), &v4.sin_addr) == 1) {
    return address_kind(reinterpret_cast<const sockaddr*>(&v4));
  }
  if (::inet_pton(AF_INET6, text.c_str(), &v6.sin6_addr) == 1) {
    return address_kind(reinterpret_cast<const sockaddr*>(&v6));
  }
  return AddressKind::unknown;
}

std::string url_escape(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const auto u = static_cast<unsigned char>(c);
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       std::string_view("-._~").find(c) != std::string_view::npos;
    if (plain) {
      out += c;
    } else {
      out += fmt::format("%{:02X}", u);
    }
  }
  return out;
}

}  // namespace kiln::cloud
