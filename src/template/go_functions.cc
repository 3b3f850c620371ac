#include "template/go_functions.h"

#include <unicode/uchar.h>

#include <array>
#include <charconv>
#include <cmath>

#include "template/functions_support.h"
#include "template/go_utf8.h"

namespace kiln::tmpl {

namespace {

/// Go's %g of a float64 with the fewest digits.
std::string float_text(double d) {
  if (std::isinf(d)) return d < 0 ? "-Inf" : "+Inf";
  char buffer[64];
  const auto end = std::to_chars(buffer, buffer + sizeof buffer, d, std::chars_format::scientific).ptr;
  const std::string text(buffer, end);
  const int exponent = std::stoi(text.substr(text.find('e') + 1));
  constexpr int kLongest = 6;  // digits before the point without an exponent
  return exponent >= -4 && exponent < kLongest ? fmt::format("{}", d) : text;
}

/// Side by side as Sprint puts them: a space between two that are both no strings.
std::string printed(Arguments a) {
  std::string out;
  for (std::size_t i = 0; i < a.size(); ++i) {
    const auto no_text = [&](std::size_t k) { return a[k].is_null() || !a[k].is(Kind::string); };
    if (i > 0 && no_text(i) && no_text(i - 1)) out += ' ';
    out += go_plain(a[i]);
  }
  return out;
}

Result<Value> print(Arguments a, FunctionContext&) {
  return text_value(printed(a));
}

Result<Value> println(Arguments a, FunctionContext&) {
  std::string out;
  for (std::size_t i = 0; i < a.size(); ++i) out += (i == 0 ? "" : " ") + go_plain(a[i]);
  return text_value(out + "\n");
}

Result<Value> printf(Arguments a, FunctionContext& context) {
  if (!a[0].is_known() || !a[0].is(Kind::string)) return context.bad_argument(0, "a string is required");
  return text_value(TRY(go_printf(a[0].text(), a.subspan(1))));
}

Result<Value> html(Arguments a, FunctionContext&) {
  std::string out;
  for (const char c : printed(a)) {
    if (c == '"')
      out += "&#34;";
    else if (c == '\'')
      out += "&#39;";
    else if (c == '&')
      out += "&amp;";
    else if (c == '<')
      out += "&lt;";
    else if (c == '>')
      out += "&gt;";
    else
      out += c == '\0' ? std::string("\xEF\xBF\xBD") : std::string(1, c);
  }
  return text_value(out);
}

Result<Value> js(Arguments a, FunctionContext&) {
  const std::string text = printed(a);
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t begin = at;
    const char32_t c = read_code_point(text, at);
    const bool marked = c == U'<' || c == U'>' || c == U'&' || c == U'=';
    if (c == U'\\' || c == U'\'' || c == U'"') {
      out += '\\';
      out += static_cast<char>(c);
    } else if (c < 0x20 || marked || (c >= 0x7f && u_isgraph(static_cast<UChar32>(c)) == 0)) {
      out += fmt::format("\\u{:04X}", static_cast<std::uint32_t>(c));
    } else {
      out += text.substr(begin, at - begin);
    }
  }
  return text_value(out);
}

Result<Value> go_length(Arguments a, FunctionContext& context) {
  if (!a[0].is_known() || !a[0].is(Kind::string)) return context.bad_argument(0, "{} has no length", go_type(a[0]));
  return Value::number(static_cast<std::int64_t>(a[0].text().size()));
}

/// A place in a string of that many bytes.
Result<std::size_t> place(Arguments a, std::size_t i, std::size_t most, FunctionContext& context) {
  if (!a[i].is_known() || !a[i].is(Kind::number))
    return context.bad_argument(i, "{} is no index", a[i].is_null() ? "nil" : go_plain(a[i]));
  const std::int64_t n = TRY(whole_number(a, i, context));
  if (n < 0 || static_cast<std::uint64_t>(n) > most) return context.bad_argument(i, "index out of range: {}", n);
  return static_cast<std::size_t>(n);
}

Result<Value> go_index(Arguments a, FunctionContext& context) {
  if (a.size() == 1) return a[0];
  if (!a[0].is_known() || !a[0].is(Kind::string) || a.size() > 2)
    return context.bad_argument(a.size() > 2 ? 2 : 0, "this has no parts");
  const std::string& text = a[0].text();
  const std::size_t at = TRY(place(a, 1, text.size(), context));
  if (at == text.size()) return context.bad_argument(1, "index out of range: {}", at);
  return Value::number(static_cast<unsigned char>(text[at]));
}

Result<Value> go_slice(Arguments a, FunctionContext& context) {
  if (!a[0].is_known() || !a[0].is(Kind::string)) return context.bad_argument(0, "only a string can be sliced");
  if (a.size() > 3) return context.bad_argument(3, "a string is sliced with at most two indexes");
  const std::string& text = a[0].text();
  const std::size_t from = a.size() > 1 ? TRY(place(a, 1, text.size(), context)) : 0;
  const std::size_t to = a.size() > 2 ? TRY(place(a, 2, text.size(), context)) : text.size();
  if (from > to) return context.bad_argument(2, "invalid slice index: {} > {}", from, to);
  return text_value(text.substr(from, to - from));
}

/// replace old new n s: the first n, or all when n is negative; what is empty stands before each character and at the
/// end.
Result<Value> replace(Arguments a, FunctionContext& context) {
  const std::string& old = a[0].text();
  const std::int64_t n = TRY(whole_number(a, 2, context));
  auto left = n < 0 ? SIZE_MAX : static_cast<std::size_t>(n);
  std::string_view rest = a[3].text();
  std::string out;
  while (left > 0) {
    const std::size_t at = rest.find(old);
    if (at == std::string_view::npos) break;
    out.append(rest.substr(0, at)).append(a[1].text());
    rest.remove_prefix(at + old.size());
    --left;
    if (out.size() > kMaxString) break;
    if (!old.empty()) continue;
    if (rest.empty()) break;
    const std::size_t character = code_point_bytes(rest, 1);
    out += rest.substr(0, character);
    rest.remove_prefix(character);
  }
  return text_value(out.append(rest));
}

Result<> check_types(Arguments a, FunctionContext& context) {
  for (std::size_t i = 1; i < a.size(); ++i) {
    if (a[0].is_null() || a[i].is_null() || go_type(a[i]) != go_type(a[0]))
      return context.bad_argument(i, "incompatible types for comparison");
  }
  return {};
}

/// Equal to one of the others.
Result<Value> equal(Arguments a, FunctionContext& context) {
  for (std::size_t i = 1; i < a.size(); ++i) {
    TRY(check_types(std::array{a[0], a[i]}, context));
    if (a[0] == a[i]) return Value::boolean(true);
  }
  return Value::boolean(false);
}

Result<Value> unequal(Arguments a, FunctionContext& context) {
  return Value::boolean(!TRY(equal(a, context)).truth());
}

Result<std::strong_ordering> compared(Arguments a, FunctionContext& context) {
  TRY(check_types(a, context));
  if (a[0].is(Kind::string)) return a[0].text().compare(a[1].text()) <=> 0;
  if (a[0].is(Kind::boolean)) return context.bad_argument(0, "invalid type for comparison");
  return go_number(a[0]) <=> go_number(a[1]);
}

/// The second argument if the first is true, else the third, as it is.
Result<Value> choose(Arguments a, FunctionContext&) {
  return a[a[0].truth() ? 1 : 2];
}

/// not, truth: what is not empty is true.
Function of_one(const std::string& name, bool (*answer)(bool)) {
  return {.parameters = {any_parameter(name)},
          .result = Type::boolean(),
          .call = [answer](Arguments a, FunctionContext&) -> Result<Value> {
            return Value::boolean(answer(is_go_true(a[0])));
          }};
}

/// and, or: the first argument that decides, else the last.
Function of_choice(bool decides) {
  return {.parameters = {},
          .rest = Parameter{.name = "args", .allow_null = true},
          .result = {},
          .call = [decides](Arguments a, FunctionContext&) -> Result<Value> {
            for (const Value& v : a) {
              if (is_go_true(v) == decides) return v;
            }
            return a.back();
          }};
}

Function of_order(bool (*answer)(std::strong_ordering)) {
  return {.parameters = {any_parameter("arg1"), any_parameter("arg2")},
          .result = Type::boolean(),
          .call = [answer](Arguments a, FunctionContext& context) -> Result<Value> {
            return Value::boolean(answer(TRY(compared(a, context))));
          }};
}

Function of_any(Type result, Result<Value> (*call)(Arguments, FunctionContext&)) {
  return {.parameters = {},
          .rest = Parameter{.name = "args", .allow_null = true},
          .result = std::move(result),
          .call = call};
}

FunctionTable make_table() {
  FunctionTable t;
  t["go print"] = of_any(Type::string(), print);
  t["go println"] = of_any(Type::string(), println);
  t["go printf"] = of_any(Type::string(), printf);
  t["go replace"] = {
      .parameters = {text_parameter("old"), text_parameter("new"), number_parameter("n"), text_parameter("s")},
      .result = Type::string(),
      .call = replace};
  t["go html"] = of_any(Type::string(), html);
  t["go js"] = of_any(Type::string(), js);
  t["go len"] = of_any(Type::number(), go_length);
  t["go index"] = of_any({}, go_index);
  t["go slice"] = of_any(Type::string(), go_slice);
  t["go eq"] = of_any(Type::boolean(), equal);
  t["go ne"] = of_any(Type::boolean(), unequal);
  t["go and"] = of_choice(false);
  t["go or"] = of_choice(true);
  t["go choose"] = of_any({}, choose);
  t["go truth"] = of_one("value", [](bool truth) { return truth; });
  t["go not"] = of_one("value", [](bool truth) { return !truth; });
  t["go lt"] = of_order([](std::strong_ordering o) { return o < 0; });
  t["go le"] = of_order([](std::strong_ordering o) { return o <= 0; });
  t["go gt"] = of_order([](std::strong_ordering o) { return o > 0; });
  t["go ge"] = of_order([](std::strong_ordering o) { return o >= 0; });
  return t;
}

}  // namespace

const FunctionTable& go_functions() {
  static const FunctionTable table = make_table();
  return table;
}

bool is_go_true(const Value& v) {
  if (v.is_null()) return false;
  if (v.is(Kind::string)) return !v.text().empty();
  if (v.is(Kind::boolean)) return v.truth();
  return go_number(v).sign() != 0;
}

std::string go_plain(const Value& value) {
  if (value.is_null()) return "<nil>";
  if (value.is(Kind::string)) return value.text();
  if (value.is(Kind::boolean)) return value.truth() ? "true" : "false";
  if (value.is(Kind::tuple)) return float_text(go_number(value).to_double());
  return value.number().text();
}

std::string_view go_type(const Value& value) {
  if (value.is_null()) return "nil";
  if (value.is(Kind::string)) return "string";
  if (value.is(Kind::boolean)) return "bool";
  return value.is(Kind::tuple) ? "float64" : "int";
}

const Number& go_number(const Value& value) {
  return value.is(Kind::tuple) ? value.elements().front().number() : value.number();
}

}  // namespace kiln::tmpl
