#include "cloud/base64.h"

namespace kiln::cloud {

namespace {
constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
}  // namespace

std::string base64(std::string_view bytes) {
  std::string out;
  unsigned bits = 0;
  int held = 0;
  for (const char c : bytes) {
    bits = (bits << 8 | static_cast<unsigned char>(c)) & 0xFFFFFFU;
    for (held += 8; held >= 6; held -= 6) out += kAlphabet[bits >> (held - 6) & 63U];
  }
  if (held > 0) out += kAlphabet[bits << (6 - held) & 63U];
  out.append((4 - out.size() % 4) % 4, '=');
  return out;
}

Result<std::string> from_base64(std::string_view text) {
  for (int i = 0; i < 2 && text.ends_with('='); ++i) text.remove_suffix(1);
  std::string out;
  unsigned bits = 0;
  int held = 0;
  for (const char c : text) {
    const std::size_t value = kAlphabet.find(c);
    if (value == std::string_view::npos) return error(Errc::corrupt, "not base64");
    bits = (bits << 6 | static_cast<unsigned>(value)) & 0xFFFFFFU;
    held += 6;
    if (held < 8) continue;
    held -= 8;
    out += static_cast<char>(bits >> held & 0xFFU);
  }
  if (held >= 6) return error(Errc::corrupt, "not base64: a character is missing");
  return out;
}

}  // namespace kiln::cloud
