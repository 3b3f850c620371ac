#include <algorithm>
#include <charconv>

#include "base/json.h"
#include "base/text.h"
#include "template/functions_support.h"

namespace kiln::tmpl {

std::string json_quoted(std::string_view text) {
  std::string out = "\"";
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    const std::string_view rest = text.substr(i);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (c == '\n' || c == '\r' || c == '\t' || c == '\b' || c == '\f') {
      out += '\\';
      out += c == '\n' ? 'n' : c == '\r' ? 'r' : c == '\t' ? 't' : c == '\b' ? 'b' : 'f';
    } else if ((c >= 0 && c < 0x20) || c == '<' || c == '>' || c == '&') {
      out += fmt::format("\\u{:04x}", static_cast<unsigned>(c));
    } else if (rest.starts_with("\xE2\x80\xA8") || rest.starts_with("\xE2\x80\xA9")) {
      out += rest[2] == '\xA8' ? "\\u2028" : "\\u2029";
      i += 2;
    } else {
      out += c;
    }
  }
  return out + '"';
}

namespace {

/// Depth is that of the value, which is bounded.
Result<> write_json(const Value& v, std::string& out) {
  if (out.size() > kMaxString) return error(Errc::bad_template, "the JSON text is longer than {} bytes", kMaxString);
  if (v.is_null()) {
    out += "null";
  } else if (v.is(Kind::string)) {
    out += json_quoted(v.text());
  } else if (v.is(Kind::number)) {
    if (v.number().is_infinite()) return error(Errc::bad_template, "cannot serialize infinity as JSON");
    out += v.number().text();
  } else if (v.is(Kind::boolean)) {
    out += v.truth() ? "true" : "false";
  } else if (is_mapping(v.type())) {
    char separator = '{';
    for (const auto& [name, part] : v.entries()) {
      out += std::exchange(separator, ',');
      out += json_quoted(name) + ':';
      TRY(write_json(part, out));
    }
    out += v.length() == 0 ? "{}" : "}";
  } else {
    char separator = '[';
    for (const Value& part : v.elements()) {
      out += std::exchange(separator, ',');
      TRY(write_json(part, out));
    }
    out += v.length() == 0 ? "[]" : "]";
  }
  return {};
}

/// The first character of JSON text tells what it stands for.
Value unknown_json(const Value& v) {
  if (!v.is_not_null()) return Value::unknown(Type::string());
  std::string first;
  if (v.is(Kind::string)) first = "\"";
  if (is_mapping(v.type())) first = "{";
  if (is_sequence(v.type())) first = "[";
  return Value::unknown(Type::string(), {.prefix = first});
}

Result<Value> jsonencode(Arguments a, FunctionContext&) {
  if (!a[0].is_wholly_known()) return unknown_json(a[0]);
  const std::string text = TRY(json_text(a[0]));
  return text_value(text);
}

/// Builds values from the events of the JSON parser, numbers with all their digits. Answers false to stop at the first
/// problem, which is then in problem().
class ValueReader : public nlohmann::json_sax<Json> {
 public:
  Value take() { return std::move(result_); }
  const std::string& problem() const { return problem_; }

  bool null() override { return add(Value::null()); }
  bool boolean(bool truth) override { return add(Value::boolean(truth)); }
  bool number_integer(number_integer_t n) override { return number(n == 0 ? "-0" : std::to_string(n)); }
  bool number_unsigned(number_unsigned_t n) override { return number(std::to_string(n)); }
  bool number_float(number_float_t, const string_t& text) override { return number(text); }
  bool string(string_t& text) override { return add(Value::string(text)); }
  bool binary(binary_t&) override { return fail("binary data"); }
  bool start_object(std::size_t) override { return open(true); }
  bool start_array(std::size_t) override { return open(false); }
  bool key(string_t& name) override {
    levels_.back().key = normalised(name);
    return true;
  }
  bool end_object() override {
    Value v = Value::object(std::move(levels_.back().entries));
    levels_.pop_back();
    return add(std::move(v));
  }
  bool end_array() override {
    Value v = Value::tuple(std::move(levels_.back().elements));
    levels_.pop_back();
    return add(std::move(v));
  }
  bool parse_error(std::size_t at, const std::string&, const nlohmann::detail::exception&) override {
    return fail(fmt::format("invalid JSON at byte {}", at));
  }

 private:
  struct Level {
    bool object = false;
    std::string key;
    Value::Entries entries;
    Value::Elements elements;
  };

  bool fail(std::string problem) {
    problem_ = std::move(problem);
    return false;
  }
  bool open(bool object) {
    if (levels_.size() >= kMaxValueDepth) return fail(fmt::format("more than {} levels of nesting", kMaxValueDepth));
    levels_.emplace_back().object = object;
    return true;
  }
  bool number(const std::string& text) {
    const auto n = Number::parse(text);
    return n ? add(Value::number(*n)) : fail("a number with too many digits or too large an exponent");
  }
  bool add(Value v) {
    if (++count_ > kMaxCollection) return fail(fmt::format("more than {} values", kMaxCollection));
    if (levels_.empty()) {
      result_ = std::move(v);
    } else if (levels_.back().object) {
      levels_.back().entries[levels_.back().key] = std::move(v);  // of equal names the last counts
    } else {
      levels_.back().elements.push_back(std::move(v));
    }
    return true;
  }

  std::vector<Level> levels_;
  std::size_t count_ = 0;
  Value result_;
  std::string problem_;
};

/// The type of what is read, as far as the beginning of an unknown text tells.
Result<Type> jsondecode_type(Arguments a, FunctionContext& context) {
  const std::string prefix = a[0].refinement().prefix;
  const std::size_t at = prefix.find_first_not_of(" \t\r\n\v\f");
  if (at == std::string::npos) return Type();
  const char c = prefix[at];
  if (c == '"') return Type::string();
  if (c == 't' || c == 'f') return Type::boolean();
  if (c == '-' || c == '.' || is_ascii_digit(c)) return Type::number();
  if (c == '{' || c == '[' || c == 'n') return Type();
  return context.bad_argument(0, "no JSON text begins as this one does");
}

/// The four hexadecimal digits behind \u at a place of JSON text; 0 if there are none.
unsigned escaped_unit(std::string_view text, std::size_t at) {
  unsigned unit = 0;
  const std::string_view digits = text.substr(std::min(at + 2, text.size()), 4);
  if (text.substr(at, 2) != "\\u" || digits.size() != 4) return 0;
  const auto read = std::from_chars(digits.data(), digits.data() + 4, unit, 16);
  return read.ptr == digits.data() + 4 ? unit : 0;
}

/// JSON text in which escaped halves of surrogate pairs that stand alone are U+FFFD, as Go reads them.
std::string with_whole_pairs(std::string text) {
  constexpr std::size_t kEscape = 6;  // bytes
  for (std::size_t i = text.find('\\'); i != std::string::npos; i = text.find('\\', i)) {
    const unsigned unit = escaped_unit(text, i);
    const unsigned next = escaped_unit(text, std::min(i + kEscape, text.size()));
    const bool first = unit >= 0xD800 && unit < 0xDC00;
    const bool second = unit >= 0xDC00 && unit < 0xE000;
    const bool pair = first && next >= 0xDC00 && next < 0xE000;
    if ((first || second) && !pair) text.replace(i, kEscape, "\\ufffd");
    i += pair ? 2 * kEscape : 2;
  }
  return text;
}

Result<Value> jsondecode(Arguments a, FunctionContext& context) {
  ValueReader reader;
  if (!Json::sax_parse(with_whole_pairs(a[0].text()), &reader)) return context.bad_argument(0, "{}", reader.problem());
  return reader.take();
}

}  // namespace

Result<std::string> json_text(const Value& value) {
  std::string out;
  TRY(write_json(value, out));
  return out;
}

void add_json_functions(FunctionTable& t) {
  t["jsonencode"] = {.parameters = {{.name = "val", .allow_null = true, .allow_unknown = true, .allow_partial = true}},
                     .result = Type::string(),
                     .call = jsonencode};
  t["jsondecode"] = {.parameters = {text_parameter("str")}, .result_of = jsondecode_type, .call = jsondecode};
}

}  // namespace kiln::tmpl
