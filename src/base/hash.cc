#include "base/hash.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <sys/random.h>

#include <algorithm>
#include <cassert>
#include <cstdlib>

#include "base/fd.h"

namespace kiln {

struct Sha256::State {
  EVP_MD_CTX* context = EVP_MD_CTX_new();
  State() = default;
  State(const State&) = delete;
  State& operator=(const State&) = delete;
  ~State() { EVP_MD_CTX_free(context); }
};

namespace {

const EVP_MD* sha256_method() {
  static const EVP_MD* const method = EVP_MD_fetch(nullptr, "SHA256", nullptr);  // fetching is slow: once
  return method;
}

}  // namespace

Result<Digest> Digest::parse(std::string_view text) {
  constexpr std::string_view kPrefix = "sha256:";
  const auto is_hex = [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); };
  if (text.size() != kPrefix.size() + 64 || !text.starts_with(kPrefix)) {
    return error(Errc::corrupt, "'{}' is not a sha256 digest", text.substr(0, 100));
  }
  text.remove_prefix(kPrefix.size());
  if (!std::all_of(text.begin(), text.end(), is_hex)) return error(Errc::corrupt, "'{}' is not lower-case hex", text);
  return Digest(std::string(text));
}

Sha256::Sha256() : state_(std::make_unique<State>()) {
  if (EVP_DigestInit_ex2(state_->context, sha256_method(), nullptr) != 1) std::abort();
}
Sha256::Sha256(Sha256&&) noexcept = default;
Sha256::~Sha256() = default;

void Sha256::update(std::span<const std::byte> bytes) {
  EVP_DigestUpdate(state_->context, bytes.data(), bytes.size());
}

void Sha256::update(std::string_view text) {
  update(as_bytes(text));
}

Digest Sha256::finish() {
  std::string raw(32, '\0');
  EVP_DigestFinal_ex(state_->context, reinterpret_cast<unsigned char*>(raw.data()), nullptr);
  return Digest::from_hex(to_hex(raw));
}

Digest sha256(std::string_view text) {
  Sha256 hash;
  hash.update(text);
  return hash.finish();
}

Result<Digest> sha256_file(const fs::path& path) {
  const Fd fd = TRY(open_read(path));
  Sha256 hash;
  std::vector<std::byte> buffer(256 << 10);
  for (;;) {
    const std::size_t n = TRY(read_full(fd.get(), buffer).context("reading {}", path));
    hash.update(std::span<const std::byte>(buffer.data(), n));
    if (n < buffer.size()) return hash.finish();
  }
}

Result<std::string> hash_hex(const std::string& algorithm, std::string_view text) {
  EVP_MD* const method = EVP_MD_fetch(nullptr, algorithm.c_str(), nullptr);
  if (method == nullptr) return error(Errc::usage, "unknown hash '{}'", algorithm);
  std::string raw(EVP_MAX_MD_SIZE, '\0');
  unsigned size = 0;
  EVP_Digest(text.data(), text.size(), reinterpret_cast<unsigned char*>(raw.data()), &size, method, nullptr);
  EVP_MD_free(method);
  raw.resize(size);
  return to_hex(raw);
}

Result<std::string> hash_file_hex(const std::string& algorithm, const fs::path& path) {
  const Fd fd = TRY(open_read(path));
  EVP_MD* const method = EVP_MD_fetch(nullptr, algorithm.c_str(), nullptr);
  if (method == nullptr) return error(Errc::usage, "unknown hash '{}'", algorithm);
  const std::unique_ptr<EVP_MD_CTX, void (*)(EVP_MD_CTX*)> context(EVP_MD_CTX_new(), &EVP_MD_CTX_free);
  EVP_DigestInit_ex2(context.get(), method, nullptr);
  EVP_MD_free(method);
  std::vector<std::byte> buffer(256 << 10);
  for (std::size_t n = buffer.size(); n == buffer.size();) {
    n = TRY(read_full(fd.get(), buffer).context("reading {}", path));
    EVP_DigestUpdate(context.get(), buffer.data(), n);
  }
  std::string raw(EVP_MAX_MD_SIZE, '\0');
  unsigned size = 0;
  EVP_DigestFinal_ex(context.get(), reinterpret_cast<unsigned char*>(raw.data()), &size);
  raw.resize(size);
  return to_hex(raw);
}

std::string hmac_sha256(std::string_view key, std::string_view text) {
  std::string raw(32, '\0');
  unsigned size = 0;
  HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), reinterpret_cast<const unsigned char*>(text.data()),
       text.size(), reinterpret_cast<unsigned char*>(raw.data()), &size);
  assert(size == raw.size());
  return raw;
}

std::string to_hex(std::string_view bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string hex;
  hex.reserve(bytes.size() * 2);
  for (const char c : bytes) {
    const auto b = static_cast<unsigned char>(c);
    hex += kDigits[b >> 4];
    hex += kDigits[b & 15];
  }
  return hex;
}

std::string random_bytes(std::size_t n) {
  std::string bytes(n, '\0');
  std::size_t done = 0;
  while (done < n) {
    const ssize_t got = ::getrandom(bytes.data() + done, n - done, 0);
    if (got > 0) done += static_cast<std::size_t>(got);
  }
  return bytes;
}

}  // namespace kiln
