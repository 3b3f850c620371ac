#include "template/go_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "base/text.h"
#include "template/go_calls.h"
#include "template/parser.h"

namespace kiln::tmpl {

namespace {

/// One token inside {{ }}.
struct GoToken {
  enum class Kind : std::uint8_t { end, word, field, variable, text, number, sign } kind = Kind::end;
  std::string text;
};

/// A piece of the whole text: literal, or an action without its braces.
struct Piece {
  bool action = false;
  std::string text;  // of an action: what stands inside
  std::size_t begin = 0, end = 0;
};

class GoText {
 public:
  GoText(const SourceFile& file, Span at, const std::string& text, const GoTextContext& context)
      : calls_(file, at, context), file_(file), at_(at), text_(text) {}
  ExprPtr translate();
  const std::string& problem() const { return problem_; }

 private:
  enum class Stop : std::uint8_t { end_of_text, end, otherwise };
  struct Pipeline {
    GoValue value;
    bool data = false;  // speaks of the component's data
  };
  void cut();
  void cut_action(std::size_t open);
  Stop list(std::vector<ExprPtr>& out, std::string& else_rest);
  void action(const Piece& piece, std::vector<ExprPtr>& out);
  void control(const Piece& piece, const std::string& word, std::vector<ExprPtr>& out);
  ExprPtr choice(ExprPtr condition, std::vector<ExprPtr> yes, std::vector<ExprPtr> no);
  void tokenize(std::string_view s);
  bool quoted(std::string_view& s);
  std::optional<Pipeline> pipeline();
  std::optional<Pipeline> command(std::optional<GoValue> last);
  std::optional<Pipeline> operand();
  std::optional<Pipeline> stored(const std::vector<GoToken>& tokens);
  bool declaration(const Piece& piece, std::vector<ExprPtr>& out);
  bool is_declaration() const;
  const GoToken& peek() const { return tokens_[at_token_]; }
  GoToken next() { return tokens_[at_token_ + 1 < tokens_.size() ? at_token_++ : at_token_]; }
  void fail(std::string why) {
    if (problem_.empty()) problem_ = std::move(why);
  }
  ExprPtr literal(const std::string& text) const {
    return std::make_unique<const Expr>(Expr{&file_, at_, LiteralExpr{Value::string(text)}});
  }
  ExprPtr joined(std::vector<ExprPtr> parts) const {
    if (parts.empty()) parts.push_back(literal(""));
    return std::make_unique<const Expr>(Expr{&file_, at_, TemplateExpr{std::move(parts), false}});
  }

  GoCalls calls_;
  const SourceFile& file_;
  Span at_;
  const std::string& text_;
  std::vector<Piece> pieces_;
  std::size_t at_piece_ = 0, depth_ = 0;
  std::vector<GoToken> tokens_;
  std::size_t at_token_ = 0;
  std::map<std::string, std::vector<GoToken>> variables_;  // the pipelines that they stand for
  std::vector<std::vector<GoToken>> dots_;                 // of {{ with }}; empty: the component's data
  std::size_t stored_uses_ = 0;
  std::string problem_;
};

constexpr std::size_t kMaxStoredUses = 1000;  // of variables and dots in one text, each of which is read again
constexpr std::string_view kGoSpace = " \t\r\n";

/// Cuts the text at its actions; {{- and -}} take the space beside them away.
void GoText::cut() {
  std::size_t from = 0;
  bool trim_next = false;
  while (problem_.empty()) {
    const std::size_t open = std::min(text_.find("{{", from), text_.size());
    std::string plain = text_.substr(from, open - from);
    if (trim_next) plain.erase(0, std::min(plain.find_first_not_of(kGoSpace), plain.size()));
    const std::string_view rest = std::string_view(text_).substr(open);
    const bool trim = rest.size() > 3 && rest.starts_with("{{-") && kGoSpace.find(rest[3]) != std::string_view::npos;
    if (trim) plain.erase(plain.find_last_not_of(kGoSpace) + 1);
    if (!plain.empty()) pieces_.push_back({false, std::move(plain), from, open});
    if (open >= text_.size()) return;
    cut_action(open);
    if (pieces_.empty() || !pieces_.back().action) return;
    from = pieces_.back().end;
    const std::string& inside = pieces_.back().text;
    trim_next =
        inside.size() > 1 && inside.ends_with('-') && kGoSpace.find(inside[inside.size() - 2]) != std::string::npos;
    if (trim_next) pieces_.back().text.pop_back();
    if (trim) pieces_.back().text.erase(0, 1);
  }
}

/// The action up to its closing braces; quotes and comments hide braces.
void GoText::cut_action(std::size_t open) {
  std::size_t at = open + 2;
  while (at < text_.size() && !std::string_view(text_).substr(at).starts_with("}}")) {
    const char c = text_[at];
    if (c == '`') {
      at = std::min(text_.find('`', at + 1), text_.size());
    } else if (c == '"') {
      for (++at; at < text_.size() && text_[at] != '"'; ++at) at += text_[at] == '\\' ? 1 : 0;
    } else if (std::string_view(text_).substr(at).starts_with("/*")) {
      at = std::min(text_.find("*/", at), text_.size());
    }
    ++at;
  }
  if (at >= text_.size()) return fail("an action that begins with \"{{\" has no \"}}\"");
  pieces_.push_back({true, text_.substr(open + 2, at - open - 2), open, at + 2});
}

bool GoText::quoted(std::string_view& s) {
  const char quote = s[0];
  std::string out;
  std::size_t i = 1;
  for (; i < s.size() && s[i] != quote; ++i) {
    if (quote == '"' && s[i] == '\\' && i + 1 < s.size()) {
      ++i;
      out += s[i] == 'n' ? '\n' : s[i] == 't' ? '\t' : s[i] == 'r' ? '\r' : s[i];
    } else {
      out += s[i];
    }
  }
  if (i >= s.size()) return false;
  s.remove_prefix(i + 1);
  tokens_.push_back({GoToken::Kind::text, std::move(out)});
  return true;
}

void GoText::tokenize(std::string_view s) {
  using Kind = GoToken::Kind;
  tokens_.clear();
  at_token_ = 0;
  const auto is_word = [](char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_'; };
  while (problem_.empty()) {
    s.remove_prefix(std::min(s.find_first_not_of(kGoSpace), s.size()));
    if (s.empty() || s.starts_with("/*")) break;
    if (s[0] == '"' || s[0] == '`') {
      if (!quoted(s)) fail("a string has no closing quote");
      continue;
    }
    const bool number = std::isdigit(static_cast<unsigned char>(s[0])) != 0 || (s[0] == '-' && s.size() > 1);
    const bool named = s[0] == '.' || s[0] == '$' || number;
    std::size_t n = named ? 1 : 0;
    while (n < s.size() && (is_word(s[n]) || (named && s[n] == '.'))) ++n;
    const Kind kind = s[0] == '.' ? Kind::field : s[0] == '$' ? Kind::variable : number ? Kind::number : Kind::word;
    tokens_.push_back(n == 0 ? GoToken{Kind::sign, std::string(1, s[0])} : GoToken{kind, std::string(s.substr(0, n))});
    s.remove_prefix(std::max<std::size_t>(n, 1));
  }
  tokens_.push_back({});
}

std::optional<GoText::Pipeline> GoText::operand() {
  const GoToken token = next();
  switch (token.kind) {
    case GoToken::Kind::field:
      if (token.text == "." && !dots_.empty() && !dots_.back().empty()) return stored(dots_.back());
      return Pipeline{{}, true};
    case GoToken::Kind::variable: {
      const auto it = variables_.find(token.text);
      return it == variables_.end() ? Pipeline{{}, true} : stored(it->second);
    }
    case GoToken::Kind::text:
      return Pipeline{{literal(token.text), false, token.text}, false};
    case GoToken::Kind::number:
      return Pipeline{{calls_.number(token.text), false, token.text}, false};
    case GoToken::Kind::word:
      if (token.text == "true" || token.text == "false")
        return Pipeline{{calls_.boolean(token.text == "true"), true, {}}, false};
      --at_token_;
      return command(std::nullopt);
    default:
      break;
  }
  if (token.text != "(") {
    fail(fmt::format("\"{}\" cannot stand here in an action", token.text));
    return std::nullopt;
  }
  auto inside = pipeline();
  if (inside && next().text != ")") fail("a closing parenthesis is missing in an action");
  return inside;
}

/// The pipeline that a variable or dot stands for, once more.
std::optional<GoText::Pipeline> GoText::stored(const std::vector<GoToken>& tokens) {
  if (++stored_uses_ > kMaxStoredUses || ++depth_ > kMaxNesting) {
    fail("variables are used too often");
    return std::nullopt;
  }
  std::vector<GoToken> outer = tokens;
  outer.swap(tokens_);
  const std::size_t at = std::exchange(at_token_, 0);
  auto out = pipeline();
  tokens_ = std::move(outer);
  at_token_ = at;
  --depth_;
  return out;
}

bool GoText::is_declaration() const {
  return tokens_.size() > 3 && tokens_[0].kind == GoToken::Kind::variable && tokens_[1].text == ":" &&
         tokens_[2].text == "=";
}

/// {{ $name := pipeline }}; false if the action is something else.
bool GoText::declaration(const Piece& piece, std::vector<ExprPtr>& out) {
  if (!is_declaration()) return false;
  const std::string name = tokens_[0].text;
  std::vector<GoToken> value(tokens_.begin() + 3, tokens_.end());
  at_token_ = 3;
  const auto once = pipeline();
  if (once && once->data) {
    out.push_back(literal(text_.substr(piece.begin, piece.end - piece.begin)));
  } else if (once) {
    variables_[name] = std::move(value);
  }
  return true;
}

/// A function with its arguments, the result of the command before as the last one; or a value.
std::optional<GoText::Pipeline> GoText::command(std::optional<GoValue> last) {
  if (++depth_ > kMaxNesting) {
    fail("actions are nested too deep");
    return std::nullopt;
  }
  Pipeline out;
  if (peek().kind != GoToken::Kind::word || peek().text == "true" || peek().text == "false") {
    auto value = operand();
    --depth_;
    if (value && last && !value->data) fail("only a function can take what \"|\" gives it");
    return value;
  }
  const std::string name = next().text;
  std::vector<GoValue> arguments;
  while (peek().kind != GoToken::Kind::end && peek().text != "|" && peek().text != ")") {
    std::optional<Pipeline> argument;
    if (peek().kind == GoToken::Kind::word && peek().text != "true" && peek().text != "false") {
      argument = Pipeline{calls_.call(next().text, {}, problem_), false};  // as an argument without arguments
    } else {
      argument = operand();
    }
    if (!argument || !problem_.empty()) return std::nullopt;
    out.data = out.data || argument->data;
    arguments.push_back(std::move(argument->value));
  }
  --depth_;
  if (last) arguments.push_back(std::move(*last));
  if (!out.data) out.value = calls_.call(name, std::move(arguments), problem_);
  return problem_.empty() ? std::optional(std::move(out)) : std::nullopt;
}

std::optional<GoText::Pipeline> GoText::pipeline() {
  auto out = command(std::nullopt);
  while (out && problem_.empty() && peek().text == "|" && peek().kind == GoToken::Kind::sign) {
    next();
    const bool data = out->data;
    auto further = command(std::move(out->value));
    if (further) further->data = further->data || data;
    out = std::move(further);
  }
  return problem_.empty() ? std::move(out) : std::nullopt;
}

ExprPtr GoText::choice(ExprPtr condition, std::vector<ExprPtr> yes, std::vector<ExprPtr> no) {
  return std::make_unique<const Expr>(
      Expr{&file_, at_, ConditionalExpr{std::move(condition), joined(std::move(yes)), joined(std::move(no))}});
}

/// {{ if }} with everything up to its end.
void GoText::control(const Piece& piece, const std::string& word, std::vector<ExprPtr>& out) {
  if (++depth_ > kMaxNesting) return fail("actions are nested too deep");
  std::optional<Pipeline> condition;
  std::vector<GoToken> dot;  // what . is inside
  if (word != "range") {
    if (word == "with") dot.assign(tokens_.begin() + static_cast<std::ptrdiff_t>(at_token_), tokens_.end());
    condition = pipeline();
    if (!condition) return;
    if (condition->data) dot.clear();
  }
  if (word != "if") dots_.push_back(std::move(dot));
  std::vector<ExprPtr> yes;
  std::vector<ExprPtr> no;
  std::string else_rest;
  Stop stop = list(yes, else_rest);
  if (word != "if") dots_.pop_back();
  if (stop == Stop::otherwise && !else_rest.empty()) {  // else if: what follows is a choice of its own
    Piece nested = pieces_[at_piece_ - 1];
    nested.text = else_rest;
    tokenize(else_rest);
    next();
    control(nested, "if", no);
    stop = Stop::end;
  } else if (stop == Stop::otherwise) {
    stop = list(no, else_rest);
  }
  --depth_;
  if (!problem_.empty()) return;
  if (stop == Stop::end_of_text) return fail(fmt::format("{{{{ {} }}}} has no {{{{ end }}}}", word));
  if (!condition || condition->data) {  // the component's business, as a whole
    out.push_back(literal(text_.substr(piece.begin, pieces_[at_piece_ - 1].end - piece.begin)));
  } else {
    out.push_back(choice(calls_.truth(std::move(condition->value)), std::move(yes), std::move(no)));
  }
}

void GoText::action(const Piece& piece, std::vector<ExprPtr>& out) {
  if (declaration(piece, out)) return;
  auto value = pipeline();
  if (value && peek().kind != GoToken::Kind::end) fail(fmt::format("\"{}\" is too much in an action", peek().text));
  if (!value || !problem_.empty()) return;
  out.push_back(value->data ? literal(text_.substr(piece.begin, piece.end - piece.begin))
                            : std::move(value->value.expr));
}

GoText::Stop GoText::list(std::vector<ExprPtr>& out, std::string& else_rest) {
  while (at_piece_ < pieces_.size() && problem_.empty()) {
    const Piece& piece = pieces_[at_piece_++];
    if (!piece.action) {
      out.push_back(literal(piece.text));
      continue;
    }
    tokenize(piece.text);
    const std::string word = peek().kind == GoToken::Kind::word ? peek().text : std::string();
    if (word == "end") return Stop::end;
    if (word == "else") {
      const std::string_view rest = trim(trim(piece.text).substr(4));
      else_rest = rest;
      return Stop::otherwise;
    }
    if (peek().kind == GoToken::Kind::end) continue;  // a comment
    if (word == "if" || word == "range" || word == "with") {
      next();
      control(piece, word, out);
    } else {
      action(piece, out);
    }
  }
  return Stop::end_of_text;
}

ExprPtr GoText::translate() {
  std::vector<ExprPtr> parts;
  std::string rest;
  cut();
  if (problem_.empty() && list(parts, rest) != Stop::end_of_text) fail("there is an {{ end }} or {{ else }} too much");
  return joined(std::move(parts));
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
