// Digests: SHA-256 as the name of everything kiln keeps, and the other hashes that templates ask for. OpenSSL does the
// work (SHA-NI where there is one).
#pragma once

#include <compare>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/error.h"

namespace kiln {

/// A SHA-256, written "sha256:" and 64 lower-case hex digits, the OCI digest grammar. Empty when default-made.
class Digest {
 public:
  Digest() = default;
  /// Reads "sha256:HEX" strictly; anything else is Errc::corrupt, so that a digest can name a file.
  static Result<Digest> parse(std::string_view text);
  static Digest from_hex(std::string hex) { return Digest(std::move(hex)); }
  const std::string& hex() const { return hex_; }
  std::string text() const { return "sha256:" + hex_; }
  /// The first 12 digits, for people.
  std::string brief() const { return hex_.substr(0, 12); }
  bool empty() const { return hex_.empty(); }
  auto operator<=>(const Digest&) const = default;

 private:
  explicit Digest(std::string hex) : hex_(std::move(hex)) {}
  std::string hex_;
};

class Sha256 {
 public:
  Sha256();
  Sha256(Sha256&&) noexcept;
  ~Sha256();
  void update(std::span<const std::byte> bytes);
  void update(std::string_view text);
  Digest finish();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

Digest sha256(std::string_view text);

/// SHA-256 of a regular file's content.
Result<Digest> sha256_file(const fs::path& path);

/// Lower-case hex of the hash named as OpenSSL names it: "md5", "sha1", "sha224", "sha256", "sha384", "sha512".
Result<std::string> hash_hex(const std::string& algorithm, std::string_view text);

/// The same of a regular file's content.
Result<std::string> hash_file_hex(const std::string& algorithm, const fs::path& path);

/// HMAC-SHA-256, raw 32 bytes.
std::string hmac_sha256(std::string_view key, std::string_view text);

std::string to_hex(std::string_view bytes);

/// n bytes from the kernel's random source.
std::string random_bytes(std::size_t n);

}  // namespace kiln
