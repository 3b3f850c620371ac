#include <fmt/format.h>
#include <unicode/utf8.h>

#include <algorithm>
#include <charconv>
#include <utility>

#include "template/rules.h"

namespace kiln::tmpl {

namespace {

constexpr std::string_view kSpace = " \t\r\n\v\f";

void trim_left(std::string& s) {
  s.erase(0, std::min(s.find_first_not_of(kSpace), s.size()));
}
void trim_right(std::string& s) {
  const std::size_t last = s.find_last_not_of(kSpace);
  s.erase(last == std::string::npos ? 0 : last + 1);
}

/// Takes the indentation that all lines of a <<- heredoc share off each of them. Lines of nothing but spaces do not
/// count.
void flush_indent(TemplateTokens& tokens) {
  std::size_t least = SIZE_MAX;
  std::vector<TemplateToken*> begins;  // the texts that begin a line
  bool at_begin = true;
  for (TemplateToken& token : tokens) {
    const bool text = token.kind == TemplateToken::Kind::text;
    if (at_begin) {
      std::size_t spaces = 0;
      if (text) {
        const std::size_t n = std::min(token.text.find_first_not_of(kSpace), token.text.size());
        const bool blank = n == token.text.size() && token.text.ends_with('\n');
        spaces = blank ? SIZE_MAX : count_graphemes(std::string_view(token.text).substr(0, n));
        if (!blank) begins.push_back(&token);
      }
      least = std::min(least, spaces);
    }
    at_begin = text && token.text.ends_with('\n');
  }
  for (TemplateToken* token : begins) token->text.erase(0, grapheme_bytes(token->text, least));
}

}  // namespace

bool Rules::template_ended(const Ending& ending) {
  const std::string_view text = lexer_.text();
  const std::uint32_t at = lexer_.position();
  if (ending.kind == Ending::Kind::text) return at >= text.size();
  if (ending.kind == Ending::Kind::quote) {
    if (at >= text.size() || text[at] != '"') return false;
    lexer_.seek(at + 1);
    return true;
  }
  if (at > ending.opening.end && text[at - 1] != '\n') return false;
  const std::size_t end = std::min(text.find('\n', at), text.size());
  if (!ends_heredoc(text.substr(at, end - at), ending.marker)) return false;
  const std::size_t marker_end = text.find(ending.marker, at) + ending.marker.size();
  lexer_.seek(static_cast<std::uint32_t>(marker_end));  // the line's end stays a token
  return true;
}

void Rules::escape(std::string& out) {
  const std::string_view text = lexer_.text();
  const std::uint32_t at = lexer_.position();
  const char c = at + 1 < text.size() ? text[at + 1] : '\n';
  constexpr std::string_view kNames = "nrt\"\\";
  constexpr std::string_view kValues = "\n\r\t\"\\";
  if (const std::size_t which = kNames.find(c); which != std::string_view::npos) {
    out += kValues[which];
    lexer_.seek(at + 2);
    return;
  }
  if (c == 'u' || c == 'U') {
    unicode_escape(c == 'u' ? 4 : 8, out);
    return;
  }
  fail({at, std::min(at + 2, static_cast<std::uint32_t>(text.size()))}, "Invalid escape sequence",
       "In quoted strings a backslash must be followed by n, r, t, \", \\, uNNNN or UNNNNNNNN. For a backslash itself, "
       "write two.");
  lexer_.seek(c == '\n' ? at + 1 : at + 2);
}

void Rules::unicode_escape(std::size_t digits, std::string& out) {
  const std::uint32_t at = lexer_.position();
  const std::string_view hex = lexer_.text().substr(at + 2, digits);
  const std::size_t n = std::min(hex.find_first_not_of("0123456789abcdefABCDEF"), hex.size());
  const Span span{at, at + 2 + static_cast<std::uint32_t>(n)};
  lexer_.seek(span.end);
  if (n < digits) {
    fail(span, "Invalid escape sequence", fmt::format("{} hexadecimal digits must follow.", digits));
    return;
  }
  std::uint32_t code = 0;
  std::from_chars(hex.data(), hex.data() + n, code, 16);
  char utf8[U8_MAX_LENGTH];
  std::int32_t length = 0;
  UBool bad = 0;
  U8_APPEND(utf8, length, U8_MAX_LENGTH, static_cast<UChar32>(code), bad);
  out += bad != 0 ? std::string_view("\xEF\xBF\xBD") : std::string_view(utf8, static_cast<std::size_t>(length));
}

/// Literal text up to a sequence, the end, or (except in quotes) behind the line's end.
std::string Rules::template_text(const Ending& ending) {
  const std::string_view text = lexer_.text();
  const bool quoted = ending.kind == Ending::Kind::quote;
  std::string out;
  while (lexer_.position() < text.size()) {
    const std::uint32_t at = lexer_.position();
    const char c = text[at];
    if (quoted && (c == '"' || c == '\n')) break;
    if (quoted && c == '\\') {
      escape(out);
      continue;
    }
    if (c == '$' || c == '%') {
      if (text.substr(at + 1).starts_with("{")) break;
      if (text.substr(at + 1).starts_with(c == '$' ? "${" : "%{")) {
        out += c;
        out += '{';
        lexer_.seek(at + 3);
        continue;
      }
    }
    out += c;
    lexer_.seek(at + 1);
    if (!quoted && c == '\n') break;
  }
  return out;
}

std::optional<TemplateTokens> Rules::template_tokens(const Ending& ending) {
  const Level level(*this);
  if (too_deep()) return std::nullopt;
  TemplateTokens tokens;
  bool trim_next = false;
  const std::string_view text = lexer_.text();
  while (!template_ended(ending)) {
    const std::uint32_t at = lexer_.position();
    const bool quoted = ending.kind == Ending::Kind::quote;
    if (at >= text.size() || (quoted && text[at] == '\n')) {
      if (quoted) {
        fail({ending.opening.begin, at},
             at < text.size() ? "Invalid multi-line string" : "Unterminated template string",
             "There is no closing quote before the end of the line. For a string of several lines use \\n or the "
             "heredoc "
             "syntax, like \"<<EOT\".");
      } else {
        fail(ending.opening, "Unterminated template string",
             fmt::format("There is no line that holds only the closing marker \"{}\" of this heredoc.", ending.marker));
      }
      return std::nullopt;
    }
    const bool trim = std::exchange(trim_next, false);
    if (text.substr(at).starts_with("${") || text.substr(at).starts_with("%{")) {
      if (!sequence(tokens, trim_next)) return std::nullopt;
      continue;
    }
    std::string literal = template_text(ending);
    if (trim) trim_left(literal);
    tokens.push_back({.kind = TemplateToken::Kind::text, .span = {at, lexer_.position()}, .text = std::move(literal)});
  }
  if (ending.flush) flush_indent(tokens);
  return tokens;
}

bool Rules::sequence(TemplateTokens& tokens, bool& trim_next) {
  const std::uint32_t begin = lexer_.position();
  const std::string_view text = lexer_.text();
  const bool control = text[begin] == '%';
  lexer_.seek(begin + 2);
  if (text.substr(begin + 2).starts_with("~")) {
    lexer_.seek(begin + 3);
    if (!tokens.empty() && tokens.back().kind == TemplateToken::Kind::text) trim_right(tokens.back().text);
  }
  const Newlines off(*this, false);
  TemplateToken token{.kind = TemplateToken::Kind::interpolation, .span = {begin, begin + 2}};
  if (control) {
    if (!directive(token)) return false;
  } else {
    token.expr = expression();
    if (!token.expr) return false;
  }
  if (!close_sequence(trim_next)) return false;
  token.span.end = lexer_.position();
  tokens.push_back(std::move(token));
  return true;
}

bool Rules::close_sequence(bool& trim_next) {
  const Token token = peek();
  const bool tilde = token.kind == Tok::invalid && lexer_.text(token.span) == "~";
  if (tilde && lexer_.text().substr(token.span.end).starts_with("}")) {
    trim_next = true;
    lexer_.seek(token.span.end + 1);
    return true;
  }
  return expect(Tok::close_brace, "Extra characters after interpolation expression",
                "A closing brace must end the sequence that began with \"${\" or \"%{\" here. To write these two "
                "characters literally, double the first one.");
}

bool Rules::directive(TemplateToken& token) {
  const Token word = next();
  const std::string_view name = word.kind == Tok::identifier ? lexer_.text(word.span) : std::string_view();
  if (name == "if") {
    token.kind = TemplateToken::Kind::if_begin;
    token.expr = expression();
    return token.expr != nullptr;
  }
  if (name == "for") {
    token.kind = TemplateToken::Kind::for_begin;
    return for_intro(token.key_name, token.value_name, token.expr);
  }
  if (name == "else") {
    token.kind = TemplateToken::Kind::otherwise;
  } else if (name == "endif") {
    token.kind = TemplateToken::Kind::if_end;
  } else if (name == "endfor") {
    token.kind = TemplateToken::Kind::for_end;
  } else {
    return unexpected(word, "Invalid template directive", "A directive is one of: if, else, endif, for, endfor.");
  }
  return true;
}

bool Rules::template_parts(TemplateTokens& tokens, std::size_t& at, TemplateParts& out) {
  const Level level(*this);
  if (too_deep()) return false;
  for (; at < tokens.size(); ++at) {
    TemplateToken& token = tokens[at];
    switch (token.kind) {
      case TemplateToken::Kind::text:
        if (!out.empty() && std::holds_alternative<std::string>(out.back().what)) {
          std::get<std::string>(out.back().what) += token.text;
          out.back().span.end = token.span.end;
        } else {
          out.push_back({token.span, std::move(token.text)});
        }
        break;
      case TemplateToken::Kind::interpolation:
        out.push_back({token.span, std::move(token.expr)});
        break;
      case TemplateToken::Kind::if_begin:
        if (!template_if(tokens, at, out)) return false;
        break;
      case TemplateToken::Kind::for_begin:
        if (!template_for(tokens, at, out)) return false;
        break;
      default:
        return true;  // an end: the caller's business
    }
  }
  return true;
}

bool Rules::template_if(TemplateTokens& tokens, std::size_t& at, TemplateParts& out) {
  const Span span = tokens[at].span;
  auto part = std::make_unique<TemplateIf>();
  part->condition = std::move(tokens[at].expr);
  ++at;
  if (!template_parts(tokens, at, part->yes)) return false;
  if (at < tokens.size() && tokens[at].kind == TemplateToken::Kind::otherwise) {
    ++at;
    if (!template_parts(tokens, at, part->no)) return false;
  }
  if (at >= tokens.size() || tokens[at].kind != TemplateToken::Kind::if_end) {
    fail(span, "Unexpected end of template", "There is no %{ endif } for this directive.");
    return false;
  }
  out.push_back({span, std::move(part)});
  return true;
}

bool Rules::template_for(TemplateTokens& tokens, std::size_t& at, TemplateParts& out) {
  TemplateToken& begin = tokens[at];
  const Span span = begin.span;
  auto part = std::make_unique<TemplateFor>();
  part->collection = std::move(begin.expr);
  part->key_name = std::move(begin.key_name);
  part->value_name = std::move(begin.value_name);
  ++at;
  if (!template_parts(tokens, at, part->body)) return false;
  if (at >= tokens.size() || tokens[at].kind != TemplateToken::Kind::for_end) {
    fail(span, "Unexpected end of template", "There is no %{ endfor } for this directive.");
    return false;
  }
  out.push_back({span, std::move(part)});
  return true;
}

ExprPtr Rules::template_expression(const Ending& ending) {
  auto tokens = template_tokens(ending);
  if (!tokens) return nullptr;
  const bool wrap = tokens->size() == 1 && tokens->front().kind == TemplateToken::Kind::interpolation;
  TemplateExpr out{{}, wrap};
  std::size_t at = 0;
  if (!template_parts(*tokens, at, out.parts)) return nullptr;
  if (at < tokens->size()) {
    fail((*tokens)[at].span, "Unexpected template directive", "There is no directive open that this one could end.");
    return nullptr;
  }
  const std::uint32_t begin = ending.opening.begin;
  if (out.parts.empty()) return make(begin, LiteralExpr{Value::string("")});
  if (out.parts.size() == 1 && std::holds_alternative<std::string>(out.parts[0].what))
    return make(begin, LiteralExpr{Value::string(std::get<std::string>(out.parts[0].what))});
  return make(begin, std::move(out));
}

}  // namespace kiln::tmpl
