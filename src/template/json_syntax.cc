#include "template/json_syntax.h"

#include <unicode/utf16.h>
#include <unicode/utf8.h>

#include <algorithm>
#include <charconv>

#include "base/text.h"

namespace kiln::tmpl {

namespace {

constexpr std::size_t kShortError = 1;  // columns of a message about one byte

class JsonReader {
 public:
  JsonReader(const SourceFile& file, Diagnostics& diagnostics) : file_(file), diagnostics_(diagnostics) {
    text_ = file.text();
    advance();
  }
  JsonNode value();
  bool at_end() const { return token_.kind == '$'; }
  void only_end() {
    if (!at_end()) fail(token_.span, "Extraneous data after value", "There is more text behind the JSON value.");
  }

 private:
  /// kind: the character itself, 'S' string, 'N' number, 'K' word, '?' none of these, '$' the end.
  struct Token {
    char kind = '$';
    Span span;
    Pos start;
  };
  void advance();
  void skip_space();
  void scan();
  void scan_string();
  void take(std::size_t bytes, std::size_t columns);
  Token next() {
    const Token token = token_;
    if (token.kind != '$') advance();
    return token;
  }
  void fail(Span span, std::string summary, std::string detail) {
    diagnostics_.push_back(
        {.summary = std::move(summary), .detail = std::move(detail), .subject = file_.range(span), .context = {}});
  }
  void recover(const Token& from, char open, char close);
  bool object(JsonNode& out);
  bool property(JsonNode& out);
  bool property_end(const Token& open);
  bool array(JsonNode& out);
  bool item_end(const Token& open);
  bool number(JsonNode& out);
  bool string(JsonNode& out);
  bool word(JsonNode& out);
  void bad_string(const Token& token, std::size_t offset);

  const SourceFile& file_;
  Diagnostics& diagnostics_;
  std::string_view text_;
  Pos at_;
  Token token_;
  std::size_t depth_ = 0;
};

void JsonReader::take(std::size_t bytes, std::size_t columns) {
  at_.byte += static_cast<std::uint32_t>(bytes);
  at_.column += static_cast<std::uint32_t>(columns);
}

void JsonReader::skip_space() {
  for (; at_.byte < text_.size(); ++at_.byte) {
    const char c = text_[at_.byte];
    if (c == '\n') {
      ++at_.line;
      at_.column = 1;
    } else if (c == ' ' || c == '\t') {
      at_.column += c == ' ' ? 1 : 2;
    } else if (c != '\r') {
      return;
    }
  }
}

void JsonReader::scan_string() {
  take(1, 1);
  bool escaping = false;
  while (at_.byte < text_.size()) {
    const char c = text_[at_.byte];
    if (static_cast<unsigned char>(c) < 0x20) return;
    if (c == '\\' || c == '"') {
      take(1, 1);
      if (c == '"' && !escaping) return;
      escaping = c == '\\' && !escaping;
    } else {
      take(std::max<std::size_t>(grapheme_bytes(text_.substr(at_.byte, 64), 1), 1), 1);
      escaping = false;
    }
  }
}

void JsonReader::scan() {
  const char c = text_[at_.byte];
  const auto run = [&](std::string_view more) {
    std::size_t n = 0;
    for (const char x : text_.substr(at_.byte)) {
      const bool letter = (x >= 'a' && x <= 'z') || (x >= 'A' && x <= 'Z');
      if (!(more == "_" ? letter || x == '_' : more.find(x) != std::string_view::npos)) break;
      ++n;
    }
    take(n, n);
  };
  if (std::string_view("{}[],:=").find(c) != std::string_view::npos) {
    token_.kind = c;
    take(1, 1);
  } else if (c == '"') {
    token_.kind = 'S';
    scan_string();
  } else if (std::string_view("-+.0123456789").find(c) != std::string_view::npos) {
    token_.kind = 'N';
    run("-+.eE0123456789");
  } else if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')) {
    token_.kind = 'K';
    run("_");
  } else {
    token_.kind = '?';
    take(1, 1);
    text_ = text_.substr(0, at_.byte);  // nothing behind it can be read
  }
}

void JsonReader::advance() {
  skip_space();
  token_.start = at_;
  token_.kind = '$';
  file_.note_place(at_);
  if (at_.byte < text_.size()) {
    scan();
    file_.note_place(at_);
  }
  token_.span = {token_.start.byte, at_.byte};
}

/// Skips to the bracket that closes what is open here, and over what is nested in it.
void JsonReader::recover(const Token& from, char open, char close) {
  int depth = 1;
  for (Token token = from; token.kind != '$'; token = next()) {
    if (token.kind == open) ++depth;
    if (token.kind == close && --depth <= 1) return;
  }
}

JsonNode JsonReader::value() {
  JsonNode out;
  out.file = &file_;
  out.span = token_.span;
  const Token first = token_;
  ++depth_;
  bool good = false;
  if (depth_ > kMaxNesting) {
    if (token_.kind != '$') fail(token_.span, "Nesting too deep", "JSON may be nested at most 200 levels deep.");
    text_ = text_.substr(0, at_.byte);
    token_ = {'$', {at_.byte, at_.byte}, at_};
  } else if (first.kind == '{') {
    good = object(out);
  } else if (first.kind == '[') {
    good = array(out);
  } else if (first.kind == 'N') {
    good = number(out);
  } else if (first.kind == 'S') {
    good = string(out);
  } else if (first.kind == 'K') {
    good = word(out);
  } else {
    const char* summary = first.kind == '}'   ? "Missing JSON value"
                          : first.kind == ']' ? "Missing array element value"
                          : first.kind == '$' ? "Missing value"
                                              : "Invalid start of value";
    fail(first.span, summary,
         first.kind == '$' ? "The text ends where a value is needed."
                           : "A value is an object, an array, a string, a number, true, false or null.");
  }
  --depth_;
  if (good) return out;
  JsonNode invalid;
  invalid.file = &file_;
  invalid.span = first.span;
  return invalid;
}

/// "name": value; false when the object cannot be read on.
bool JsonReader::property(JsonNode& out) {
  JsonNode key = value();
  if (key.kind != JsonNode::Kind::string) {
    fail(key.start(), "Invalid object property name", "The name of a property must be a string.");
    return false;
  }
  const Token colon = next();
  if (colon.kind != ':') {
    recover(colon, '{', '}');
    if (colon.kind == '}' || colon.kind == ',') {
      fail(colon.span, "Missing object value", "A property needs a colon and a value.");
    } else {
      fail(colon.span, "Missing property value colon",
           "A colon must stand between the name and the value of a property.");
    }
    return false;
  }
  const Span name_span = key.span;
  out.properties.push_back({std::move(key.text), name_span, value()});
  return true;
}

/// What follows a property; false when the object cannot be read on.
bool JsonReader::property_end(const Token& open) {
  switch (token_.kind) {
    case ',': {
      const Token comma = next();
      if (token_.kind != '}') return true;
      fail(comma.span, "Trailing comma in object", "JSON has no comma behind the last property.");
      return false;
    }
    case '}':
      return true;
    case '$':
      fail(open.span, "Unclosed object", "There is no closing brace for this object.");
      return false;
    case ']':
      next();
      fail(token_.span, "Mismatched braces", "An object is closed with a brace, not with a bracket.");
      return false;
    default:
      recover(next(), '{', '}');
      fail(token_.span, "Missing attribute separator comma", "A comma must stand between the properties of an object.");
      return false;
  }
}

bool JsonReader::object(JsonNode& out) {
  const Token open = next();
  while (token_.kind != '}') {
    if (!property(out) || !property_end(open)) return false;
  }
  out.kind = JsonNode::Kind::object;
  out.open = open.span;
  out.close = next().span;
  out.span = {open.span.begin, out.close.end};
  return true;
}

bool JsonReader::item_end(const Token& open) {
  const auto stop = [&](Span at, const char* summary, const char* detail) {
    fail(at, summary, detail);
    return false;
  };
  if (token_.kind == ']') return true;
  const Token token = next();
  if (token.kind == ',') {
    if (token_.kind != ']') return true;
    return stop(token.span, "Trailing comma in array", "JSON has no comma behind the last item.");
  }
  recover(token, '[', ']');
  if (token.kind == ':') return stop(token_.span, "Invalid array value", "The items of an array have no names.");
  if (token.kind == '$') return stop(open.span, "Unclosed object", "There is no closing bracket for this array.");
  if (token.kind == '}')
    return stop(token_.span, "Mismatched brackets", "An array is closed with a bracket, not with a brace.");
  return stop(token_.span, "Missing attribute separator comma", "A comma must stand between the items of an array.");
}

bool JsonReader::array(JsonNode& out) {
  const Token open = next();
  while (token_.kind != ']') {
    out.items.push_back(value());
    if (!item_end(open)) return false;
  }
  out.kind = JsonNode::Kind::array;
  out.open = open.span;
  out.close = next().span;
  out.span = {open.span.begin, out.close.end};
  return true;
}

/// -? (0 | [1-9][0-9]*) fraction? exponent?
bool is_json_number(std::string_view s) {
  const auto digits = [&] {
    const std::size_t n = std::min(s.find_first_not_of("0123456789"), s.size());
    s.remove_prefix(n);
    return n;
  };
  if (s.starts_with('-')) s.remove_prefix(1);
  const bool zero = s.starts_with('0');
  const std::size_t whole = digits();
  if (whole == 0 || (zero && whole > 1)) return false;
  if (s.starts_with('.')) {
    s.remove_prefix(1);
    if (digits() == 0) return false;
  }
  if (s.empty()) return true;
  if (s[0] != 'e' && s[0] != 'E') return false;
  s.remove_prefix(1);
  if (s.starts_with('+') || s.starts_with('-')) s.remove_prefix(1);
  return digits() > 0 && s.empty();
}

bool JsonReader::number(JsonNode& out) {
  const Token token = next();
  const std::string_view text = file_.text(token.span);
  const auto number = is_json_number(text) ? Number::parse(text) : std::nullopt;
  if (!number) {
    fail(token.span, "Invalid JSON number",
         "This is no number of JSON, or it has more than 512 digits or an exponent above 1000.");
    return false;
  }
  out.kind = JsonNode::Kind::number;
  out.value = Value::number(*number);
  return true;
}

void JsonReader::bad_string(const Token& token, std::size_t offset) {
  Range at{file_.name(), token.start, token.start};
  at.start.byte += static_cast<std::uint32_t>(offset);
  at.start.column += static_cast<std::uint32_t>(offset);
  at.end = at.start;
  at.end.byte += kShortError;
  at.end.column += kShortError;
  diagnostics_.push_back({.summary = "Invalid JSON string",
                          .detail = "The string has no closing quote, or a backslash is not followed by one of "
                                    "\" \\ / b f n r t or uNNNN.",
                          .subject = at,
                          .context = {}});
}

std::optional<std::uint32_t> hex4(std::string_view s) {
  std::uint32_t code = 0;
  if (s.size() < 4) return std::nullopt;
  const auto [end, problem] = std::from_chars(s.data(), s.data() + 4, code, 16);
  return problem == std::errc() && end == s.data() + 4 ? std::optional(code) : std::nullopt;
}

/// One escape at the start of s: bytes taken; 0 with the place of what is wrong in bad.
std::size_t json_escape(std::string_view s, std::string& out, std::size_t& bad) {
  constexpr std::string_view kNames = "\"\\/bfnrt";
  constexpr std::string_view kValues = "\"\\/\b\f\n\r\t";
  bad = 1;
  if (s.size() < 2) return 0;
  if (const std::size_t which = kNames.find(s[1]); which != std::string_view::npos) {
    out += kValues[which];
    return 2;
  }
  if (s[1] != 'u') return 0;
  const auto code = hex4(s.substr(2));
  if (!code) {
    bad = 2 + std::min(s.substr(2).find_first_not_of("0123456789abcdefABCDEF"), s.size() - 2);
    return 0;
  }
  std::uint32_t point = *code;
  std::size_t taken = 6;
  if (U16_IS_LEAD(point) && s.substr(6).starts_with("\\u")) {
    const auto trail = hex4(s.substr(8));
    if (trail && U16_IS_TRAIL(*trail)) {
      point = static_cast<std::uint32_t>(U16_GET_SUPPLEMENTARY(point, *trail));
      taken = 12;
    }
  }
  if (U_IS_SURROGATE(point)) point = 0xFFFD;
  char utf8[U8_MAX_LENGTH];
  std::int32_t length = 0;
  U8_APPEND_UNSAFE(utf8, length, point);
  out.append(utf8, static_cast<std::size_t>(length));
  return taken;
}

bool JsonReader::string(JsonNode& out) {
  const Token token = next();
  const std::string_view whole = file_.text(token.span);
  std::string_view s = whole.substr(1);
  while (!s.empty() && s != "\"") {
    const std::size_t plain = std::min(s.find('\\'), s.size());
    const bool closed = plain == s.size() && s.ends_with('"');
    out.text += s.substr(0, closed ? plain - 1 : plain);
    s.remove_prefix(closed ? plain - 1 : plain);
    if (s.empty() || closed) break;
    std::size_t bad = 0;
    const std::size_t taken = json_escape(s, out.text, bad);
    if (taken == 0) {
      const auto at = static_cast<std::size_t>(s.data() - whole.data());
      bad_string(token, std::min(at + bad + 1, whole.size()));
      return false;
    }
    s.remove_prefix(taken);
  }
  if (s != "\"") {
    bad_string(token, whole.size());
    return false;
  }
  out.kind = JsonNode::Kind::string;
  return true;
}

bool JsonReader::word(JsonNode& out) {
  const Token token = next();
  const std::string text(file_.text(token.span));
  if (text == "null") {
    out.kind = JsonNode::Kind::null;
  } else if (text == "true" || text == "false") {
    out.kind = JsonNode::Kind::boolean;
    out.value = Value::boolean(text == "true");
  } else {
    const auto near = nearest(text, {"true", "false", "null"});
    fail(token.span, "Invalid JSON keyword",
         "The words of JSON are true, false and null." + (near ? " Did you mean \"" + *near + "\"?" : std::string()));
    return false;
  }
  return true;
}

}  // namespace

std::shared_ptr<const JsonNode> read_json(const SourceFile& file, Diagnostics& diagnostics) {
  JsonReader reader(file, diagnostics);
  const std::size_t before = diagnostics.size();
  auto root = std::make_shared<JsonNode>(reader.value());
  if (diagnostics.size() == before) reader.only_end();
  if (root->kind != JsonNode::Kind::object && root->kind != JsonNode::Kind::array) {
    diagnostics.push_back({.summary = "Root value must be object",
                           .detail = "A JSON file holds an object, or an array of objects.",
                           .subject = file.range(root->start()),
                           .context = {}});
    root->kind = JsonNode::Kind::object;
    root->open = root->close = root->span = {0, 0};
  }
  return root;
}

}  // namespace kiln::tmpl
