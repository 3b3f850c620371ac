// The parser's view of the tokens: looking ahead, skipping line ends where they do not count, reporting what can never
// be, and finding back after an error.
#include <fmt/format.h>

#include <utility>

#include "template/rules.h"

namespace kiln::tmpl {

const Token& Rules::raw(std::size_t index) {
  while (ahead_.size() <= index) {
    if (!ahead_.empty() && ahead_.back().kind == Tok::end) return ahead_.back();
    const Token token = lexer_.next();
    ahead_.push_back(token);
    check(token);
  }
  return ahead_[index];
}

Token Rules::peek() {
  std::size_t i = 0;
  while (!newlines_.back() && raw(i).kind == Tok::newline) ++i;
  return raw(i);
}

Token Rules::read() {
  while (!newlines_.back() && raw(0).kind == Tok::newline) ahead_.pop_front();
  const Token token = raw(0);
  if (token.kind != Tok::end) ahead_.pop_front();
  previous_ = token.span;
  has_read_ = true;
  return token;
}

Span Rules::previous() {
  return has_read_ ? previous_ : peek().span;
}

bool Rules::accept(Tok kind) {
  if (peek().kind != kind) return false;
  read();
  return true;
}

bool Rules::is_word(std::string_view word) {
  const Token token = peek();
  return token.kind == Tok::identifier && lexer_.text(token.span) == word;
}

std::string Rules::text_of(const Token& token) const {
  return normalised(lexer_.text(token.span));
}

void Rules::report(Span span, std::string summary, std::string detail) {
  diagnostics_.push_back(
      {.summary = std::move(summary), .detail = std::move(detail), .subject = file_.range(span), .context = {}});
  if (errors_ + character_errors_ < kMaxErrors) return;
  lexer_.skip_to_end();
  ahead_.clear();
}

void Rules::fail(Span span, std::string summary, std::string detail) {
  if (errors_ + character_errors_ >= kMaxErrors) return;
  ++errors_;
  if (report_ == Report::every_item && character_errors_ > 0 && span == bad_character_) return;  // said already
  report(span, std::move(summary), std::move(detail));
}

/// Reports what may only follow from an earlier error, unless there was one.
void Rules::fail_first(Span span, std::string summary, std::string detail) {
  if (!recovering_) fail(span, std::move(summary), std::move(detail));
}

bool Rules::told_often(Tok kind) {
  const std::size_t told = told_[kind]++;
  switch (kind) {
    case Tok::bitwise:
      return told >= 4;
    case Tok::backtick:
    case Tok::apostrophe:  // the second is the end of the same string
      return told % 2 != 0 && told < 3;
    case Tok::semicolon:
    case Tok::bad_utf8:
      return told >= 1;
    case Tok::quoted_newline:  // from the first on text and code are mistaken for one another
      return lost_end_ && told >= 1;
    default:
      return false;
  }
}

/// Tokens that are wrong wherever they stand.
void Rules::check(const Token& token) {
  if (token.kind < Tok::quoted_newline || token.kind > Tok::invalid || told_often(token.kind)) return;
  if (errors_ + character_errors_ >= kMaxErrors) return;
  ++character_errors_;
  bad_character_ = token.span;
  if (report_ == Report::every_item && token.kind == Tok::quoted_newline) lost_end_ = true;
  check_character(token);
}

void Rules::check_character(const Token& token) {
  switch (token.kind) {
    case Tok::quoted_newline:
      return report(
          token.span, "Invalid multi-line string",
          "There is no closing quote before the end of the line. For a string of several lines use \\n or the "
          "heredoc syntax, like \"<<EOT\".");
    case Tok::bad_utf8:
      return report(token.span, "Invalid character encoding",
                    "Templates are UTF-8 text, and this is not. Save the file as UTF-8.");
    case Tok::bitwise:
      return report(token.span, "Unsupported operator",
                    "There are no bitwise operators. The logical ones are written \"&&\", \"||\" and \"!\".");
    case Tok::backtick:
      return report(
          token.span, "Invalid character",
          "The \"`\" character is not valid. To write a string of several lines, use the heredoc syntax, like "
          "\"<<EOT\".");
    case Tok::apostrophe:
      return report(token.span, "Invalid character",
                    "Single quotes are not valid. Use double quotes (\") to enclose strings.");
    case Tok::semicolon:
      return report(
          token.span, "Invalid character",
          "The \";\" character is not valid. Arguments and blocks are separated by line ends, items by commas.");
    default:
      return report(token.span, "Invalid character", "This character is not used within the language.");
  }
}

bool Rules::too_deep() {
  if (depth_ <= kMaxNesting) return false;
  fail_first(peek().span, "Nesting too deep",
             fmt::format("Blocks and expressions may be nested at most {} levels deep.", kMaxNesting));
  recovering_ = nested_too_deep_ = true;
  if (report_ == Report::every_item) lost_end_ = true;
  lexer_.skip_to_end();
  ahead_.clear();
  return true;
}

ExprPtr Rules::make(Span span, decltype(Expr::node) node) const {
  return std::make_unique<const Expr>(Expr{&file_, span, std::move(node)});
}

ExprPtr Rules::placeholder(Span span) const {
  return make(span, LiteralExpr{Value::unknown()});
}

namespace {

Tok opposite(Tok kind) {
  static const std::map<Tok, Tok> kPairs = {
      {Tok::open_brace, Tok::close_brace},     {Tok::open_bracket, Tok::close_bracket},
      {Tok::open_paren, Tok::close_paren},     {Tok::open_quote, Tok::close_quote},
      {Tok::open_heredoc, Tok::close_heredoc}, {Tok::interpolation, Tok::sequence_end},
  };
  for (const auto& [open, close] : kPairs) {
    if (kind == open) return close;
    if (kind == close) return open;
  }
  return Tok::invalid;  // no bracket
}

}  // namespace

/// Skips to the token that closes what is open here, over brackets of its kind in between; reads it.
Token Rules::recover(Tok end) {
  recovering_ = true;
  const Tok start = opposite(end);
  std::size_t nested = 0;
  for (;;) {
    const Token token = read();
    const Tok kind = end == Tok::sequence_end && token.kind == Tok::control ? Tok::interpolation : token.kind;
    if (kind == start && start != Tok::invalid) {
      ++nested;
    } else if (kind == end && nested > 0) {
      --nested;
    } else if (kind == end || kind == Tok::end) {
      return token;
    }
  }
}

/// Skips to the next bracket of this kind and over what it encloses.
void Rules::recover_over(Tok start) {
  for (Token token = read(); token.kind != start && token.kind != Tok::end;) token = read();
  recover(opposite(start));
}

/// Skips to the end of the line on which the brackets opened from here on are closed.
void Rules::recover_after_item() {
  recovering_ = true;
  std::vector<Tok> open;
  const auto close = [&open](auto matches) {
    while (!open.empty() && !matches(open.back())) open.pop_back();
    if (!open.empty()) open.pop_back();
  };
  for (;;) {
    const Token token = read();
    switch (token.kind) {
      case Tok::end:
        return;
      case Tok::newline:
        if (open.empty()) return;
        break;
      case Tok::open_brace:
      case Tok::open_bracket:
      case Tok::open_paren:
      case Tok::open_quote:
      case Tok::open_heredoc:
      case Tok::interpolation:
      case Tok::control:
        open.push_back(token.kind);
        break;
      case Tok::close_brace:
      case Tok::close_bracket:
      case Tok::close_paren:
      case Tok::close_quote:
      case Tok::close_heredoc:
        close([&](Tok kind) { return kind == opposite(token.kind); });
        break;
      case Tok::sequence_end:
        close([](Tok kind) { return kind == Tok::interpolation || kind == Tok::control; });
        break;
      default:
        break;
    }
  }
}

}  // namespace kiln::tmpl
