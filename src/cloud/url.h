// URLs in one canonical form, and what kind of network address a host is. Parsing is curl's own, so that what is
// checked here and what is connected to cannot differ (hardening section 9).
#pragma once

#include <sys/socket.h>

#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.h"

namespace kiln::cloud {

struct Url {
  std::string scheme;  // "http" or "https"
  std::string host;    // lower case; IPv6 in brackets
  std::uint16_t port = 0;
  std::string path = "/";
  std::string query;  // without "?"; may hold a signature, so it is never shown

  /// "https://host:443": what decides whether credentials may be sent.
  std::string origin() const;
  std::string text() const;
  /// For messages: without the query.
  std::string shown() const;
  /// The URL that `reference` (absolute or relative, from a Location header) means here.
  Result<Url> resolve(std::string_view reference) const;

  /// Only http and https; user names, percent-encoded or empty hosts and trailing dots are Errc::corrupt.
  static Result<Url> parse(std::string_view text);
  bool operator==(const Url&) const = default;
};

enum class AddressKind : std::uint8_t {
  unknown,   // a name, not an address
  loopback,  // this machine
  internal,  // private, link-local (clouds' metadata services), unspecified, multicast, reserved
  global,
};

/// The kind of a socket address; a unix socket is loopback. IPv4 inside IPv6 (mapped, 6to4, NAT64) counts as IPv4.
AddressKind address_kind(const sockaddr* address);

/// The kind of a host as a URL names it: an address by its value, "localhost" as loopback, other names unknown.
AddressKind host_kind(std::string_view host);

/// Percent-encodes everything but RFC 3986's unreserved characters, for a part of a path or query.
std::string url_escape(std::string_view text);

}  // namespace kiln::cloud
