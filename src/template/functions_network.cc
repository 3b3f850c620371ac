// cidr functions for IPv4 and IPv6.
#include <arpa/inet.h>

#include <algorithm>
#include <array>

#include "template/functions_support.h"

namespace kiln::tmpl {

namespace {

__extension__ typedef unsigned __int128 Address;

/// A network; an IPv4 address stands in the low 32 bits.
struct Network {
  Address address = 0;
  unsigned prefix = 0;
  unsigned bits = 32;

  unsigned host_bits() const { return bits - prefix; }
};

/// All ones in the low n bits.
Address ones(unsigned n) {
  return n >= 128 ? ~Address{0} : (Address{1} << n) - 1;
}

Address shifted_right(Address a, unsigned n) {
  return n >= 128 ? 0 : a >> n;
}

std::optional<unsigned> small_number(std::string_view s, unsigned most) {
  if (s.empty() || s.size() > 3 || s.find_first_not_of("0123456789") != std::string_view::npos) return std::nullopt;
  unsigned n = 0;
  for (const char c : s) n = n * 10 + static_cast<unsigned>(c - '0');
  return n > most ? std::nullopt : std::optional(n);
}

std::optional<Network> parse_network(const std::string& text) {
  const std::size_t slash = text.find('/');
  if (slash == std::string::npos || text.find('\0') != std::string::npos) return std::nullopt;
  const std::string host = text.substr(0, slash);
  Network net;
  net.bits = host.find(':') == std::string::npos ? 32 : 128;
  std::array<unsigned char, 16> bytes{};
  if (inet_pton(net.bits == 32 ? AF_INET : AF_INET6, host.c_str(), bytes.data()) != 1) return std::nullopt;
  for (std::size_t i = 0; i < net.bits / 8; ++i) net.address = net.address << 8 | bytes[i];
  const auto prefix = small_number(std::string_view(text).substr(slash + 1), net.bits);
  if (!prefix) return std::nullopt;
  net.prefix = *prefix;
  net.address &= ~ones(net.host_bits());
  return net;
}

/// RFC 5952: lower case, the longest run of at least two zero groups as "::".
std::string ipv6_text(Address address) {
  std::array<unsigned, 8> groups{};
  for (std::size_t i = 8; i-- > 0; address >>= 16) groups[i] = static_cast<unsigned>(address & 0xffff);
  std::size_t best = 0;
  std::size_t best_length = 1;
  for (std::size_t i = 0; i < 8; ++i) {
    std::size_t end = i;
    while (end < 8 && groups[end] == 0) ++end;
    if (end - i > best_length) best = i, best_length = end - i;
  }
  std::string out;
  for (std::size_t i = 0; i < 8; ++i) {
    if (best_length > 1 && i == best) {
      out += "::";
      i += best_length - 1;
      continue;
    }
    if (!out.empty() && out.back() != ':') out += ':';
    out += fmt::format("{:x}", groups[i]);
  }
  return out;
}

std::string address_text(Address address, unsigned bits) {
  if (bits == 128) return ipv6_text(address);
  const auto byte = [&](unsigned shift) { return static_cast<unsigned>(address >> shift & 255); };
  return fmt::format("{}.{}.{}.{}", byte(24), byte(16), byte(8), byte(0));
}

std::string network_text(const Network& net) {
  return fmt::format("{}/{}", address_text(net.address, net.bits), net.prefix);
}

Result<Network> network_argument(Arguments a, FunctionContext& context) {
  const auto net = parse_network(a[0].text());
  if (!net) return context.bad_argument(0, "invalid CIDR expression: \"{}\"; write it as 10.0.0.0/8", a[0].text());
  return *net;
}

Result<Value> cidrhost(Arguments a, FunctionContext& context) {
  const Network net = TRY(network_argument(a, context));
  const std::int64_t number = TRY(whole_number(a, 1, context));
  const Address most = ones(net.host_bits());
  // Negative numbers count from the end: -1 is the last address.
  const Address distance = number < 0 ? static_cast<Address>(-(number + 1)) : static_cast<Address>(number);
  if (distance > most)
    return context.bad_argument(1, "prefix of {} does not accommodate a host numbered {}", net.prefix, number);
  return text_value(address_text(net.address | (number < 0 ? most - distance : distance), net.bits));
}

Result<Value> cidrnetmask(Arguments a, FunctionContext& context) {
  const Network net = TRY(network_argument(a, context));
  return text_value(address_text(ones(net.bits) & ~ones(net.host_bits()), net.bits));
}

/// How many bits longer a prefix becomes.
Result<unsigned> new_bits(Arguments a, std::size_t index, const Network& net, std::int64_t least,
                          FunctionContext& context) {
  const std::int64_t n = TRY(whole_number(a, index, context));
  if (n < least)
    return context.bad_argument(index, "must extend prefix by at least {} bit{}", least, least == 1 ? "" : "s");
  if (n > 32) return context.bad_argument(index, "may not extend prefix by more than 32 bits");
  if (n > net.host_bits())
    return context.bad_argument(index, "would extend prefix to {} bits, which is too long for an {} address",
                                net.prefix + n, net.bits == 32 ? "IPv4" : "IPv6");
  return static_cast<unsigned>(n);
}

/// With fewer bits than before as with more: what Packer's own arithmetic gives.
Result<Value> cidrsubnet(Arguments a, FunctionContext& context) {
  Network net = TRY(network_argument(a, context));
  const std::int64_t bits = TRY(whole_number(a, 1, context));
  const std::int64_t number = TRY(whole_number(a, 2, context));
  if (bits >= 0) (void)TRY(new_bits(a, 1, net, 0, context));
  if (bits < 0 && -bits > net.prefix)
    return context.bad_argument(1, "would shorten a prefix of {} bits by {}", net.prefix, -bits);
  net.prefix = static_cast<unsigned>(net.prefix + bits);
  const Address most = bits < 0 ? shifted_right(ones(net.bits), net.host_bits()) : ones(static_cast<unsigned>(bits));
  if (number < 0 || static_cast<Address>(number) > most)
    return context.bad_argument(2, "prefix extension of {} does not accommodate a subnet numbered {}", bits, number);
  if (number > 0) net.address |= static_cast<Address>(number) << net.host_bits();
  return text_value(network_text(net));
}

Result<Value> cidrsubnets(Arguments a, FunctionContext& context) {
  const Network whole = TRY(network_argument(a, context));
  const Address last = whole.address | ones(whole.host_bits());
  Value::Elements out;
  std::optional<Address> taken;  // the last address given away
  for (std::size_t i = 1; i < a.size(); ++i) {
    const unsigned bits = TRY(new_bits(a, i, whole, 1, context));
    Network net{.address = whole.address, .prefix = whole.prefix + bits, .bits = whole.bits};
    const Address rest = ones(net.host_bits());
    if (taken) {
      const Address end = *taken | rest;  // of the block in which the last one lies
      if (end >= last)
        return context.bad_argument(i, "not enough remaining address space for a subnet with a prefix of {} bits",
                                    net.prefix);
      net.address = end + 1;
    }
    taken = net.address | rest;
    out.push_back(Value::string(network_text(net)));
  }
  return Value::list(Type::string(), std::move(out));
}

}  // namespace

void add_network_functions(FunctionTable& t) {
  t["cidrhost"] = {.parameters = {text_parameter("prefix"), number_parameter("hostnum")},
                   .result = Type::string(),
                   .call = cidrhost};
  t["cidrnetmask"] = {.parameters = {text_parameter("prefix")}, .result = Type::string(), .call = cidrnetmask};
  t["cidrsubnet"] = {.parameters = {text_parameter("prefix"), number_parameter("newbits"), number_parameter("netnum")},
                     .result = Type::string(),
                     .call = cidrsubnet};
  t["cidrsubnets"] = {.parameters = {text_parameter("prefix")},
                      .rest = number_parameter("newbits"),
                      .result = Type::list(Type::string()),
                      .call = cidrsubnets};
}

}  // namespace kiln::tmpl
