#include "image/disk/uuid.h"

#include <algorithm>

namespace kiln::image {

namespace {

constexpr std::string_view kForm = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";

int digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

/// The 32 hex digits of a text in the form of a UUID, or nothing.
std::string digits_of(std::string_view text) {
  std::string digits;
  if (text.size() != kForm.size()) return {};
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (kForm[i] == 'x' ? digit(text[i]) < 0 : text[i] != '-') return {};
    if (kForm[i] == 'x') digits += text[i];
  }
  return digits;
}

/// The first 16 bytes of 32 or more hex digits.
Uuid from_digits(std::string_view digits) {
  Uuid id;
  for (std::size_t i = 0; i < id.bytes.size(); ++i) {
    id.bytes[i] = static_cast<std::uint8_t>(digit(digits[2 * i]) * 16 + digit(digits[2 * i + 1]));
  }
  return id;
}

}  // namespace

std::string Uuid::text() const {
  const std::string digits = to_hex({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
  std::string text;
  for (std::size_t i = 0, next = 0; i < kForm.size(); ++i) text += kForm[i] == 'x' ? digits[next++] : '-';
  return text;
}

Uuid derive_uuid(const Digest& seed, std::string_view word) {
  Uuid id = from_digits(sha256(fmt::format("{} {}", seed.hex(), word)).hex());
  id.bytes[6] = static_cast<std::uint8_t>((id.bytes[6] & 0x0f) | 0x80);
  id.bytes[8] = static_cast<std::uint8_t>((id.bytes[8] & 0x3f) | 0x80);
  return id;
}

std::array<std::uint8_t, 16> mixed_endian(const Uuid& id) {
  std::array<std::uint8_t, 16> mixed = id.bytes;
  std::reverse(mixed.begin(), mixed.begin() + 4);
  std::reverse(mixed.begin() + 4, mixed.begin() + 6);
  std::reverse(mixed.begin() + 6, mixed.begin() + 8);
  return mixed;
}

Result<Uuid> parse_uuid(std::string_view text) {
  const std::string digits = digits_of(text);
  if (digits.empty()) return error(Errc::usage, "'{}' is no UUID", text);
  return from_digits(digits);
}

}  // namespace kiln::image
