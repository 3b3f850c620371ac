// Regular expressions by RE2, whose syntax and leftmost-first matches are those of Go. Go's named group (?<name>...) is
// rewritten to the (?P<name>...) that this RE2 knows.
#include <re2/re2.h>
#include <unicode/utf8.h>

#include <memory>

#include "base/text.h"
#include "template/functions_support.h"

namespace kiln::tmpl {

namespace {

using Groups = std::vector<re2::StringPiece>;

std::string with_p_names(std::string_view pattern) {
  std::string out;
  bool in_class = false;
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    const char c = pattern[i];
    out += c;
    if (c == '\\' && i + 1 < pattern.size()) {
      out += pattern[++i];
    } else if (c == '[') {
      in_class = true;
    } else if (c == ']') {
      in_class = false;
    } else if (c == '(' && !in_class && pattern.substr(i + 1, 2) == "?<") {
      out += "?P";
      ++i;
    }
  }
  return out;
}

/// Whether a pattern has \C, which is for any byte: RE2 knows it, Go does not.
bool has_any_byte(std::string_view pattern) {
  for (std::size_t i = pattern.find('\\'); i != std::string_view::npos; i = pattern.find('\\', i + 2)) {
    const char c = i + 1 < pattern.size() ? pattern[i + 1] : '\0';
    if (c == 'C') return true;
    if (c == 'Q') i = pattern.find("\\E", i + 2);
    if (i == std::string_view::npos) return false;
  }
  return false;
}

Result<std::shared_ptr<const RE2>> compile(const std::string& pattern, std::size_t index, FunctionContext& context) {
  RE2::Options options;
  options.set_log_errors(false);
  if (has_any_byte(pattern)) return context.bad_argument(index, "invalid regexp pattern: invalid escape sequence: \\C");
  auto re = std::make_shared<const RE2>(with_p_names(pattern), options);
  if (!re->ok()) return context.bad_argument(index, "invalid regexp pattern: {}", re->error());
  return re;
}

/// Names of the groups by number; empty where a group has none.
std::vector<std::string> group_names(const RE2& re) {
  std::vector<std::string> names(static_cast<std::size_t>(re.NumberOfCapturingGroups()) + 1);
  for (const auto& [number, name] : re.CapturingGroupNames()) names[static_cast<std::size_t>(number)] = name;
  return names;
}

/// A string without groups, a tuple of unnamed groups, an object of named ones.
Result<Type> match_type(const RE2& re, FunctionContext& context) {
  const std::vector<std::string> names = group_names(re);
  const std::size_t named = re.CapturingGroupNames().size();
  if (names.size() == 1) return Type::string();
  if (named == 0) return Type::tuple(std::vector<Type>(names.size() - 1, Type::string()));
  if (named != names.size() - 1)
    return context.bad_argument(0, "invalid regexp pattern: cannot mix both named and unnamed capture groups");
  std::map<std::string, Type> attributes;
  for (std::size_t i = 1; i < names.size(); ++i) attributes[names[i]] = Type::string();
  return Type::object(std::move(attributes));
}

Value text_of(const re2::StringPiece& group) {
  if (group.data() == nullptr) return Value::null(Type::string());  // the group took no part in the match
  return Value::string({group.data(), group.size()});
}

Value match_value(const RE2& re, const Groups& groups, const Type& type) {
  if (type.is(Kind::string)) return text_of(groups[0]);
  Value::Elements elements;
  for (std::size_t i = 1; i < groups.size(); ++i) elements.push_back(text_of(groups[i]));
  if (type.is(Kind::tuple)) return Value::tuple(std::move(elements));
  Value::Entries entries;
  const std::vector<std::string> names = group_names(re);
  for (std::size_t i = 1; i < groups.size(); ++i) entries[names[i]] = elements[i - 1];
  return Value::object(std::move(entries));
}

bool match_at(const RE2& re, std::string_view text, std::size_t start, Groups& groups) {
  groups.assign(static_cast<std::size_t>(re.NumberOfCapturingGroups()) + 1, {});
  return re.Match({text.data(), text.size()}, start, text.size(), RE2::UNANCHORED, groups.data(),
                  static_cast<int>(groups.size()));
}

std::size_t rune_bytes(std::string_view text, std::size_t at) {
  if (at >= text.size()) return 1;
  auto end = static_cast<std::int32_t>(at);
  U8_FWD_1(text.data(), end, static_cast<std::int32_t>(text.size()));
  return static_cast<std::size_t>(end) - at;
}

/// Calls visit(groups, start, end) for each match that does not overlap an earlier one; an empty match right behind
/// another match does not count. visit says whether to go on.
template <class F>
void each_match(const RE2& re, std::string_view text, F visit) {
  Groups groups;
  std::size_t before = std::string_view::npos;
  for (std::size_t at = 0; at <= text.size() && match_at(re, text, at, groups);) {
    const auto start = static_cast<std::size_t>(groups[0].data() - text.data());
    const std::size_t end = start + groups[0].size();
    const bool empty_behind = start == end && start == before;
    at = end == at ? at + rune_bytes(text, at) : end;
    before = end;
    if (!empty_behind && !visit(groups, start, end)) return;
  }
}

Result<Type> regex_type(Arguments a, FunctionContext& context) {
  if (!a[0].is_known()) return Type();
  const auto re = TRY(compile(a[0].text(), 0, context));
  return match_type(*re, context);
}

Result<Value> regex(Arguments a, FunctionContext& context) {
  const auto re = TRY(compile(a[0].text(), 0, context));
  const Type type = TRY(match_type(*re, context));
  Groups groups;
  if (!match_at(*re, a[1].text(), 0, groups))
    return error(Errc::bad_template, "pattern did not match any part of the given string");
  return match_value(*re, groups, type);
}

Result<Value> regexall(Arguments a, FunctionContext& context) {
  const auto re = TRY(compile(a[0].text(), 0, context));
  const Type type = TRY(match_type(*re, context));
  Value::Elements out;
  each_match(*re, a[1].text(), [&](const Groups& groups, std::size_t, std::size_t) {
    out.push_back(match_value(*re, groups, type));
    return out.size() <= kMaxCollection;
  });
  TRY(check_elements(out.size()));
  return Value::list(type, std::move(out));
}

bool is_word(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

/// The text of the group with this number or name; a group that there is not has none.
std::string_view group_text(const RE2& re, const Groups& groups, const std::string& name) {
  std::size_t number = groups.size();
  if (name.size() < 6 && name.find_first_not_of("0123456789") == std::string::npos) {
    number = static_cast<std::size_t>(std::stoul(name));
  } else if (const auto it = re.NamedCapturingGroups().find(name); it != re.NamedCapturingGroups().end()) {
    number = static_cast<std::size_t>(it->second);
  }
  if (number >= groups.size() || groups[number].data() == nullptr) return {};
  return {groups[number].data(), groups[number].size()};
}

/// Adds the replacement with $1, ${1}, $name, ${name} and $$ filled in, as Go's Regexp.Expand does.
void expand(const RE2& re, const Groups& groups, std::string_view replacement, std::string& out) {
  while (!replacement.empty()) {
    const std::size_t dollar = replacement.find('$');
    out += replacement.substr(0, dollar);
    if (dollar == std::string_view::npos) return;
    replacement.remove_prefix(dollar + 1);
    if (replacement.starts_with('$')) {
      out += '$';
      replacement.remove_prefix(1);
      continue;
    }
    const bool brace = replacement.starts_with('{');
    std::size_t end = brace ? 1 : 0;
    while (end < replacement.size() && is_word(replacement[end])) ++end;
    const std::string name(replacement.substr(brace ? 1 : 0, end - (brace ? 1 : 0)));
    const bool closed = !brace || (end < replacement.size() && replacement[end] == '}');
    if (name.empty() || !closed) {
      out += '$';  // not a reference: the text stays
      continue;
    }
    out += group_text(re, groups, name);
    replacement.remove_prefix(end + (brace ? 1 : 0));
  }
}

Result<Value> regex_replace(Arguments a, FunctionContext& context) {
  const auto re = TRY(compile(a[1].text(), 1, context));
  const std::string& text = a[0].text();
  std::string out;
  std::size_t done = 0;
  each_match(*re, text, [&](const Groups& groups, std::size_t start, std::size_t end) {
    out.append(text, done, start - done);
    expand(*re, groups, a[2].text(), out);
    done = end;
    return out.size() <= kMaxString;
  });
  out.append(text, done);
  return text_value(out);
}

}  // namespace

void add_regex_functions(FunctionTable& t) {
  const std::vector<Parameter> parameters = {text_parameter("pattern"), text_parameter("string")};
  const auto list_type = [](Arguments a, FunctionContext& context) -> Result<Type> {
    return Type::list(TRY(regex_type(a, context)));
  };
  t["regex"] = {.parameters = parameters, .result_of = regex_type, .call = regex};
  t["regexall"] = {.parameters = parameters, .result_of = list_type, .call = regexall};
  t["regex_replace"] = {.parameters = {text_parameter("str"), text_parameter("pattern"), text_parameter("replace")},
                        .result = Type::string(),
                        .call = regex_replace};
}

}  // namespace kiln::tmpl
