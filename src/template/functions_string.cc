#include <unicode/brkiter.h>
#include <unicode/uchar.h>
#include <unicode/utext.h>
#include <unicode/utf8.h>

#include <algorithm>
#include <memory>

#include "template/functions_support.h"

namespace kiln::tmpl {

namespace {

/// Calls visit(code point, its bytes) for each code point; strings of the language are well-formed UTF-8.
template <class F>
void each_rune(std::string_view s, F visit) {
  for (std::size_t i = 0; i < s.size();) {
    const std::size_t start = i;
    auto at = static_cast<std::int32_t>(i);
    UChar32 c = 0;
    U8_NEXT_OR_FFFD(s.data(), at, static_cast<std::int32_t>(s.size()), c);
    i = static_cast<std::size_t>(at);
    visit(c, s.substr(start, i - start));
  }
}

void append_rune(std::string& out, UChar32 c) {
  char buffer[U8_MAX_LENGTH];
  std::int32_t n = 0;
  U8_APPEND_UNSAFE(buffer, n, c);
  out.append(buffer, static_cast<std::size_t>(n));
}

/// Where each grapheme cluster ends, in bytes.
std::vector<std::size_t> grapheme_ends(std::string_view s) {
  std::vector<std::size_t> ends;
  const bool simple =
      std::all_of(s.begin(), s.end(), [](char c) { return static_cast<signed char>(c) >= 0 && c != '\r'; });
  if (simple) {
    for (std::size_t i = 1; i <= s.size(); ++i) ends.push_back(i);
    return ends;
  }
  UErrorCode status = U_ZERO_ERROR;
  const std::unique_ptr<icu::BreakIterator> it(
      icu::BreakIterator::createCharacterInstance(icu::Locale::getRoot(), status));
  UText* text = utext_openUTF8(nullptr, s.data(), static_cast<std::int64_t>(s.size()), &status);
  if (U_SUCCESS(status)) it->setText(text, status);
  if (U_SUCCESS(status)) {
    for (std::int32_t end = it->next(); end != icu::BreakIterator::DONE; end = it->next())
      ends.push_back(static_cast<std::size_t>(end));
  }
  utext_close(text);
  return ends;
}

template <UChar32 (*map)(UChar32)>
Result<Value> map_runes(Arguments a, FunctionContext&) {
  std::string out;
  out.reserve(a[0].text().size());
  each_rune(a[0].text(), [&](UChar32 c, std::string_view) { append_rune(out, map(c)); });
  return text_value(out);
}

/// Whether a word ends at this code point (Go's strings.Title).
bool separates(UChar32 c) {
  if (c < 0x80) return !u_isalnum(c) && c != '_';
  return !u_isalpha(c) && !u_isdigit(c) && u_isUWhiteSpace(c);
}

Result<Value> title(Arguments a, FunctionContext&) {
  std::string out;
  UChar32 before = ' ';
  each_rune(a[0].text(), [&](UChar32 c, std::string_view) {
    append_rune(out, separates(before) ? u_totitle(c) : c);
    before = c;
  });
  return text_value(out);
}

/// What is left after all leading and trailing code points that drop() names are gone.
template <class Drop>
std::string_view trimmed(std::string_view s, Drop drop) {
  std::size_t begin = s.size();
  std::size_t end = 0;
  each_rune(s, [&](UChar32 c, std::string_view bytes) {
    if (drop(c)) return;
    const auto at = static_cast<std::size_t>(bytes.data() - s.data());
    begin = std::min(begin, at);
    end = at + bytes.size();
  });
  return begin >= end ? std::string_view() : s.substr(begin, end - begin);
}

Result<Value> trimspace(Arguments a, FunctionContext&) {
  return text_value(trimmed(a[0].text(), [](UChar32 c) { return u_isUWhiteSpace(c) != 0; }));
}

Result<Value> trim_runes(Arguments a, FunctionContext&) {
  std::vector<UChar32> cut;
  each_rune(a[1].text(), [&](UChar32 c, std::string_view) { cut.push_back(c); });
  std::sort(cut.begin(), cut.end());
  return text_value(trimmed(a[0].text(), [&](UChar32 c) { return std::binary_search(cut.begin(), cut.end(), c); }));
}

Result<Value> trimprefix(Arguments a, FunctionContext&) {
  std::string_view s = a[0].text();
  if (s.starts_with(a[1].text())) s.remove_prefix(a[1].text().size());
  return text_value(s);
}
Result<Value> trimsuffix(Arguments a, FunctionContext&) {
  std::string_view s = a[0].text();
  if (s.ends_with(a[1].text())) s.remove_suffix(a[1].text().size());
  return text_value(s);
}

Result<Value> chomp(Arguments a, FunctionContext&) {
  std::string_view s = a[0].text();
  while (!s.empty() && (s.back() == '\n' || s.back() == '\r')) s.remove_suffix(1);
  return text_value(s);
}

/// How often a text stands in s, without overlap; an empty one stands before each code point and at the end.
std::size_t occurrences(std::string_view s, std::string_view text) {
  std::size_t n = 0;
  if (text.empty()) {
    each_rune(s, [&](UChar32, std::string_view) { ++n; });
    return n + 1;
  }
  for (std::size_t at = s.find(text); at != std::string_view::npos; at = s.find(text, at + text.size())) ++n;
  return n;
}

/// s with every `from`, not empty, replaced; in one pass.
std::string replaced(std::string_view s, std::string_view from, std::string_view to) {
  std::string out;
  for (;;) {
    const std::size_t at = s.find(from);
    out += s.substr(0, at);
    if (at == std::string_view::npos) return out;
    out += to;
    s.remove_prefix(at + from.size());
  }
}

Result<Value> indent(Arguments a, FunctionContext& context) {
  const std::int64_t spaces = TRY(whole_number(a, 0, context));
  if (spaces < 0) return context.bad_argument(0, "the number of spaces must not be negative");
  const std::string& s = a[1].text();
  const std::size_t lines = occurrences(s, "\n");
  if (lines > 0 && static_cast<std::size_t>(spaces) > kMaxString / lines)
    return context.bad_argument(0, "the result would be longer than {} bytes", kMaxString);
  if (lines == 0) return text_value(s);
  return text_value(replaced(s, "\n", "\n" + std::string(static_cast<std::size_t>(spaces), ' ')));
}

/// An empty separator splits into code points.
Result<Value> split_text(Arguments a, FunctionContext&) {
  const std::string& separator = a[0].text();
  std::string_view s = a[1].text();
  TRY(check_elements(occurrences(s, separator)));
  std::vector<std::string> parts;
  if (separator.empty()) {
    each_rune(s, [&](UChar32, std::string_view bytes) { parts.emplace_back(bytes); });
  } else {
    for (std::size_t at = 0; at != std::string_view::npos;) {
      at = s.find(separator);
      parts.emplace_back(s.substr(0, at));
      if (at != std::string_view::npos) s.remove_prefix(at + separator.size());
    }
  }
  return Value::strings(parts);
}

Result<Value> join_lists(Arguments a, FunctionContext& context) {
  if (a.size() < 2) return error(Errc::bad_template, "at least one list is required");
  const std::string& separator = a[0].text();
  std::string out;
  bool first = true;
  for (std::size_t i = 1; i < a.size(); ++i) {
    for (std::size_t k = 0; k < a[i].length(); ++k) {
      const Value& v = a[i].elements()[k];
      if (v.is_null()) return context.bad_argument(i, "element {} is null; cannot concatenate null values", k);
      if (!first) out += separator;
      first = false;
      out += v.text();
      if (out.size() > kMaxString) return text_value(out);
    }
  }
  return text_value(out);
}

Result<Value> replace_text(Arguments a, FunctionContext&) {
  const std::string& s = a[0].text();
  const std::string& from = a[1].text();
  const std::string& to = a[2].text();
  const std::size_t places = occurrences(s, from);
  if (places > 0 && to.size() > kMaxString / places)
    return error(Errc::bad_template, "the result would be longer than {} bytes", kMaxString);
  if (!from.empty()) return text_value(replaced(s, from, to));
  std::string out = to;
  each_rune(s, [&](UChar32, std::string_view bytes) {
    out += bytes;
    out += to;
  });
  return text_value(out);
}

Result<Value> strrev(Arguments a, FunctionContext&) {
  const std::string& s = a[0].text();
  std::vector<std::size_t> ends = grapheme_ends(s);
  std::string out;
  out.reserve(s.size());
  for (std::size_t i = ends.size(); i-- > 0;) {
    const std::size_t start = i == 0 ? 0 : ends[i - 1];
    out.append(s, start, ends[i] - start);
  }
  return text_value(out);
}

Result<Value> substr(Arguments a, FunctionContext& context) {
  const std::string& s = a[0].text();
  std::int64_t offset = TRY(whole_number(a, 1, context));
  const std::int64_t length = TRY(whole_number(a, 2, context));
  const std::vector<std::size_t> ends = grapheme_ends(s);
  const auto total = static_cast<std::int64_t>(ends.size());
  if (offset >= 0 && length == 0) return text_value("");
  if (offset < 0) offset = offset < -total ? 0 : offset + total;
  if (offset >= total) return text_value("");
  // With a negative offset a length of 0 means the rest, as in go-cty.
  const std::int64_t count = length <= 0 ? total - offset : std::min(length, total - offset);
  const std::size_t begin = offset == 0 ? 0 : ends[static_cast<std::size_t>(offset - 1)];
  return text_value(std::string_view(s).substr(begin, ends[static_cast<std::size_t>(offset + count - 1)] - begin));
}

Result<Value> startswith(Arguments a, FunctionContext&) {
  return Value::boolean(a[0].text().starts_with(a[1].text()));
}
Result<Value> endswith(Arguments a, FunctionContext&) {
  return Value::boolean(a[0].text().ends_with(a[1].text()));
}
Result<Value> strcontains(Arguments a, FunctionContext&) {
  return Value::boolean(a[0].text().find(a[1].text()) != std::string::npos);
}

using Call = Result<Value> (*)(Arguments, FunctionContext&);

Function text_function(std::initializer_list<const char*> names, Call call, Type result = Type::string()) {
  Function f{.result = std::move(result), .call = call};
  for (const char* name : names) f.parameters.push_back(text_parameter(name));
  return f;
}

}  // namespace

void add_string_functions(FunctionTable& t) {
  t["chomp"] = text_function({"str"}, chomp);
  t["endswith"] = text_function({"str", "suffix"}, endswith, Type::boolean());
  t["indent"] = {
      .parameters = {number_parameter("spaces"), text_parameter("str")}, .result = Type::string(), .call = indent};
  t["join"] = {.parameters = {text_parameter("separator")},
               .rest = Parameter{.name = "lists", .type = Type::list(Type::string())},
               .result = Type::string(),
               .call = join_lists};
  t["lower"] = text_function({"str"}, map_runes<u_tolower>);
  t["replace"] = text_function({"str", "substr", "replace"}, replace_text);
  t["split"] = text_function({"separator", "str"}, split_text, Type::list(Type::string()));
  t["startswith"] = text_function({"str", "prefix"}, startswith, Type::boolean());
  t["strcontains"] = text_function({"str", "substr"}, strcontains, Type::boolean());
  t["strrev"] = text_function({"str"}, strrev);
  t["substr"] = {.parameters = {text_parameter("str"), number_parameter("offset"), number_parameter("length")},
                 .result = Type::string(),
                 .call = substr};
  t["title"] = text_function({"str"}, title);
  t["trim"] = text_function({"str", "cutset"}, trim_runes);
  t["trimprefix"] = text_function({"str", "prefix"}, trimprefix);
  t["trimspace"] = text_function({"str"}, trimspace);
  t["trimsuffix"] = text_function({"str", "suffix"}, trimsuffix);
  t["upper"] = text_function({"str"}, map_runes<u_toupper>);
}

}  // namespace kiln::tmpl
