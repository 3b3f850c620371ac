// base64, URL and character encodings, gzip.
#include <unicode/ucnv.h>
#include <unicode/unistr.h>
#include <zlib.h>

#include <array>
#include <memory>

#include "base/text.h"
#include "template/functions_support.h"

namespace kiln::tmpl {

namespace {

constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

}  // namespace

std::string base64_encoded(std::string_view bytes) {
  std::string out;
  out.reserve((bytes.size() + 2) / 3 * 4);
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    const std::size_t n = std::min<std::size_t>(3, bytes.size() - i);
    std::uint32_t bits = 0;
    for (std::size_t k = 0; k < 3; ++k) bits = bits << 8 | (k < n ? static_cast<unsigned char>(bytes[i + k]) : 0U);
    for (std::size_t k = 0; k < 4; ++k) out += k <= n ? kAlphabet[bits >> (18 - 6 * k) & 63] : '=';
  }
  return out;
}

std::optional<std::string> base64_decoded(std::string_view text) {
  std::string out;
  std::uint32_t bits = 0;
  std::size_t have = 0;
  std::size_t padding = 0;
  for (const char c : text) {
    if (c == '\r' || c == '\n') continue;
    const std::size_t digit = kAlphabet.find(c);
    if (c == '=') {
      ++padding;
    } else if (padding > 0 || digit == std::string_view::npos) {
      return std::nullopt;
    } else {
      bits = bits << 6 | static_cast<std::uint32_t>(digit);
    }
    if (++have % 4 != 0) continue;
    if (padding > 2) return std::nullopt;
    bits <<= 6 * padding;
    for (std::size_t k = 0; k < 3 - padding; ++k) out += static_cast<char>(bits >> (16 - 8 * k) & 255);
    bits = 0;
    if (padding > 0) have = SIZE_MAX - 3;  // nothing may follow
  }
  const bool complete = padding > 0 ? have == SIZE_MAX - 3 : have % 4 == 0;
  return complete ? std::optional(out) : std::nullopt;
}

namespace {

Result<Value> base64encode(Arguments a, FunctionContext&) {
  return text_value(base64_encoded(a[0].text()));
}

Result<Value> base64decode(Arguments a, FunctionContext& context) {
  const auto bytes = base64_decoded(a[0].text());
  if (!bytes) return context.bad_argument(0, "failed to decode base64 data");
  if (!is_utf8(*bytes)) return error(Errc::bad_template, "the result of decoding the string is not valid UTF-8");
  return text_value(*bytes);
}

/// One gzip member without time and name, so that equal text gives equal bytes.
Result<std::string> gzipped(std::string_view text) {
  z_stream z{};
  if (deflateInit2(&z, Z_DEFAULT_COMPRESSION, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK)
    return error(Errc::io, "no memory to compress");
  gz_header header{};
  header.os = 255;  // unknown
  deflateSetHeader(&z, &header);
  std::string out(deflateBound(&z, text.size()), '\0');
  z.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  z.avail_in = static_cast<uInt>(text.size());
  z.next_out = reinterpret_cast<Bytef*>(out.data());
  z.avail_out = static_cast<uInt>(out.size());
  const int end = deflate(&z, Z_FINISH);
  out.resize(z.total_out);
  deflateEnd(&z);
  if (end != Z_STREAM_END) return error(Errc::io, "compressing did not finish");
  return out;
}

Result<Value> base64gzip(Arguments a, FunctionContext&) {
  const std::string bytes = TRY(gzipped(a[0].text()));
  return text_value(base64_encoded(bytes));
}

Result<Value> urlencode(Arguments a, FunctionContext&) {
  std::string out;
  for (const char c : a[0].text()) {
    const bool plain = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                       std::string_view("-_.~").find(c) != std::string_view::npos;
    if (plain) {
      out += c;
    } else if (c == ' ') {
      out += '+';
    } else {
      out += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
  }
  return text_value(out);
}

struct CloseConverter {
  void operator()(UConverter* c) const { ucnv_close(c); }
};
using Converter = std::unique_ptr<UConverter, CloseConverter>;

/// A converter that stops at what it cannot convert. "UTF-16" and "UTF-32" are big-endian; see with_mark().
Result<Converter> open_converter(const std::string& name, FunctionContext& context) {
  const std::string upper = [&] {
    std::string s = name;
    for (char& c : s) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c;
    return s;
  }();
  UErrorCode status = U_ZERO_ERROR;
  const bool bare = upper == "UTF-16" || upper == "UTF-32";
  // ICU's options after a comma are no part of an encoding's name.
  const bool plain = !name.empty() && name.size() < 64 && name.find(',') == std::string::npos;
  Converter c(plain ? ucnv_open((bare ? upper + "BE" : name).c_str(), &status) : nullptr);
  if (!c || U_FAILURE(status))
    return context.bad_argument(1, "\"{}\" is not a supported encoding; use an IANA name such as UTF-16LE", name);
  ucnv_setFromUCallBack(c.get(), UCNV_FROM_U_CALLBACK_STOP, nullptr, nullptr, nullptr, &status);
  ucnv_setToUCallBack(c.get(), UCNV_TO_U_CALLBACK_STOP, nullptr, nullptr, nullptr, &status);
  return c;
}

Result<Value> textencodebase64(Arguments a, FunctionContext& context) {
  const Converter c = TRY(open_converter(a[1].text(), context));
  const icu::UnicodeString wide = icu::UnicodeString::fromUTF8(a[0].text());
  UErrorCode status = U_ZERO_ERROR;
  std::string out(static_cast<std::size_t>(UCNV_GET_MAX_BYTES_FOR_STRING(wide.length(), ucnv_getMaxCharSize(c.get()))),
                  '\0');
  const std::int32_t n = ucnv_fromUChars(c.get(), out.data(), static_cast<std::int32_t>(out.size()), wide.getBuffer(),
                                         wide.length(), &status);
  if (U_FAILURE(status))
    return context.bad_argument(0, "the given string contains characters that {} does not have", a[1].text());
  out.resize(static_cast<std::size_t>(n));
  return text_value(base64_encoded(out));
}

Result<Value> textdecodebase64(Arguments a, FunctionContext& context) {
  const auto bytes = base64_decoded(a[0].text());
  if (!bytes) return context.bad_argument(0, "the given value is not valid base64");
  const Converter c = TRY(open_converter(a[1].text(), context));
  UErrorCode status = U_ZERO_ERROR;
  const std::size_t room = bytes->size() * 2 + 1;  // at most two UTF-16 units for a byte
  icu::UnicodeString wide;
  char16_t* buffer = wide.getBuffer(static_cast<std::int32_t>(room));
  if (buffer == nullptr) return error(Errc::io, "no memory to decode");
  const std::int32_t n = ucnv_toUChars(c.get(), buffer, static_cast<std::int32_t>(room), bytes->data(),
                                       static_cast<std::int32_t>(bytes->size()), &status);
  wide.releaseBuffer(U_FAILURE(status) ? 0 : n);
  if (U_FAILURE(status)) return context.bad_argument(0, "the given bytes are not text in the encoding {}", a[1].text());
  std::string out;
  wide.toUTF8String(out);
  return text_value(out);
}

}  // namespace

void add_encoding_functions(FunctionTable& t) {
  const auto one = [](auto call) {
    return Function{.parameters = {text_parameter("str")}, .result = Type::string(), .call = call};
  };
  t["base64encode"] = one(base64encode);
  t["base64decode"] = one(base64decode);
  t["base64gzip"] = one(base64gzip);
  t["urlencode"] = one(urlencode);
  t["textencodebase64"] = {.parameters = {text_parameter("string"), text_parameter("encoding")},
                           .result = Type::string(),
                           .call = textencodebase64};
  t["textdecodebase64"] = {.parameters = {text_parameter("source"), text_parameter("encoding")},
                           .result = Type::string(),
                           .call = textdecodebase64};
}

}  // namespace kiln::tmpl
