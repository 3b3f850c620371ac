// Hashes, password hashes, identifiers, and the decryption of RSA-encrypted secrets.
#include <crypt.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include <array>
#include <memory>

#include "base/hash.h"
#include "base/text.h"
#include "template/functions_support.h"

namespace kiln::tmpl {

namespace {

/// The call of the hash with this name.
Function hash_function(const char* name) {
  return {.parameters = {text_parameter("str")},
          .result = Type::string(),
          .call = [name](Arguments a, FunctionContext&) -> Result<Value> {
            const std::string hex = TRY(hash_hex(name, a[0].text()));
            return text_value(hex);
          }};
}

constexpr std::int64_t kDefaultCost = 10;
constexpr std::int64_t kMaxCost = 18;  // about 20 seconds; each step doubles the time
constexpr std::size_t kMaxPassword = 72;
constexpr std::uint64_t kStepsPerRound = 16;  // all calls of a template together take about a minute at most

Result<Value> bcrypt(Arguments a, FunctionContext& context) {
  if (a.size() > 2) return error(Errc::bad_template, "bcrypt() takes no more than two arguments");
  std::int64_t cost = a.size() == 2 ? TRY(whole_number(a, 1, context)) : kDefaultCost;
  if (cost > kMaxCost) return context.bad_argument(1, "the cost must be at most {}", kMaxCost);
  if (cost < 4) cost = kDefaultCost;
  context.steps = kStepsPerRound << cost;
  const std::string& password = a[0].text();
  if (password.size() > kMaxPassword || password.find('\0') != std::string::npos)
    return context.bad_argument(0, "the password must have at most {} bytes and no null character", kMaxPassword);
  const std::string random = random_bytes(16);
  auto data = std::make_unique<crypt_data>();
  std::array<char, CRYPT_GENSALT_OUTPUT_SIZE> salt{};
  const char* made = crypt_gensalt_rn("$2a$", static_cast<unsigned long>(cost), random.data(),
                                      static_cast<int>(random.size()), salt.data(), static_cast<int>(salt.size()));
  const char* hash = made == nullptr ? nullptr : crypt_r(password.c_str(), made, data.get());
  if (hash == nullptr || hash[0] == '*') return error(Errc::io, "the bcrypt method is not available here");
  return text_value(hash);
}

/// 16 bytes as a UUID with its version and variant set.
std::string uuid_text(std::string bytes, unsigned version) {
  bytes[6] = static_cast<char>((static_cast<unsigned char>(bytes[6]) & 0x0fU) | version << 4);
  bytes[8] = static_cast<char>((static_cast<unsigned char>(bytes[8]) & 0x3fU) | 0x80U);
  const std::string hex = to_hex(bytes);
  return fmt::format("{}-{}-{}-{}-{}", hex.substr(0, 8), hex.substr(8, 4), hex.substr(12, 4), hex.substr(16, 4),
                     hex.substr(20));
}

Result<Value> uuidv4(Arguments, FunctionContext&) {
  return text_value(uuid_text(random_bytes(16), 4));
}

std::optional<std::string> bytes_of_hex(std::string_view hex) {
  const auto digit = [](char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
  };
  std::string out;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2) {
    if (digit(hex[i]) < 0 || digit(hex[i + 1]) < 0) return std::nullopt;
    out += static_cast<char>(digit(hex[i]) * 16 + digit(hex[i + 1]));
  }
  return out;
}

/// The bytes of a UUID: 36 characters, the same with "urn:uuid:" before or braces around, or 32 digits.
std::optional<std::string> parse_uuid(std::string_view s) {
  if (s.size() == 45 && s.starts_with("urn:uuid:")) s.remove_prefix(9);
  if (s.size() == 38 && s.front() == '{' && s.back() == '}') s = s.substr(1, 36);
  std::string hex(s);
  if (hex.size() == 36) {
    for (const std::size_t at : {23, 18, 13, 8}) {
      if (hex[at] != '-') return std::nullopt;
      hex.erase(at, 1);
    }
  }
  return hex.size() == 32 ? bytes_of_hex(hex) : std::nullopt;
}

/// The namespaces of RFC 4122, appendix C, by their short names.
std::optional<std::string> uuid_namespace(const std::string& name) {
  const char* last = name == "dns" ? "0" : name == "url" ? "1" : name == "oid" ? "2" : name == "x500" ? "4" : nullptr;
  return parse_uuid(last == nullptr ? name : fmt::format("6ba7b81{}-9dad-11d1-80b4-00c04fd430c8", last));
}

Result<Value> uuidv5(Arguments a, FunctionContext& context) {
  const auto space = uuid_namespace(a[0].text());
  if (!space)
    return context.bad_argument(0, "uuidv5() doesn't support namespace \"{}\"; use dns, url, oid, x500 or a UUID",
                                a[0].text());
  const std::string hex = TRY(hash_hex("sha1", *space + a[1].text()));
  return text_value(uuid_text(*bytes_of_hex(std::string_view(hex).substr(0, 32)), 5));
}

struct FreeKey {
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
};
struct FreeContext {
  void operator()(EVP_PKEY_CTX* context) const { EVP_PKEY_CTX_free(context); }
};
struct FreeBio {
  void operator()(BIO* bio) const { BIO_free(bio); }
};

/// A private key without a password, from PEM.
std::unique_ptr<EVP_PKEY, FreeKey> read_key(const std::string& pem) {
  const std::unique_ptr<BIO, FreeBio> bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  const auto no_password = [](char*, int, int, void*) { return -1; };
  std::unique_ptr<EVP_PKEY, FreeKey> key(PEM_read_bio_PrivateKey(bio.get(), nullptr, no_password, nullptr));
  ERR_clear_error();
  return key;
}

/// PKCS #1 v1.5; nothing when key and text do not fit.
std::optional<std::string> decrypted(EVP_PKEY* key, const std::string& cipher) {
  const std::unique_ptr<EVP_PKEY_CTX, FreeContext> c(EVP_PKEY_CTX_new(key, nullptr));
  std::string out(static_cast<std::size_t>(EVP_PKEY_get_size(key)), '\0');
  std::size_t n = out.size();
  const bool done = c && EVP_PKEY_decrypt_init(c.get()) == 1 &&
                    EVP_PKEY_CTX_set_rsa_padding(c.get(), RSA_PKCS1_PADDING) == 1 &&
                    EVP_PKEY_decrypt(c.get(), reinterpret_cast<unsigned char*>(out.data()), &n,
                                     reinterpret_cast<const unsigned char*>(cipher.data()), cipher.size()) == 1;
  ERR_clear_error();
  out.resize(done ? n : 0);
  return done ? std::optional(out) : std::nullopt;
}

Result<Value> rsadecrypt(Arguments a, FunctionContext& context) {
  const auto cipher = base64_decoded(a[0].text());
  if (!cipher) return context.bad_argument(0, "failed to decode input: cipher text must be base64-encoded");
  const auto key = read_key(a[1].text());
  if (!key || EVP_PKEY_get_base_id(key.get()) != EVP_PKEY_RSA)
    return context.bad_argument(1, "no RSA private key found; it must be PEM text without a password");
  const auto text = decrypted(key.get(), *cipher);
  if (!text) return context.bad_argument(0, "decryption error: the text was not encrypted for this key");
  if (!is_utf8(*text)) return error(Errc::bad_template, "the decrypted text is not valid UTF-8");
  return text_value(*text);
}

}  // namespace

void add_hash_functions(FunctionTable& t) {
  for (const char* name : {"md5", "sha1", "sha256", "sha512"}) t[name] = hash_function(name);
  t["bcrypt"] = {.parameters = {text_parameter("str")},
                 .rest = number_parameter("cost"),
                 .result = Type::string(),
                 .call = bcrypt};
  t["uuidv4"] = {.result = Type::string(), .call = uuidv4};
  t["uuidv5"] = {
      .parameters = {text_parameter("namespace"), text_parameter("name")}, .result = Type::string(), .call = uuidv5};
  t["rsadecrypt"] = {.parameters = {text_parameter("ciphertext"), text_parameter("privatekey")},
                     .result = Type::string(),
                     .call = rsadecrypt};
}

}  // namespace kiln::tmpl
