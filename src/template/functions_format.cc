// format and formatlist: the verbs of go-cty, %v %#v %s %q %t %d %b %o %x %X %e %E %f %g %G and %%, with flags, width,
// precision and argument indexes in the order that go-cty reads them: %[flags][width][.precision][[index]]verb.
#include <algorithm>

#include "base/text.h"
#include "template/convert.h"
#include "template/functions_support.h"
#include "template/source_file.h"

namespace kiln::tmpl {

namespace {

constexpr std::size_t kMaxWidth = 1'000'000;   // Go's own limit for width and precision
constexpr std::size_t kMaxPrecision = 10'000;  // digits of a number

struct Verb {
  std::string_view raw;  // "%5.2f"
  std::size_t offset = 0;
  bool zero = false, sharp = false, plus = false, minus = false, space = false;
  std::optional<std::size_t> width, precision;
  std::size_t argument = 1;  // from 1
  char mode = 0;
};

Error bad_verb(const Verb& verb, std::string_view why) {
  return error(Errc::bad_template, "unsupported value for \"{}\" at {}: {}", verb.raw, verb.offset, why);
}

/// Spaces or zeros to the left, or to the right with "-".
std::string padded(const Verb& verb, std::string text) {
  const std::size_t have = verb.width ? count_graphemes(text) : 0;
  if (!verb.width || have >= *verb.width) return text;
  const std::string fill(*verb.width - have, verb.zero ? '0' : ' ');
  return verb.minus ? text + fill : fill + text;
}

std::string sign_of(const Verb& verb, bool negative) {
  return negative ? "-" : verb.plus ? "+" : verb.space ? " " : "";
}

/// Sign, zeros and digits in the width, as Go pads numbers.
std::string padded_number(const Verb& verb, const std::string& sign, const std::string& digits, bool zeros) {
  const std::size_t have = sign.size() + digits.size();
  if (!verb.width || have >= *verb.width) return sign + digits;
  const std::size_t n = *verb.width - have;
  if (verb.minus) return sign + digits + std::string(n, ' ');
  if (zeros) return sign + std::string(n, '0') + digits;
  return std::string(n, ' ') + sign + digits;
}

/// Decimal digits in another base, by long division; at most a few thousand digits.
std::string in_base(std::string decimal, unsigned base, bool upper) {
  std::string out;
  while (!decimal.empty()) {
    unsigned rest = 0;
    std::string quotient;
    for (const char c : decimal) {
      rest = rest * 10 + static_cast<unsigned>(c - '0');
      const char digit = static_cast<char>('0' + rest / base);
      if (digit != '0' || !quotient.empty()) quotient += digit;
      rest %= base;
    }
    out += upper ? "0123456789ABCDEF"[rest] : "0123456789abcdef"[rest];
    decimal = std::move(quotient);
  }
  std::reverse(out.begin(), out.end());
  return out;
}

Result<std::string> integer_text(const Verb& verb, const Number& n) {
  if (!n.is_integer() || n.is_infinite()) return bad_verb(verb, "an integer is required");
  std::string digits = n.text();
  if (digits[0] == '-') digits.erase(0, 1);
  std::string prefix;
  if (verb.mode != 'd') {
    digits = in_base(digits, verb.mode == 'b' ? 2 : verb.mode == 'o' ? 8 : 16, verb.mode == 'X');
    if (verb.sharp) prefix = verb.mode == 'b' ? "0b" : verb.mode == 'o' ? "0" : verb.mode == 'x' ? "0x" : "0X";
  }
  if (verb.precision && *verb.precision == 0 && n.sign() == 0) return std::string();
  if (verb.precision && digits.size() < *verb.precision) digits.insert(0, *verb.precision - digits.size(), '0');
  return padded_number(verb, sign_of(verb, n.sign() < 0) + prefix, digits, verb.zero && !verb.precision);
}

/// The fewest digits that read back as the same number; with an exponent below 1e-4 and from 1e6 on, as Go's big floats
/// are written by %g.
std::string shortest(const Number& n, bool upper) {
  std::string text = n.text();
  if (n.is_infinite() || n.sign() == 0) return text;
  const std::string sign = text[0] == '-' ? "-" : "";
  text.erase(0, sign.size());
  const std::size_t point = std::min(text.find('.'), text.size());
  std::string digits = text;
  if (point < digits.size()) digits.erase(point, 1);
  const std::size_t lead = digits.find_first_not_of('0');
  const auto exponent = static_cast<std::int64_t>(point) - static_cast<std::int64_t>(lead) - 1;
  if (exponent >= -4 && exponent < 6) return sign + text;
  digits.erase(0, lead);
  digits.erase(digits.find_last_not_of('0') + 1);
  if (digits.size() > 1) digits.insert(1, ".");
  return fmt::format("{}{}{}{}{:02}", sign, digits, upper ? 'E' : 'e', exponent < 0 ? '-' : '+', std::abs(exponent));
}

Result<std::string> float_text(const Verb& verb, const Number& n) {
  if (verb.precision.value_or(0) > kMaxPrecision) return bad_verb(verb, "the precision is too large");
  const char mode = verb.mode;
  const bool general = mode == 'g' || mode == 'G';
  std::string text = general && !verb.precision ? shortest(n, mode == 'G') : n.text(mode, verb.precision.value_or(6));
  const bool negative = text.starts_with('-');
  if (negative || text.starts_with('+')) text.erase(0, 1);
  const std::string sign = n.is_infinite() && !negative ? "+" : sign_of(verb, negative);
  return padded_number(verb, sign, text, verb.zero && !n.is_infinite());
}

Result<std::string> number_text(const Verb& verb, const Value& v) {
  const auto n = convert(v, Type::number());
  if (!n) return bad_verb(verb, n.error().text());
  const bool whole = std::string_view("bdoxX").find(verb.mode) != std::string_view::npos;
  return whole ? integer_text(verb, (*n).number()) : float_text(verb, (*n).number());
}

Result<std::string> plain_text(const Verb& verb, const Value& v) {
  if (!verb.sharp && v.is_known() && v.is(Kind::string)) return padded(verb, v.text());
  if (!verb.sharp && v.is_known() && v.is(Kind::number)) return padded(verb, shortest(v.number(), false));
  auto json = json_text(v);
  if (!json) return bad_verb(verb, json.error().text());
  return padded(verb, std::move(json).take());
}

Result<std::string> string_text(const Verb& verb, const Value& v) {
  const auto s = convert(v, Type::string());
  if (!s) return bad_verb(verb, s.error().text());
  std::string text = (*s).text();
  // A precision of 0 is not looked at, as in go-cty.
  if (verb.precision.value_or(0) > 0) text.resize(grapheme_bytes(text, *verb.precision));
  return padded(verb, verb.mode == 'q' ? json_quoted(text) : text);
}

Result<std::string> verb_text(const Verb& verb, Arguments arguments) {
  if (verb.argument > arguments.size())
    return error(Errc::bad_template, "not enough arguments for \"{}\" at {}: need index {} but have {} total", verb.raw,
                 verb.offset, verb.argument, arguments.size());
  const Value& v = arguments[verb.argument - 1];
  if (verb.mode == 'v') return plain_text(verb, v);
  if (v.is_null()) return bad_verb(verb, "null value cannot be formatted");
  if (verb.mode == 's' || verb.mode == 'q') return string_text(verb, v);
  if (verb.mode == 't') {
    const auto truth = convert(v, Type::boolean());
    if (!truth) return bad_verb(verb, truth.error().text());
    return std::string((*truth).truth() ? "true" : "false");
  }
  if (std::string_view("bdoxXeEfgG").find(verb.mode) != std::string_view::npos) return number_text(verb, v);
  return error(Errc::bad_template, "unsupported format verb '{}' in \"{}\" at offset {}", verb.mode, verb.raw,
               verb.offset);
}

/// Reads digits at the front; nothing when there are none or the number is above the limit.
std::optional<std::size_t> take_number(std::string_view& s) {
  std::size_t n = 0;
  std::size_t digits = 0;
  while (digits < s.size() && s[digits] >= '0' && s[digits] <= '9' && n <= kMaxWidth)
    n = n * 10 + static_cast<std::size_t>(s[digits++] - '0');
  if (digits == 0 || n > kMaxWidth) return std::nullopt;
  s.remove_prefix(digits);
  return n;
}

void take_flags(std::string_view& s, Verb& verb) {
  for (; !s.empty(); s.remove_prefix(1)) {
    switch (s[0]) {
      case '0':
        verb.zero = true;
        break;
      case '#':
        verb.sharp = true;
        break;
      case '-':
        verb.minus = true;
        break;
      case '+':
        verb.plus = true;
        break;
      case ' ':
        verb.space = true;
        break;
      default:
        return;
    }
  }
}

/// Reads one verb at the front of rest ("%5.2f..."), which stands at offset.
Result<Verb> take_verb(std::string_view& rest, std::size_t offset, std::size_t next) {
  const auto bad = [&](std::string_view s) {
    const std::size_t at = offset + (rest.size() - s.size());
    if (s.empty()) return error(Errc::bad_template, "invalid format string starting at offset {}", at);
    return error(Errc::bad_template, "unrecognized format character '{}' at offset {}",
                 s.substr(0, grapheme_bytes(s, 1)), at);
  };
  Verb verb{.offset = offset, .argument = next};
  std::string_view s = rest.substr(1);
  take_flags(s, verb);
  if (!s.empty() && s[0] >= '1' && s[0] <= '9' && !(verb.width = take_number(s))) return bad(s);
  if (s.starts_with('.')) {
    s.remove_prefix(1);
    const bool digits = !s.empty() && s[0] >= '0' && s[0] <= '9';
    verb.precision = digits ? take_number(s) : 0;
    if (!verb.precision) return bad(s);
  }
  if (s.starts_with('[')) {
    s.remove_prefix(1);
    const auto index = s.starts_with('0') ? std::nullopt : take_number(s);
    if (!index || !s.starts_with(']')) return bad(s);
    verb.argument = *index;
    s.remove_prefix(1);
  }
  if (s.empty() || !is_ascii_letter(s[0])) return bad(s);
  verb.mode = s[0];
  verb.raw = rest.substr(0, rest.size() - s.size() + 1);
  rest.remove_prefix(verb.raw.size());
  return verb;
}

/// The whole format; context is told which argument is one too many, counted from the first of the call.
Result<std::string> format_with(std::string_view format, Arguments arguments, FunctionContext& context) {
  std::string out;
  std::size_t next = 1;
  std::size_t highest = 0;
  for (std::string_view rest = format; !rest.empty();) {
    const std::size_t percent = std::min(rest.find('%'), rest.size());
    out += rest.substr(0, percent);
    rest.remove_prefix(percent);
    if (rest.starts_with("%%")) {
      out += '%';
      rest.remove_prefix(2);
    } else if (!rest.empty()) {
      const Verb verb = TRY(take_verb(rest, format.size() - rest.size(), next));
      out += TRY(verb_text(verb, arguments));
      next = verb.argument + 1;
      highest = std::max(highest, verb.argument);
    }
    if (out.size() > kMaxString)
      return error(Errc::bad_template, "the result would be longer than {} bytes", kMaxString);
  }
  if (highest == 0 && !arguments.empty())
    return context.bad_argument(1, "too many arguments; no verbs in format string");
  if (highest < arguments.size())
    return context.bad_argument(highest + 1, "too many arguments; only {} used by format string", highest);
  return out;
}

/// Whether an argument has no type yet, as null has none: then nothing is said.
bool has_untyped(Arguments a) {
  return std::any_of(a.begin(), a.end(), [](const Value& v) { return v.type().is_dynamic(); });
}

Result<Value> format(Arguments a, FunctionContext& context) {
  if (has_untyped(a)) return Value::unknown();
  if (!std::all_of(a.begin(), a.end(), [](const Value& v) { return v.is_wholly_known(); })) {
    const std::size_t verb = a[0].text().find('%');
    const std::string_view plain = std::string_view(a[0].text()).substr(0, verb == std::string::npos ? 0 : verb);
    return Value::unknown(Type::string(), {.prefix = safe_prefix(plain)});
  }
  const std::string text = TRY(format_with(a[0].text(), a.subspan(1), context));
  return text_value(text);
}

/// How many results there are: the length that all lists among the arguments share; 1 without any.
Result<std::size_t> iterations(Arguments a, FunctionContext& context) {
  std::optional<std::size_t> count;
  std::size_t chosen = 0;
  for (std::size_t i = 1; i < a.size(); ++i) {
    if (!is_sequence(a[i].type()) || !a[i].is_known()) continue;
    const std::size_t length = a[i].length();
    if (count && *count != length)
      return context.bad_argument(i, "argument {} has length {}, which is inconsistent with argument {} of length {}",
                                  i, length, chosen, *count);
    if (!count) chosen = i;
    count = length;
  }
  return count.value_or(1);
}

Result<Value> formatlist(Arguments a, FunctionContext& context) {
  if (has_untyped(a)) return Value::unknown();
  const std::size_t count = TRY(iterations(a, context));
  for (const Value& v : a.subspan(1)) {
    if (v.is_unknown() && is_sequence(v.type())) return Value::unknown(Type::list(Type::string()));
  }
  Value::Elements out;
  std::size_t bytes = 0;
  for (std::size_t k = 0; k < count; ++k) {
    Value::Elements one;
    for (const Value& v : a.subspan(1)) one.push_back(is_sequence(v.type()) && v.is_known() ? v.elements()[k] : v);
    const bool known = std::all_of(one.begin(), one.end(), [](const Value& v) { return v.is_wholly_known(); });
    if (!known) {
      out.push_back(Value::unknown(Type::string()).not_null());
      continue;
    }
    const std::string text = TRY(format_with(a[0].text(), one, context).context("error on format iteration {}", k));
    bytes += text.size();
    if (bytes > kMaxString) return error(Errc::bad_template, "the result would be longer than {} bytes", kMaxString);
    out.push_back(Value::string(text));
  }
  return Value::list(Type::string(), std::move(out));
}

}  // namespace

void add_format_functions(FunctionTable& t) {
  const Parameter args = {.name = "args", .allow_null = true, .allow_unknown = true, .allow_partial = true};
  t["format"] = {.parameters = {text_parameter("format")}, .rest = args, .result = Type::string(), .call = format};
  t["formatlist"] = {
      .parameters = {text_parameter("format")}, .rest = args, .result = Type::list(Type::string()), .call = formatlist};
}

}  // namespace kiln::tmpl
