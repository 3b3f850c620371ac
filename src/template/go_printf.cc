// fmt.Sprintf for the values of old JSON templates: strings, whole numbers, floats, truths.
#include <fmt/format.h>

#include <algorithm>

#include "template/console.h"
#include "template/functions_support.h"
#include "template/go_functions.h"
#include "template/go_utf8.h"

namespace kiln::tmpl {

namespace {

constexpr std::int64_t kMaxGoWidth = 1'000'000;  // Go's own limit for width and precision

struct GoVerb {
  std::string flags;  // of "+-# 0"
  std::optional<std::int64_t> width, precision;
  char32_t mode = 0;
  bool bad_index = false;
  bool has(char flag) const { return flags.find(flag) != std::string::npos; }
};

std::string utf8(char32_t c) {
  std::string out;
  append_code_point(out, c);
  return out;
}

std::string padded(const GoVerb& verb, const std::string& text) {
  const auto have = static_cast<std::int64_t>(count_code_points(text));
  if (verb.width.value_or(0) <= have) return text;
  const auto n = static_cast<std::size_t>(*verb.width - have);
  if (verb.has('-')) return text + std::string(n, ' ');
  return std::string(n, verb.has('0') ? '0' : ' ') + text;
}

std::string one(const GoVerb& verb, const Value& v);

/// %!d(string=x): flags and width hold for the x.
std::string unfit(const GoVerb& verb, const Value& v) {
  if (v.is_null()) return fmt::format("%!{}(<nil>)", utf8(verb.mode));
  GoVerb plain = verb;
  plain.mode = U'v';
  std::erase(plain.flags, '#');
  return fmt::format("%!{}({}={})", utf8(verb.mode), go_type(v), one(plain, v));
}

std::string hex_text(const GoVerb& verb, std::string_view bytes) {
  const bool upper = verb.mode == U'X';
  const std::string prefix = verb.has('#') ? (upper ? "0X" : "0x") : "";
  std::string out = prefix;
  if (verb.precision) bytes = bytes.substr(0, static_cast<std::size_t>(*verb.precision));
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    if (i > 0 && verb.has(' ')) out += " " + prefix;
    const auto byte = static_cast<unsigned char>(bytes[i]);
    out += upper ? fmt::format("{:02X}", byte) : fmt::format("{:02x}", byte);
  }
  return bytes.empty() ? "" : out;
}

/// A string in quotes: with + in ASCII, with # between backquotes where that can be.
std::string quoted(const GoVerb& verb, const std::string& text) {
  if (verb.has('#') && text.find_first_of("`\n\r") == std::string::npos) return "`" + text + "`";
  std::string plain = go_quoted(text);
  if (!verb.has('+')) return plain;
  std::string out;
  for (std::size_t at = 0; at < plain.size();) {
    const char32_t c = read_code_point(plain, at);
    out += c < 0x80     ? utf8(c)
           : c > 0xffff ? fmt::format("\\U{:08x}", std::uint32_t{c})
                        : fmt::format("\\u{:04x}", std::uint32_t{c});
  }
  return out;
}

std::string string_text(const GoVerb& verb, const Value& v) {
  std::string text = v.text();
  if (verb.mode == U'x' || verb.mode == U'X') return padded(verb, hex_text(verb, text));
  if (verb.precision) text.resize(code_point_bytes(text, static_cast<std::size_t>(*verb.precision)));
  if (verb.mode == U'v' && verb.has('#')) return padded(verb, go_quoted(text));
  if (verb.mode == U'q') return padded(verb, quoted(verb, text));
  return verb.mode == U's' || verb.mode == U'v' ? padded(verb, text) : unfit(verb, v);
}

/// A number by C's printf, whose flags, width and precision mean what Go's do.
template <class T>
std::string by_c(const GoVerb& verb, const char* length, char mode, T value) {
  std::string format = "%";
  for (const char flag : verb.flags) {
    if (flag != '#' || mode != 'd') format += flag;
  }
  if (verb.width) format += std::to_string(*verb.width);
  if (verb.precision) format += "." + std::to_string(*verb.precision);
  format += std::string(length) + mode;
  const int size = std::snprintf(nullptr, 0, format.c_str(), value);
  std::string out(static_cast<std::size_t>(std::max(size, 0)) + 1, '\0');
  (void)std::snprintf(out.data(), out.size(), format.c_str(), value);
  out.pop_back();
  return out;
}

/// The digits of a magnitude in a base that is a power of two, behind sign and prefix.
std::string in_base(const GoVerb& verb, std::int64_t n) {
  const auto magnitude = n < 0 ? 0 - static_cast<std::uint64_t>(n) : static_cast<std::uint64_t>(n);
  const bool upper = verb.mode == U'X';
  std::string digits = verb.mode == U'b'                        ? fmt::format("{:b}", magnitude)
                       : verb.mode == U'o' || verb.mode == U'O' ? fmt::format("{:o}", magnitude)
                       : upper                                  ? fmt::format("{:X}", magnitude)
                                                                : fmt::format("{:x}", magnitude);
  std::string front = n < 0 ? "-" : verb.has('+') ? "+" : verb.has(' ') ? " " : "";
  if (verb.mode == U'O') front += "0o";
  if (verb.has('#')) front += verb.mode == U'b' ? "0b" : verb.mode == U'o' ? "0" : upper ? "0X" : "0x";
  std::int64_t least = verb.precision.value_or(0);
  if (verb.has('0') && !verb.has('-') && !verb.precision)
    least = verb.width.value_or(0) - static_cast<std::int64_t>(front.size());
  if (least > static_cast<std::int64_t>(digits.size()))
    digits.insert(0, static_cast<std::size_t>(least) - digits.size(), '0');
  GoVerb spaces = verb;
  spaces.flags.erase(std::remove(spaces.flags.begin(), spaces.flags.end(), '0'), spaces.flags.end());
  return padded(spaces, front + digits);
}

std::string int_text(const GoVerb& verb, const Value& v) {
  const std::int64_t n = v.number().to_int().value_or(0);
  const char32_t rune = n < 0 || n > 0x10ffff ? 0xfffd : static_cast<char32_t>(n);
  switch (verb.mode) {
    case U'd':
    case U'v':
      return by_c(verb, "ll", 'd', static_cast<long long>(n));
    case U'b':
    case U'o':
    case U'O':
    case U'x':
    case U'X':
      return in_base(verb, n);
    case U'c':
      return padded(verb, utf8(rune));
    case U'q':
      return padded(verb, "'" + (rune == U'\'' ? "\\'" : rune == U'"' ? "\"" : [&] {
                            const std::string text = go_quoted(utf8(rune));
                            return text.substr(1, text.size() - 2);
                          }()) + "'");
    case U'U':
      return padded(verb, fmt::format("U+{:04X}", n) + (verb.has('#') ? " '" + utf8(rune) + "'" : ""));
    default:
      return unfit(verb, v);
  }
}

/// 0x1.8p+00: C's form with two digits of exponent.
std::string hex_float(const GoVerb& verb, double d) {
  GoVerb bare = verb;
  bare.width.reset();
  std::string text = by_c(bare, "", verb.mode == U'X' ? 'A' : 'a', d);
  const std::size_t sign = text.find_first_of("pP") + 1;
  if (sign != 0 && text.size() == sign + 2) text.insert(sign + 1, "0");
  return padded(verb, text);
}

std::string float_text(const GoVerb& verb, const Value& v) {
  const double d = go_number(v).to_double();
  const bool general = verb.mode == U'g' || verb.mode == U'G' || verb.mode == U'v';
  if (general && !verb.precision) {
    std::string text = go_plain(v);
    if (verb.mode == U'G') std::replace(text.begin(), text.end(), 'e', 'E');
    if (verb.has('+') && !text.starts_with('-') && !text.starts_with('+')) text.insert(0, "+");
    return padded(verb, text);
  }
  if (verb.mode == U'v') return by_c(verb, "", 'g', d);
  if (verb.mode == U'x' || verb.mode == U'X') return hex_float(verb, d);
  if (verb.mode >= 0x80 || std::string_view("eEfFgG").find(static_cast<char>(verb.mode)) == std::string_view::npos)
    return unfit(verb, v);
  return by_c(verb, "", static_cast<char>(verb.mode), d);
}

std::string one(const GoVerb& verb, const Value& v) {
  if (verb.mode == U'T') return padded(verb, v.is_null() ? "<nil>" : std::string(go_type(v)));
  if (v.is_null()) return verb.mode == U'v' ? padded(verb, "<nil>") : unfit(verb, v);
  if (v.is(Kind::string)) return string_text(verb, v);
  if (v.is(Kind::number)) return int_text(verb, v);
  if (v.is(Kind::tuple)) return float_text(verb, v);
  if (verb.mode == U't' || verb.mode == U'v') return padded(verb, v.truth() ? "true" : "false");
  return unfit(verb, v);
}

/// Reads one format from front to back.
class Printer {
 public:
  Printer(std::string_view format, Arguments arguments) : rest_(format), arguments_(arguments) {}
  Result<std::string> print();

 private:
  std::optional<std::int64_t> digits();
  void index(GoVerb& verb);
  std::optional<std::int64_t> size(GoVerb& verb, const char* bad);
  void verb();
  void extra();
  std::string_view rest_;
  Arguments arguments_;
  std::size_t next_ = 0;
  bool reordered_ = false;
  std::string out_;
};

std::optional<std::int64_t> Printer::digits() {
  std::optional<std::int64_t> n;
  for (; !rest_.empty() && rest_[0] >= '0' && rest_[0] <= '9'; rest_.remove_prefix(1))
    n = std::min(n.value_or(0) * 10 + (rest_[0] - '0'), kMaxGoWidth + 1);
  return n;
}

/// [2]: the argument that is next.
void Printer::index(GoVerb& verb) {
  if (!rest_.starts_with('[')) return;
  reordered_ = true;
  const std::string_view start = rest_;
  rest_.remove_prefix(1);
  const auto n = digits();
  if (n && rest_.starts_with(']') && *n >= 1 && static_cast<std::size_t>(*n) <= arguments_.size()) {
    next_ = static_cast<std::size_t>(*n) - 1;
    rest_.remove_prefix(1);
    return;
  }
  verb.bad_index = true;
  const std::size_t close = start.find(']');
  rest_ = start.substr(close == std::string_view::npos ? 1 : close + 1);
}

/// A width or precision: digits, or * for an argument.
std::optional<std::int64_t> Printer::size(GoVerb& verb, const char* bad) {
  index(verb);
  std::optional<std::int64_t> n;
  if (!rest_.starts_with('*')) {
    n = digits();
  } else {
    rest_.remove_prefix(1);
    if (next_ < arguments_.size() && arguments_[next_].is(Kind::number) && arguments_[next_].is_known())
      n = arguments_[next_].number().to_int();
    ++next_;
    if (!n) out_ += bad;
  }
  if (!n || (*n <= kMaxGoWidth && *n >= -kMaxGoWidth)) return n;
  out_ += bad;
  return std::nullopt;
}

void Printer::verb() {
  GoVerb verb;
  while (!rest_.empty() && std::string_view("+-# 0").find(rest_[0]) != std::string_view::npos) {
    verb.flags += rest_[0];
    rest_.remove_prefix(1);
  }
  verb.width = size(verb, "%!(BADWIDTH)");
  if (verb.width && *verb.width < 0) {
    verb.width = -*verb.width;
    verb.flags += '-';
  }
  if (rest_.starts_with('.')) {
    rest_.remove_prefix(1);
    verb.precision = size(verb, "%!(BADPREC)").value_or(0);
    if (*verb.precision < 0) verb.precision.reset();
  }
  index(verb);
  if (rest_.empty()) {
    out_ += "%!(NOVERB)";
    return;
  }
  std::size_t length = 0;
  verb.mode = read_code_point(rest_, length);
  rest_.remove_prefix(length);
  if (verb.mode == U'%') {
    out_ += '%';
  } else if (verb.bad_index) {
    out_ += fmt::format("%!{}(BADINDEX)", utf8(verb.mode));
  } else if (next_ >= arguments_.size()) {
    out_ += fmt::format("%!{}(MISSING)", utf8(verb.mode));
  } else {
    out_ += one(verb, arguments_[next_++]);
  }
}

/// What no verb asked for.
void Printer::extra() {
  if (reordered_ || next_ >= arguments_.size()) return;
  out_ += "%!(EXTRA ";
  for (std::size_t i = next_; i < arguments_.size(); ++i) {
    if (i > next_) out_ += ", ";
    out_ += arguments_[i].is_null() ? "<nil>" : fmt::format("{}={}", go_type(arguments_[i]), go_plain(arguments_[i]));
  }
  out_ += ')';
}

Result<std::string> Printer::print() {
  while (!rest_.empty()) {
    const std::size_t percent = std::min(rest_.find('%'), rest_.size());
    out_ += rest_.substr(0, percent);
    rest_.remove_prefix(percent);
    if (rest_.empty()) break;
    rest_.remove_prefix(1);
    verb();
    if (out_.size() > kMaxString)
      return error(Errc::bad_template, "the result would be longer than {} bytes", kMaxString);
  }
  extra();
  return std::move(out_);
}

}  // namespace

Result<std::string> go_printf(std::string_view format, Arguments arguments) {
  return Printer(format, arguments).print();
}

}  // namespace kiln::tmpl
