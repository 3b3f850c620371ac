// The functions of Go's engine in HCL2's own words, for templates that are written down (hcl2_upgrade): calls of what
// the template says are worked out, others become what means the same for every value. What has no such form is
// refused.
#include <fmt/format.h>
#include <re2/re2.h>

#include <algorithm>
#include <set>

#include "template/expr_copy.h"
#include "template/go_calls.h"
#include "template/go_functions.h"
#include "template/template.h"

namespace kiln::tmpl {

namespace {

constexpr std::size_t kMaxCopied = 500;  // nodes of an expression that stands twice

constexpr std::string_view kBroken = "\uFFFD";  // stands for bytes that are no character

const char* type_name(GoType type) {
  static constexpr const char* kNames[] = {"any", "string", "int", "float64", "bool", "nil"};
  return kNames[static_cast<std::size_t>(type)];
}

Result<Value> called(const std::string& name, Arguments arguments) {
  const World world;
  FunctionContext context(world);
  const FunctionTable& table = name.starts_with(kGoPrefix) ? go_functions() : functions();
  return call_function(name, table.at(name), arguments, context);
}

/// A call of values. Names: those of old templates.
Result<Value> answer_of(const std::string& name, const std::vector<Value>& a) {
  if (name == "upper" || name == "lower") return called(name, a);
  if (name == "urlquery") return called("urlencode", std::array{TRY(called("go print", a))});
  if (name == "replace_all") return called("go replace", std::array{a[0], a[1], Value::number(-1), a[2]});
  if (name != "split") return called(std::string(kGoPrefix) + name, a);
  const Value parts = TRY(called("split", std::array{a[1], a[0]}));
  const auto at = a[2].number().to_int();
  const auto size = static_cast<std::int64_t>(parts.elements().size());
  if (!at || *at < 0 || *at >= size) return error(Errc::bad_template, "there are {} parts", size);
  return parts.elements()[static_cast<std::size_t>(*at)];
}

void refuse(std::string& problem, std::string why) {
  if (problem.empty()) problem = std::move(why);
}

}  // namespace

/// A call of nothing but what the template says.
std::optional<GoValue> GoCalls::worked_out(const std::string& name, const Values& a, std::string& problem) const {
  static const std::set<std::string> kOfPacker = {"upper", "lower", "split", "replace", "replace_all"};
  const bool is_own = go_functions().contains(std::string(kGoPrefix) + name) || name == "urlquery";
  if (!is_own && !kOfPacker.contains(name)) return std::nullopt;
  std::vector<Value> values;
  for (const GoValue& v : a) {
    if (!v.constant) return std::nullopt;
    values.push_back(*v.constant);
  }
  auto answer = answer_of(name, values);
  if (!answer) refuse(problem, fmt::format("{} cannot be called so: {}", name, answer.error().text()));
  if (!answer) return string("");
  const bool cut = name == "slice" && answer->text().find(kBroken) != std::string::npos &&
                   a[0].constant->text().find(kBroken) == std::string::npos;
  if (cut) refuse(problem, "slice cuts a character apart, which no text of HCL2 can hold");
  return constant(*answer);
}

/// The value once more.
GoValue GoCalls::copy(const GoValue& value, std::string& problem) const {
  GoValue out{expr_copy(*value.expr, kMaxCopied), value.type, value.constant, {}, value.depth};
  if (value.condition) out.condition = expr_copy(*value.condition, kMaxCopied);
  if (out.expr && (!value.condition || out.condition)) return out;
  refuse(problem, "a value that is needed twice is too long to be written down twice");
  return string("");
}

/// A template of nothing but one number or truth would be that, and no text.
ExprPtr GoCalls::as_text(GoValue value) const {
  const bool apart = value.type == GoType::integer || value.type == GoType::boolean;
  if (!context_.symbolic || !apart || value.constant) return output(std::move(value));
  return function("format", values_of(string("%v"), std::move(value)));
}

/// One behind the other.
GoValue GoCalls::joined(Values parts) const {
  std::erase_if(parts, [](const GoValue& v) { return v.type == GoType::text && v.constant == Value::string(""); });
  if (parts.empty()) return string("");
  if (parts.size() == 1 && parts[0].constant) return string(go_plain(*parts[0].constant));
  TemplateExpr out;
  const bool alone = parts.size() == 1;
  for (GoValue& v : parts) out.parts.push_back(alone ? as_text(std::move(v)) : output(std::move(v)));
  return {make(std::move(out)), GoType::text};
}

/// eq, ne: for values of one type. eq asks whether the first is one of the others.
GoValue GoCalls::compared(const std::string& name, Values a, std::string& problem) const {
  for (const GoValue& v : a) {
    if (v.type == GoType::any) refuse(problem, name + " is given what may be of one type or another");
    if (v.type != a[0].type || v.type == GoType::nil)
      refuse(problem, fmt::format("{} is given incompatible types for comparison", name));
  }
  if (a.size() == 2) {
    const Op op = name == "eq" ? Op::equal : Op::not_equal;
    return {binary(std::move(a[0].expr), op, std::move(a[1].expr)), GoType::boolean};
  }
  TupleExpr others;
  for (std::size_t i = 1; i < a.size(); ++i) others.elements.push_back(std::move(a[i].expr));
  return {function("contains", values_of(GoValue{make(std::move(others))}, std::move(a[0]))), GoType::boolean};
}

/// lt, le, gt, ge. HCL2 compares numbers alone, but sort() puts texts into Go's order.
GoValue GoCalls::ordered(const std::string& name, Values a, std::string& problem) const {
  const GoType type = a[0].type;
  if (type == GoType::integer && a[1].type == type) {
    const Op op = name == "lt" ? Op::less : name == "le" ? Op::at_most : name == "gt" ? Op::greater : Op::at_least;
    return {binary(std::move(a[0].expr), op, std::move(a[1].expr)), GoType::boolean};
  }
  if (type != GoType::text || a[1].type != type)
    refuse(problem, fmt::format("{} is given values for whose order HCL2 has no function", name));
  const bool first = name == "gt" || name == "le";  // is the first, or is not the first, in their order
  GoValue wanted = copy(a[first ? 0 : 1], problem);
  TupleExpr both;
  for (GoValue& v : a) both.elements.push_back(std::move(v.expr));
  ExprPtr sorted = function("sort", values_of(GoValue{make(std::move(both))}));
  const Op op = name == "le" || name == "ge" ? Op::equal : Op::not_equal;
  return {binary(element(std::move(sorted), number("0", false).expr), op, std::move(wanted.expr)), GoType::boolean};
}

/// Whether what or (true decides) and and (false does) choose is true.
ExprPtr GoCalls::any_or_all(bool decides, const Values& a, std::string& problem) const {
  const auto last = known_truth(a.back());
  if (last && *last == decides) return boolean(decides).expr;
  BinaryExpr all{truth(copy(a[0], problem)), {}};
  for (std::size_t i = 1; i + (last ? 1 : 0) < a.size(); ++i)
    all.rest.push_back({decides ? Op::logical_or : Op::logical_and, truth(copy(a[i], problem))});
  return all.rest.empty() ? std::move(all.first) : make(std::move(all));
}

/// or (true decides), and (false does): the first argument that decides, else the last.
GoValue GoCalls::choice(bool decides, Values arguments, std::string& problem) const {
  Values a;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const auto known = known_truth(arguments[i]);
    if (known && *known != decides && i + 1 < arguments.size()) continue;
    a.push_back(std::move(arguments[i]));
    if (known && *known == decides) break;
  }
  if (a.size() == 1) return std::move(a[0]);
  const GoType type =
      std::all_of(a.begin(), a.end(), [&](const GoValue& v) { return v.type == a[0].type; }) ? a[0].type : GoType::any;
  GoValue out{.expr = nullptr, .type = type, .constant = {}, .condition = any_or_all(decides, a, problem)};
  if (type == GoType::boolean) {
    out.expr = std::move(out.condition);
    return out;
  }
  const auto written = [&](GoValue v) { return type == GoType::any ? as_text(std::move(v)) : std::move(v.expr); };
  out.expr = written(std::move(a.back()));
  for (std::size_t i = a.size() - 1; i-- > 0;) {
    ExprPtr holds = truth(copy(a[i], problem));
    ExprPtr own = written(std::move(a[i]));
    ExprPtr& yes = decides ? own : out.expr;
    ExprPtr& no = decides ? out.expr : own;
    out.expr = conditional(std::move(holds), std::move(yes), std::move(no));
  }
  return out;
}

/// print, println: a space between two values that are no texts, or between all.
GoValue GoCalls::printed(Values a, bool line, std::string& problem) const {
  Values all;
  GoType before = GoType::text;
  for (GoValue& v : a) {
    const bool apart = before != GoType::text && v.type != GoType::text;
    if (apart && !line && (before == GoType::any || v.type == GoType::any))
      refuse(problem, "a value is printed beside another, and it is not known whether one of them is a text");
    if (apart || (line && &v != a.data())) all.push_back(string(" "));
    before = v.type;
    all.push_back(std::move(v));
  }
  if (line) all.push_back(string("\n"));
  return joined(std::move(all));
}

/// html: one replace() around the other, & first.
GoValue GoCalls::escaped(GoValue value) const {
  static constexpr std::pair<const char*, const char*> kEscapes[] = {
      {"&", "&amp;"}, {"\"", "&#34;"}, {"'", "&#39;"}, {"<", "&lt;"}, {">", "&gt;"}};
  for (const auto& [plain, escape] : kEscapes)
    value = {function("replace", values_of(std::move(value), string(plain), string(escape))), GoType::text};
  return value;
}

namespace {

constexpr std::string_view kVerbs[] = {"", "svxXqT", "dvboOxXcqUT", "", "tvT", ""};  // that fit a value, by GoType

/// A width, and for numbers signs: what format() of HCL2 knows as Go does.
bool is_plain_flags(const std::string& flags, const std::string& verb) {
  static const RE2 kPlain("-?[0-9]*");
  static const RE2 kSigns("[-+ 0]*[0-9]*");
  return RE2::FullMatch(flags, verb == "d" ? kSigns : kPlain);
}

/// What format() of HCL2 does with a value as Go's printf does.
bool formats_alike(GoType type, const std::string& flags, const std::string& verb) {
  const bool zero = flags.starts_with('0') || flags.starts_with("-0");
  if (type == GoType::text) return (verb == "s" && !zero) || (verb == "v" && flags.empty());
  if (type == GoType::integer) return verb == "d" || (flags.empty() && (verb == "v" || verb == "x" || verb == "X"));
  return type == GoType::boolean && flags.empty() && (verb == "t" || verb == "v");
}

struct PrintfVerb {
  std::string before, flags, verb;  // flags: with width and precision
};

/// What stands before the next verb, and the verb; nothing at the end, and for what takes arguments out of order.
std::optional<PrintfVerb> next_verb(re2::StringPiece& format) {
  static const RE2 kVerb(R"((?s)([^%]*)%([-+# 0]*[0-9]*(?:\.[0-9]*)?)([^*\[]))");
  PrintfVerb out;
  if (!RE2::Consume(&format, kVerb, &out.before, &out.flags, &out.verb)) return std::nullopt;
  return out;
}

/// Whether format() of HCL2 makes of these arguments what printf does.
bool is_plain_format(const std::string& format, const std::vector<GoValue>& a) {
  re2::StringPiece rest(format);
  std::size_t used = 1;
  for (auto verb = next_verb(rest); verb; verb = next_verb(rest)) {
    if (verb->verb == "%" && verb->flags.empty()) continue;
    if (used == a.size() || !is_plain_flags(verb->flags, verb->verb)) return false;
    if (a[used].constant && !verb->flags.empty()) return false;  // its width can be worked out
    if (!formats_alike(a[used++].type, verb->flags, verb->verb)) return false;
  }
  return used == a.size() && rest.find('%') == re2::StringPiece::npos;
}

std::string go_text_of(const std::string& format, std::vector<Value> arguments) {
  const auto out = go_printf(format, arguments);
  return out ? *out : std::string();
}

}  // namespace

/// One verb with what it formats.
void GoCalls::formatted_part(const std::string& flags, const std::string& verb, GoValue value, Values& out,
                             std::string& problem) const {
  const std::string format = "%" + flags + verb;
  const GoType type = value.type;
  const bool plain = flags.empty() && (formats_alike(type, flags, verb) || verb == "v") && verb != "x" && verb != "X";
  const bool sure = type == GoType::text || type == GoType::integer || type == GoType::boolean;
  if (value.constant) {
    out.push_back(string(go_text_of(format, {*value.constant})));
  } else if (plain) {
    out.push_back(std::move(value));
  } else if (verb == "T" && sure) {
    out.push_back(string(go_text_of("%" + flags + "s", {Value::string(type_name(type))})));
  } else if (formats_alike(type, flags, verb) && is_plain_flags(flags, verb)) {
    out.push_back({function("format", values_of(string(format), std::move(value))), GoType::text});
  } else if (flags.empty() && sure && kVerbs[static_cast<std::size_t>(type)].find(verb) == std::string_view::npos) {
    out.push_back(string(fmt::format("%!{}({}=", verb, type_name(type))));
    out.push_back(std::move(value));
    out.push_back(string(")"));
  } else {
    refuse(
        problem,
        fmt::format("printf is given a value that only a build knows for {}, for which HCL2 has no function", format));
  }
}

/// printf: one format(), or the text around what is formatted.
GoValue GoCalls::formatted(Values a, std::string& problem) const {
  if (a[0].type != GoType::text || !a[0].constant) {
    refuse(problem, "printf has a format that only a build knows, for which HCL2 has no function");
    return string("");
  }
  const std::string format = a[0].constant->text();
  if (is_plain_format(format, a)) return {function("format", std::move(a)), GoType::text};
  Values out;
  std::size_t used = 1;
  re2::StringPiece rest(format);
  for (auto verb = next_verb(rest); verb; verb = next_verb(rest)) {
    out.push_back(string(verb->before));
    if (verb->verb != "%" && used < a.size()) {
      formatted_part(verb->flags, verb->verb, std::move(a[used++]), out, problem);
    } else {
      out.push_back(string(go_text_of("%" + verb->flags + verb->verb, {})));
    }
  }
  const std::string tail(rest);
  const std::size_t percent = tail.find('%');
  if (percent != std::string::npos && tail.find_first_of("*[", percent) != std::string::npos)
    refuse(problem, "printf takes its arguments by number, for which HCL2 has no function");
  out.push_back(string(go_text_of(tail, {})));
  for (std::size_t i = used; i < a.size(); ++i) {  // what no verb asked for
    const std::string before = i == used ? "%!(EXTRA " : ", ";
    if (a[i].type == GoType::any) refuse(problem, "printf is given more than it asks for");
    out.push_back(string(before + (a[i].type == GoType::nil ? "" : std::string(type_name(a[i].type)) + "=")));
    out.push_back(std::move(a[i]));
  }
  if (used < a.size()) out.push_back(string(")"));
  return joined(std::move(out));
}

/// len, index, slice, js: Go's count bytes. In a query each that is no plain character stands as %XX.
GoValue GoCalls::part_of(const std::string& name, Values a, std::string& problem) const {
  if (a.size() == 1 && (name == "index" || (name == "slice" && a[0].type == GoType::text))) return std::move(a[0]);
  if (name == "len" && a[0].type == GoType::text) {
    GoValue query{function("urlencode", std::move(a))};
    GoValue bytes{function("regex_replace", values_of(std::move(query), string("%.."), string("-")))};
    return {function("length", values_of(std::move(bytes))), GoType::integer};
  }
  refuse(problem, fmt::format("{} is given what only a build knows, for which HCL2 has no function", name));
  return string("");
}

/// replace old new n s. The first n: what stands between the places is put together again, with the new text before the
/// first parts and the old one before the others.
GoValue GoCalls::replaced(Values a, std::string& problem) const {
  const auto n = a[2].constant ? a[2].constant->number().to_int() : std::nullopt;
  if (n && *n < 0) {
    std::rotate(a.begin(), a.begin() + 3, a.end());
    a.pop_back();
    return {function("replace", std::move(a)), GoType::text};
  }
  if (n && *n == 0) return std::move(a[3]);
  if (!n || !a[0].constant) {
    refuse(problem, "replace is called with a count and a text that only a build knows; use replace_all");
    return string("");
  }
  const bool everywhere = a[0].constant->text().empty();  // before each character and at the end
  const auto index = [&] { return make(NameExpr{"i"}); };
  ExprPtr before = conditional(binary(index(), everywhere ? Op::less : Op::at_most, constant(Value::number(*n)).expr),
                               std::move(a[1].expr), text(a[0].constant->text()));
  if (!everywhere)
    before = conditional(binary(index(), Op::equal, number("0", false).expr), text(""), std::move(before));
  ForExpr loop;
  loop.key_name = "i";
  loop.value_name = "part";
  loop.collection = function("split", values_of(std::move(a[0]), std::move(a[3])));
  if (everywhere) {
    TupleExpr end;
    end.elements.push_back(text(""));
    loop.collection = function("concat", values_of(GoValue{std::move(loop.collection)}, GoValue{make(std::move(end))}));
  }
  TemplateExpr part;
  part.parts.push_back(std::move(before));
  part.parts.push_back(make(NameExpr{"part"}));
  loop.value = make(std::move(part));
  return {function("join", values_of(string(""), GoValue{make(std::move(loop))})), GoType::text};
}

/// A function of Go's engine as HCL2 has it; not every one has a counterpart.
GoValue GoCalls::written_down(const std::string& name, Values a, std::string& problem) const {
  if (auto answer = worked_out(name, a, problem)) return std::move(*answer);
  if (name == "eq" || name == "ne") return compared(name, std::move(a), problem);
  if (name == "lt" || name == "le" || name == "gt" || name == "ge") return ordered(name, std::move(a), problem);
  if (name == "and" || name == "or") return choice(name == "or", std::move(a), problem);
  if (name == "not") return {make(UnaryExpr{{{'!', at_.begin}}, truth(std::move(a[0]))}), GoType::boolean};
  if (name == "print" || name == "println") return printed(std::move(a), name == "println", problem);
  if (name == "html") return escaped(printed(std::move(a), false, problem));
  if (name == "urlquery")
    return {function("urlencode", values_of(printed(std::move(a), false, problem))), GoType::text};
  if (name == "printf") return formatted(std::move(a), problem);
  return part_of(name, std::move(a), problem);
}

}  // namespace kiln::tmpl
