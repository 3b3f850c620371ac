#include "template/go_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <memory>

#include "base/text.h"
#include "template/go_calls.h"
#include "template/go_tokens.h"
#include "template/parser.h"

namespace kiln::tmpl {

namespace {

struct Stored;
using StoredPtr = std::shared_ptr<const Stored>;

/// What names mean at a place: each variable has a slot of its own, so that one may hide another.
struct Names {
  std::map<std::string, std::size_t> variables;
  std::vector<StoredPtr> slots;
  StoredPtr dot;  // empty: the component's data
};

/// What a variable or dot stands for: a pipeline, read again at each use; or a choice of two.
struct Stored {
  bool data = false;  // of the component
  std::vector<GoToken> tokens = {};
  Names names = {};
  StoredPtr condition = {}, yes = {}, no = {};
};

constexpr std::size_t kMaxUses = 1000;      // of variables and dots in one text
constexpr std::size_t kMaxPieces = 10'000;  // of the templates that {{ template }} puts in

class GoText {
 public:
  GoText(const SourceFile& file, Span at, const std::string& text, const GoTextContext& context)
      : calls_(file, at, context), context_(context), text_(text) {}
  ExprPtr translate();
  const std::string& problem() const { return problem_; }

 private:
  using Values = std::vector<GoValue>;
  enum class Stop : std::uint8_t { end_of_text, end, otherwise };
  struct Pipeline {
    GoValue value;
    bool data = false;      // speaks of the component's data
    bool declares = false;  // a variable
    StoredPtr stored = {};
  };
  Stop list(Values& out, std::string& else_rest);
  void action(const GoPiece& piece, Values& out);
  GoValue head(const GoPiece& piece);
  void component_choice(const GoPiece& piece, Values yes, Values no, Values& out);
  void template_action(Values& out);
  void control(const GoPiece& piece, const std::string& word, Values& out);
  void otherwise(const std::string& word, const std::string& rest, Values& no);
  std::optional<Pipeline> range_head();
  void merge(const Names& outer, const Names& yes, const Names& no, const Pipeline& condition);
  std::optional<Pipeline> declaration();
  std::optional<Pipeline> pipeline();
  std::optional<Pipeline> command(std::optional<GoValue> last);
  bool arguments(Values& out, bool& data);
  std::optional<Pipeline> operand();
  std::optional<Pipeline> field(const std::string& text) const;
  std::optional<Pipeline> variable(const std::string& text);
  std::optional<Pipeline> stored(const Stored& what);
  std::optional<Pipeline> chosen(const Stored& what);
  bool at_end_of_command() const {
    return peek().kind == GoTok::end || peek().is(GoTok::sign, "|") || peek().is(GoTok::sign, ")");
  }
  bool at_function() const {
    return peek().kind == GoTok::word && peek().text != "true" && peek().text != "false" && peek().text != "nil";
  }
  const GoToken& peek(std::size_t further = 0) const {
    return tokens_[std::min(at_token_ + further, tokens_.size() - 1)];
  }
  GoToken next() { return tokens_[at_token_ + 1 < tokens_.size() ? at_token_++ : at_token_]; }
  void start(const std::string& action) {
    tokens_ = go_tokens(action, problem_);
    at_token_ = 0;
  }
  std::nullopt_t fail(std::string why) {
    if (problem_.empty()) problem_ = std::move(why);
    return std::nullopt;
  }
  GoValue written(const GoPiece& piece) const {  // an action, and what stands up to where the text was read
    const std::size_t begin = piece.after_else ? piece.end : piece.begin;
    const std::string head = piece.after_else ? "{{" + piece.text + "}}" : "";
    return calls_.string(head + text_.substr(begin, pieces_[at_piece_ - 1].end - begin));
  }

  GoCalls calls_;
  const GoTextContext& context_;
  const std::string& text_;
  std::vector<GoPiece> pieces_;
  GoTemplates templates_;
  std::size_t at_piece_ = 0, depth_ = 0, loops_ = 0, uses_ = 0, expanded_ = 0;
  std::vector<GoToken> tokens_;
  std::size_t at_token_ = 0;
  Names names_;
  std::string problem_;
};

/// A part of the component's data, or all of it.
std::optional<GoText::Pipeline> GoText::field(const std::string& text) const {
  if (context_.data == nullptr) return Pipeline{{}, true};
  const auto it = context_.data->find(text.substr(std::min<std::size_t>(1, text.size())));
  return it == context_.data->end() ? Pipeline{{}, true} : Pipeline{calls_.string(it->second), false};
}

std::optional<GoText::Pipeline> GoText::variable(const std::string& text) {
  const std::size_t dot = text.find('.');
  const std::string name = text.substr(0, dot);
  if (name == "$") return field(text.substr(1));
  const auto it = names_.variables.find(name);
  if (it == names_.variables.end()) return fail(fmt::format("there is no variable \"{}\"", name));
  const StoredPtr what = names_.slots[it->second];
  if (!what->data && dot != std::string::npos) return fail(fmt::format("\"{}\" has no parts", name));
  return stored(*what);
}

std::optional<GoText::Pipeline> GoText::operand() {
  const GoToken token = next();
  switch (token.kind) {
    case GoTok::field:
      if (!names_.dot || names_.dot->data) return field(token.text);
      if (token.text != ".") return fail(fmt::format("what the dot stands for has no \"{}\"", token.text));
      return stored(*StoredPtr(names_.dot));
    case GoTok::variable:
      return variable(token.text);
    case GoTok::text:
      return Pipeline{calls_.string(token.text), false};
    case GoTok::integer:
    case GoTok::real:
      return Pipeline{calls_.number(token.text, token.kind == GoTok::real), false};
    case GoTok::word:
      if (token.text == "nil") return Pipeline{calls_.nil(), false};
      if (token.text == "true" || token.text == "false") return Pipeline{calls_.boolean(token.text == "true"), false};
      break;
    case GoTok::end:
      return fail("an action lacks a value");
    default:
      break;
  }
  if (token.text != "(") return fail(fmt::format("\"{}\" cannot stand here in an action", token.text));
  auto inside = pipeline();
  if (inside && next().text != ")") return fail("a closing parenthesis is missing in an action");
  if (inside && peek().kind == GoTok::field && !peek().apart && !inside->data)
    return fail("a value in parentheses has no parts");
  return inside;
}

/// The pipeline that a variable or dot stands for, once more.
std::optional<GoText::Pipeline> GoText::stored(const Stored& what) {
  if (what.data) return Pipeline{{}, true};
  if (++uses_ > kMaxUses || ++depth_ > kMaxNesting) return fail("variables are used too often");
  std::optional<Pipeline> out;
  if (what.condition) {
    out = chosen(what);
  } else {
    const Names outer = std::exchange(names_, what.names);
    std::vector<GoToken> tokens = std::exchange(tokens_, what.tokens);
    const std::size_t at = std::exchange(at_token_, 0);
    out = pipeline();
    tokens_ = std::move(tokens);
    at_token_ = at;
    names_ = outer;
  }
  --depth_;
  return out;
}

/// What a variable is behind an {{ if }} that may have set it.
std::optional<GoText::Pipeline> GoText::chosen(const Stored& what) {
  auto condition = stored(*what.condition);
  auto yes = condition ? stored(*what.yes) : std::nullopt;
  auto no = yes ? stored(*what.no) : std::nullopt;
  if (!no) return std::nullopt;
  GoValue out = calls_.chosen(std::move(condition->value), std::move(yes->value), std::move(no->value), problem_);
  if (out.depth > kMaxNesting) return fail("variables are nested too deep");
  return Pipeline{std::move(out), false};
}

/// What follows a function up to the end of its command.
bool GoText::arguments(Values& out, bool& data) {
  while (problem_.empty() && !at_end_of_command()) {
    auto argument = at_function() ? std::optional(Pipeline{calls_.call(next().text, {}, problem_), false}) : operand();
    if (!argument || !problem_.empty()) return false;
    data = data || argument->data;
    out.push_back(std::move(argument->value));
  }
  return problem_.empty();
}

/// A function with its arguments, the result of the command before as the last one; or a value.
std::optional<GoText::Pipeline> GoText::command(std::optional<GoValue> last) {
  if (++depth_ > kMaxNesting) return fail("actions are nested too deep");
  std::optional<Pipeline> out;
  if (at_function()) {
    out.emplace();
    const std::string name = next().text;
    Values values;
    if (!arguments(values, out->data)) return std::nullopt;
    if (last) values.push_back(std::move(*last));
    if (!out->data) out->value = calls_.call(name, std::move(values), problem_);
  } else {
    if (peek().is(GoTok::word, "nil")) return fail("nil is not a command");
    out = operand();
    Values ignored;
    if (out && out->data) (void)arguments(ignored, out->data);
    if (out && !out->data && last) return fail("only a function can take what \"|\" gives it");
    if (out && !at_end_of_command()) return fail(fmt::format("\"{}\" is too much in an action", peek().text));
  }
  --depth_;
  return problem_.empty() ? std::move(out) : std::nullopt;
}

std::optional<GoText::Pipeline> GoText::pipeline() {
  auto out = command(std::nullopt);
  while (out && problem_.empty() && peek().is(GoTok::sign, "|")) {
    next();
    const bool data = out->data;
    auto further = command(std::move(out->value));
    if (further) further->data = further->data || data;
    out = std::move(further);
  }
  return problem_.empty() ? std::move(out) : std::nullopt;
}

/// A pipeline up to the end of its action, perhaps behind "$x :=" or "$x =".
std::optional<GoText::Pipeline> GoText::declaration() {
  std::string name;
  const bool declares = peek(1).is(GoTok::sign, ":") && peek(2).is(GoTok::sign, "=");
  const bool sets = peek().kind == GoTok::variable && (declares || peek(1).is(GoTok::sign, "="));
  if (sets) {
    name = next().text;
    at_token_ += declares ? 2 : 1;
    if (!declares && !names_.variables.contains(name)) return fail(fmt::format("there is no variable \"{}\"", name));
  }
  const auto from = tokens_.begin() + static_cast<std::ptrdiff_t>(at_token_);
  Stored what{.tokens = {from, tokens_.end()}, .names = names_};
  auto value = pipeline();
  if (value && peek().kind != GoTok::end) fail(fmt::format("\"{}\" is too much in an action", peek().text));
  if (!value || !problem_.empty()) return std::nullopt;
  what.data = value->data;
  value->declares = sets;
  value->stored = std::make_shared<const Stored>(std::move(what));
  if (declares && sets) names_.variables[name] = names_.slots.size();
  if (declares && sets) names_.slots.push_back(value->stored);
  if (!declares && sets) names_.slots[names_.variables[name]] = value->stored;
  return value;
}

/// What {{ range }} goes over: only the component's data has lists.
std::optional<GoText::Pipeline> GoText::range_head() {
  const StoredPtr data = std::make_shared<const Stored>(Stored{.data = true});
  std::vector<std::string> names;
  while (peek().kind == GoTok::variable && (peek(1).is(GoTok::sign, ",") || peek(1).is(GoTok::sign, ":"))) {
    names.push_back(next().text);
    if (next().text == ":") next();
  }
  auto out = declaration();
  if (out && !out->data) return fail("\"range\" needs a list, and only a component's data has lists");
  for (const std::string& name : names) {
    names_.variables[name] = names_.slots.size();
    names_.slots.push_back(data);
  }
  return out;
}

/// Behind an {{ if }}: the names from before it, with what its branches set.
void GoText::merge(const Names& outer, const Names& yes, const Names& no, const Pipeline& condition) {
  names_ = outer;
  const std::optional<bool> fixed = calls_.known_truth(condition.value);
  for (std::size_t i = 0; i < outer.slots.size(); ++i) {
    if (fixed || yes.slots[i] == no.slots[i]) {
      names_.slots[i] = fixed.value_or(true) ? yes.slots[i] : no.slots[i];
      continue;
    }
    const bool data = condition.data || yes.slots[i]->data || no.slots[i]->data;
    names_.slots[i] = std::make_shared<const Stored>(
        Stored{.data = data, .condition = condition.stored, .yes = yes.slots[i], .no = no.slots[i]});
  }
}

/// {{ else }}, {{ else if }} behind if, {{ else with }} behind with; what stands behind else is a choice of its own.
void GoText::otherwise(const std::string& word, const std::string& rest, Values& no) {
  std::string ignored;
  if (rest.empty()) {
    if (list(no, ignored) != Stop::end) fail("there is an {{ else }} too much");
    return;
  }
  const GoPiece& here = pieces_[at_piece_ - 1];
  const GoPiece nested{.action = true, .text = rest, .begin = here.begin, .end = here.end, .after_else = true};
  if (go_first_word(nested) != word || word == "range")
    return void(fail(fmt::format("\"else {}\" is not known", rest)));
  start(rest);
  next();
  control(nested, word, no);
}

/// An action that the component renders, to be written down: nothing but its data may be in it.
GoValue GoText::head(const GoPiece& piece) {
  std::string ignored;
  for (const GoToken& token : go_tokens(piece.text, ignored)) {
    const auto variable = names_.variables.find(token.text.substr(0, token.text.find('.')));
    const bool hidden = token.kind == GoTok::field ? names_.dot && !names_.dot->data
                        : token.kind == GoTok::variable
                            ? variable != names_.variables.end() && !names_.slots[variable->second]->data
                            : token.kind == GoTok::word && is_only_in_old(token.text);
    if (hidden) fail(token.text + " stands in one action with a component's data, which HCL2 cannot say");
  }
  return calls_.string("{{" + piece.text + "}}");
}

/// A choice that is the component's business: as a whole, or, to be written down, around what is known before.
void GoText::component_choice(const GoPiece& piece, Values yes, Values no, Values& out) {
  if (!context_.symbolic) return out.push_back(written(piece));
  out.push_back(head(piece));
  out.push_back(calls_.joined(std::move(yes)));
  if (!no.empty()) out.push_back(calls_.string("{{else}}"));
  if (!no.empty()) out.push_back(calls_.joined(std::move(no)));
  out.push_back(calls_.string("{{end}}"));
}

/// {{ if }}, {{ with }} or {{ range }} with everything up to its end.
void GoText::control(const GoPiece& piece, const std::string& word, Values& out) {
  if (++depth_ > kMaxNesting) return void(fail("actions are nested too deep"));
  const Names outer = names_;
  auto condition = word == "range" ? range_head() : declaration();
  if (!condition) return;
  Names before = names_;
  if (word != "if") names_.dot = condition->stored;
  loops_ += word == "range" ? 1 : 0;
  Values yes;
  Values no;
  std::string else_rest;
  const Stop stop = list(yes, else_rest);
  loops_ -= word == "range" ? 1 : 0;
  const Names after = std::exchange(names_, std::move(before));
  if (stop == Stop::otherwise) otherwise(word, else_rest, no);
  --depth_;
  if (!problem_.empty()) return;
  merge(outer, after, Names(names_), *condition);
  if (condition->data) return component_choice(piece, std::move(yes), std::move(no), out);
  GoValue first = calls_.joined(std::move(yes));
  out.push_back(calls_.chosen(std::move(condition->value), std::move(first), calls_.joined(std::move(no)), problem_));
}

void GoText::action(const GoPiece& piece, Values& out) {
  auto value = declaration();
  if (!value) return;
  if (value->data) return out.push_back(context_.symbolic ? head(piece) : written(piece));
  if (!value->declares) out.push_back(std::move(value->value));
}

/// {{ template "name" pipeline }}: the text of the template with its dot.
void GoText::template_action(Values& out) {
  const GoToken name = next();
  const auto it = templates_.find(name.text);
  if (name.kind != GoTok::text || it == templates_.end())
    return void(fail(fmt::format("there is no template \"{}\"", name.text)));
  StoredPtr dot = std::make_shared<const Stored>(Stored{.tokens = {{GoTok::text, "<no value>"}, {}}});
  if (peek().kind != GoTok::end) {
    const bool whole = peek().is(GoTok::field, ".") || peek().is(GoTok::variable, "$");
    auto value = declaration();
    if (!value) return;
    if (value->data && !(whole && tokens_.size() == 4))
      return void(fail("a template is given a part of a component's data"));
    dot = value->data ? nullptr : value->stored;
  }
  expanded_ += it->second.size() + 1;
  if (++depth_ > kMaxNesting || expanded_ > kMaxPieces) return void(fail("templates are used too often"));
  const Names outer = std::exchange(names_, Names{.variables = {}, .slots = {}, .dot = dot});
  std::vector<GoPiece> pieces = std::exchange(pieces_, it->second);
  const std::size_t at = std::exchange(at_piece_, 0);
  std::string ignored;
  if (list(out, ignored) != Stop::end_of_text) fail("there is an {{ else }} too much");
  pieces_ = std::move(pieces);
  at_piece_ = at;
  names_ = outer;
  --depth_;
}

GoText::Stop GoText::list(Values& out, std::string& else_rest) {
  while (at_piece_ < pieces_.size() && problem_.empty()) {
    const GoPiece piece = pieces_[at_piece_++];
    if (!piece.action) {
      out.push_back(calls_.string(piece.text));
      continue;
    }
    start(piece.text);
    const std::string word = peek().kind == GoTok::word ? peek().text : std::string();
    const bool alone = peek(1).kind == GoTok::end;
    if (word == "else") {
      else_rest = trim(trim(piece.text).substr(4));
      return Stop::otherwise;
    }
    if (word == "end") {
      if (!alone) fail("something stands behind \"end\"");
      return Stop::end;
    }
    if (word == "break" || word == "continue") {
      if (loops_ == 0 || !alone) fail(fmt::format("\"{}\" stands outside of a range", word));
      if (context_.symbolic) out.push_back(calls_.string("{{" + word + "}}"));
    } else if (word == "if" || word == "range" || word == "with") {
      next();
      control(piece, word, out);
    } else if (word == "template") {
      next();
      template_action(out);
    } else {
      action(piece, out);
    }
  }
  return Stop::end_of_text;
}

ExprPtr GoText::translate() {
  Values parts;
  std::string rest;
  pieces_ = go_pieces(text_, problem_);
  if (problem_.empty()) templates_ = go_definitions(pieces_, problem_);
  if (problem_.empty() && list(parts, rest) != Stop::end_of_text) fail("there is an {{ else }} too much");
  return calls_.joined(std::move(parts)).expr;
}

}  // namespace

ExprPtr go_text(const SourceFile& file, Span at, const std::string& text, const GoTextContext& context,
                Diagnostics& diagnostics) {
  if (text.find("{{") == std::string::npos)
    return std::make_unique<const Expr>(Expr{&file, at, LiteralExpr{Value::string(text)}});
  GoText translator(file, at, text, context);
  ExprPtr out = translator.translate();
  if (!translator.problem().empty())
    diagnostics.push_back({.summary = "Invalid template string",
                           .detail = fmt::format("In this string {}.", translator.problem()),
                           .subject = file.range(at),
                           .context = {}});
  return out;
}

}  // namespace kiln::tmpl
