#include <fmt/format.h>
#include <unicode/uchar.h>
#include <unicode/utf8.h>

#include <algorithm>
#include <charconv>
#include <utility>

#include "template/rules.h"

namespace kiln::tmpl {

namespace {

/// Bytes of Unicode white space at the start of text.
std::size_t space_bytes(std::string_view text) {
  std::int32_t at = 0;
  const auto size = static_cast<std::int32_t>(text.size());
  while (at < size) {
    std::int32_t next = at;
    UChar32 code = 0;
    U8_NEXT(text.data(), next, size, code);
    if (code < 0 || u_isUWhiteSpace(code) == 0) break;
    at = next;
  }
  return static_cast<std::size_t>(at);
}

void trim_left(std::string& s) {
  s.erase(0, space_bytes(s));
}

void trim_right(std::string& s) {
  while (!s.empty()) {
    std::int32_t at = static_cast<std::int32_t>(s.size());
    UChar32 code = 0;
    U8_PREV(s.data(), 0, at, code);
    if (code < 0 || u_isUWhiteSpace(code) == 0) return;
    s.erase(static_cast<std::size_t>(at));
  }
}

bool is_tilde(std::string_view sequence) {
  return sequence.find('~') != std::string_view::npos;
}

/// Texts that stand side by side become one.
void join_texts(TemplateTokens& tokens) {
  TemplateTokens out;
  for (TemplateToken& token : tokens) {
    const bool text = token.kind == TemplateToken::Kind::text;
    if (text && !out.empty() && out.back().kind == TemplateToken::Kind::text) {
      out.back().text += token.text;
      out.back().span.end = token.span.end;
    } else {
      out.push_back(std::move(token));
    }
  }
  tokens = std::move(out);
}

}  // namespace

/// Takes the indentation that all lines of a <<- heredoc share off each of them. Lines of nothing but spaces do not
/// count.
void Rules::flush_indent(TemplateTokens& tokens) const {
  std::size_t least = SIZE_MAX;
  std::vector<TemplateToken*> begins;  // the texts that begin a line
  bool at_begin = true;
  for (TemplateToken& token : tokens) {
    const bool text = token.kind == TemplateToken::Kind::text;
    if (token.kind == TemplateToken::Kind::end) break;
    if (at_begin) {
      std::size_t spaces = 0;
      if (text) {
        const std::size_t n = space_bytes(token.text);
        const bool blank = n == token.text.size() && token.text.ends_with('\n');
        spaces = blank ? SIZE_MAX : count_graphemes(std::string_view(token.text).substr(0, n));
        if (!blank) begins.push_back(&token);
      }
      least = std::min(least, spaces);
    }
    at_begin = text && token.text.ends_with('\n');
  }
  for (TemplateToken* token : begins) {
    const std::size_t bytes = grapheme_bytes(token->text, least);
    token->text.erase(0, bytes);
    token->span.begin += static_cast<std::uint32_t>(bytes);
  }
}

/// Takes one escape sequence from rest into out and answers its bytes. What is wrong is reported, and kept as it is.
std::size_t Rules::escape(std::string_view rest, std::uint32_t at, std::string& out) {
  const char c = rest.size() > 1 ? rest[1] : '\0';
  constexpr std::string_view kNames = "nrt\"\\";
  constexpr std::string_view kValues = "\n\r\t\"\\";
  if (const std::size_t which = kNames.find(c); rest.size() > 1 && which != std::string_view::npos) {
    out += kValues[which];
    return 2;
  }
  if (c == 'u' || c == 'U') return unicode_escape(rest, at, out);
  std::int32_t bytes = 1;
  if (rest.size() > 1) U8_FWD_1(rest.data(), bytes, static_cast<std::int32_t>(rest.size()));
  fail({at, at + static_cast<std::uint32_t>(bytes)}, "Invalid escape sequence",
       "In quoted strings a backslash must be followed by n, r, t, \", \\, uNNNN or UNNNNNNNN. For a backslash itself, "
       "write two.");
  out += rest.substr(1, static_cast<std::size_t>(bytes) - 1);
  return static_cast<std::size_t>(bytes);
}

std::size_t Rules::unicode_escape(std::string_view rest, std::uint32_t at, std::string& out) {
  const std::size_t digits = rest[1] == 'u' ? 4 : 8;
  const std::string_view hex = rest.substr(2, digits);
  const std::size_t n = std::min(hex.find_first_not_of("0123456789abcdefABCDEF"), hex.size());
  const Span span{at, at + 2 + static_cast<std::uint32_t>(n)};
  std::uint32_t code = 0;
  std::from_chars(hex.data(), hex.data() + n, code, 16);
  if (n == digits && U_IS_UNICODE_CHAR(code) == 0 && (code > 0x10FFFF || U_IS_SURROGATE(code))) {
    fail(span, "Invalid escape sequence", fmt::format("There is no character U+{:04X}.", code));
  } else if (n < digits) {
    fail(span, "Invalid escape sequence", fmt::format("{} hexadecimal digits must follow.", digits));
  } else {
    char utf8[U8_MAX_LENGTH];
    std::int32_t length = 0;
    U8_APPEND_UNSAFE(utf8, length, code);
    out.append(utf8, static_cast<std::size_t>(length));
    return 2 + n;
  }
  out += rest.substr(0, 2 + n);
  return 2 + n;
}

/// The string that a piece of text stands for.
std::string Rules::literal(const Token& token) {
  std::string_view rest = lexer_.text(token.span);
  if (rest.starts_with("$${") || rest.starts_with("%%{")) rest.remove_prefix(1);
  if (token.kind == Tok::text) return std::string(rest);
  std::string out;
  while (!rest.empty()) {
    const std::size_t plain = std::min(rest.find('\\'), rest.size());
    out += rest.substr(0, plain);
    rest.remove_prefix(plain);
    if (rest.empty()) break;
    rest.remove_prefix(escape(rest, token.span.end - static_cast<std::uint32_t>(rest.size()), out));
  }
  return out;
}

/// Up to the token that closes the template; inside becomes the bytes from the first token to that one. The last token
/// answered is an end.
TemplateTokens Rules::template_tokens(Tok closing, Span& inside) {
  TemplateTokens tokens;
  const Span start = peek().span;
  bool trim_next = false;
  for (;;) {
    const Token token = read();
    const bool trim = std::exchange(trim_next, false);
    inside = between(start, token.span);
    if (token.kind == closing) break;
    if (token.kind == Tok::text || token.kind == Tok::quoted_text) {
      std::string text = literal(token);
      if (trim) trim_left(text);
      tokens.push_back({.kind = TemplateToken::Kind::text, .span = token.span, .text = std::move(text)});
      continue;
    }
    if (token.kind != Tok::interpolation && token.kind != Tok::control) {
      if (report_ == Report::every_item) lost_end_ = true;
      fail_first(
          token.span, "Unterminated template string",
          "The end of this string is missing: a closing quote, or a line that holds only the closing marker of a "
          "heredoc.");
      inside = between(start, recover(closing).span);
      break;
    }
    if (is_tilde(lexer_.text(token.span)) && !tokens.empty() && tokens.back().kind == TemplateToken::Kind::text)
      trim_right(tokens.back().text);
    const Newlines off(*this, false);
    if (token.kind == Tok::interpolation) {
      interpolation(token, start, closing, tokens, trim_next);
    } else {
      directive(token, tokens, trim_next);
    }
  }
  if (tokens.empty()) tokens.push_back({.kind = TemplateToken::Kind::text, .span = {start.end, start.end}, .text = {}});
  tokens.push_back({.kind = TemplateToken::Kind::end, .span = previous()});
  return tokens;
}

void Rules::interpolation(const Token& open, Span start, Tok closing, TemplateTokens& tokens, bool& trim_next) {
  TemplateToken out{.kind = TemplateToken::Kind::interpolation, .span = open.span, .expr = expression()};
  const Token close = peek();
  out.span = between(open.span, close.span);
  if (close.kind == Tok::sequence_end) {
    read();
    trim_next = is_tilde(lexer_.text(close.span));
  } else {
    interpolation_end(close, start, closing);
    recover(Tok::sequence_end);
  }
  tokens.push_back(std::move(out));
}

/// Reports what stands in the place of the brace that ends a "${".
void Rules::interpolation_end(const Token& close, Span start, Tok closing) {
  const bool quote = closing == Tok::close_quote && (close.kind == Tok::close_quote || close.kind == Tok::open_quote);
  if (close.kind == Tok::end || quote) {
    fail_first(start, "Unclosed template interpolation sequence",
               "There is no closing brace for \"${\" before the end of the string.");
  } else {
    fail_first(close.span, "Extra characters after interpolation expression",
               "A closing brace must end the sequence that began with \"${\" here. To write these two characters "
               "literally, double the first one.");
  }
}

Span Rules::to_next(Span begin) {
  return between(begin, peek().span);
}

void Rules::directive(const Token& open, TemplateTokens& tokens, bool& trim_next) {
  const Token word = peek();
  if (word.kind != Tok::identifier) {
    fail_first(word.span, "Invalid template directive", "A directive is one of: if, else, endif, for, endfor.");
    recover(Tok::sequence_end);
    return;
  }
  read();
  if (!directive_word(open, word, tokens)) {
    recover(Tok::sequence_end);
    return;
  }
  const Token close = peek();
  if (close.kind == Tok::sequence_end) {
    read();
    trim_next = is_tilde(lexer_.text(close.span));
    return;
  }
  fail_first(close.span, fmt::format("Extra characters in {} marker", lexer_.text(word.span)),
             "A closing brace must end the sequence that began with \"%{\" here.");
  recover(Tok::sequence_end);
}

bool Rules::directive_word(const Token& open, const Token& word, TemplateTokens& tokens) {
  static const std::map<std::string_view, TemplatePart> kWords = {{"if", TemplatePart::if_begin},
                                                                  {"else", TemplatePart::otherwise},
                                                                  {"endif", TemplatePart::if_end},
                                                                  {"for", TemplatePart::for_begin},
                                                                  {"endfor", TemplatePart::for_end}};
  const auto it = kWords.find(lexer_.text(word.span));
  if (it == kWords.end()) {
    fail_first(word.span, "Invalid template control keyword", "A directive is one of: if, else, endif, for, endfor.");
    return false;
  }
  TemplateToken token{.kind = it->second, .span = open.span};
  if (token.kind == TemplatePart::for_begin && !for_intro(token.key_name, token.value_name, "Invalid 'for' directive"))
    return false;
  if (token.kind == TemplatePart::for_begin || token.kind == TemplatePart::if_begin) token.expr = expression();
  token.span = to_next(open.span);
  tokens.push_back(std::move(token));
  return true;
}

ExprPtr Rules::template_expression(Span opening, Tok closing, bool flush) {
  const Level level(*this);
  if (too_deep()) return placeholder(opening);
  Span inside;
  TemplateTokens tokens = template_tokens(closing, inside);
  if (flush) flush_indent(tokens);
  return template_of(std::move(tokens), between(opening, previous()));
}

ExprPtr Rules::bare_template() {
  Span inside;
  TemplateTokens tokens = template_tokens(Tok::end, inside);
  return template_of(std::move(tokens), inside);
}

ExprPtr Rules::template_of(TemplateTokens tokens, Span span) {
  join_texts(tokens);
  const bool single = tokens.size() == 2;
  const bool wrap = single && tokens[0].kind == TemplateToken::Kind::interpolation;
  const bool literal = single && tokens[0].kind == TemplateToken::Kind::text;
  if (literal) return make(span, LiteralExpr{Value::string(tokens[0].text), tokens[0].span});
  return make(span, TemplateExpr{all_parts(tokens), wrap});
}

}  // namespace kiln::tmpl
