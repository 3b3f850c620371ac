#include <fmt/format.h>

#include "base/text.h"
#include "template/rules.h"

namespace kiln::tmpl {

Token Rules::peek() {
  const bool newlines = newlines_.back();
  if (!peeked_ || peeked_from_ != lexer_.position() || peeked_newlines_ != newlines) {
    peeked_from_ = lexer_.position();
    peeked_newlines_ = newlines;
    peeked_ = lexer_.peek(newlines);
  }
  return *peeked_;
}

Token Rules::next() {
  const Token token = peek();
  lexer_.seek(token.span.end);
  return token;
}

bool Rules::accept(Tok kind) {
  if (peek().kind != kind) return false;
  next();
  return true;
}

bool Rules::expect(Tok kind, const char* summary, const char* what) {
  const Token token = peek();
  if (token.kind != kind) return unexpected(token, summary, what);
  next();
  return true;
}

void Rules::fail(Span span, std::string summary, std::string detail) {
  ++errors_;
  diagnostics_.push_back(
      {.summary = std::move(summary), .detail = std::move(detail), .subject = file_.range(span), .context = {}});
}

/// Reports a token that does not fit; some characters say themselves what was meant.
bool Rules::unexpected(const Token& token, std::string summary, const std::string& detail) {
  const std::string_view text = lexer_.text(token.span);
  if (token.kind == Tok::invalid && text == "'") {
    fail(token.span, "Invalid character", "Single quotes are not valid. Use double quotes (\") to enclose strings.");
  } else if (token.kind == Tok::invalid && text == "`") {
    fail(token.span, "Invalid character",
         "The \"`\" character is not valid. To write a string of several lines, use the heredoc syntax, like "
         "\"<<EOT\".");
  } else if (token.kind == Tok::invalid && (text == "&" || text == "|" || text == "^")) {
    fail(token.span, "Unsupported operator",
         "There are no bitwise operators. The logical ones are written \"&&\", \"||\" and \"!\".");
  } else if (token.kind == Tok::invalid) {
    fail(token.span, "Invalid character", "This character is not used within the language.");
  } else {
    fail(token.span, std::move(summary), detail);
  }
  return false;
}

bool Rules::too_deep() {
  if (depth_ <= kMaxNesting) return false;
  fail(peek().span, "Nesting too deep",
       fmt::format("Blocks and expressions may be nested at most {} levels deep.", kMaxNesting));
  return true;
}

ExprPtr Rules::make(std::uint32_t begin, decltype(Expr::node) node) {
  return std::make_unique<const Expr>(Expr{&file_, {begin, std::max(begin, lexer_.position())}, std::move(node)});
}

SyntaxBody Rules::body(bool nested) {
  SyntaxBody out;
  out.file = &file_;
  out.span.begin = lexer_.position();
  const Newlines sensitive(*this, true);
  for (;;) {
    const Token token = peek();
    out.span.end = token.span.begin;
    if (token.kind == Tok::end || (nested && token.kind == Tok::close_brace)) return out;
    if (token.kind == Tok::newline) {
      next();
      continue;
    }
    if (!item(out)) recover(token.span.begin);
    if (errors_ >= kMaxErrors) lexer_.seek(static_cast<std::uint32_t>(lexer_.text().size()));
  }
}

bool Rules::item(SyntaxBody& out) {
  const Token name = next();
  if (name.kind == Tok::quote) {
    return unexpected(name, "Invalid argument name", "Names of arguments and types of blocks are not quoted.");
  }
  if (name.kind != Tok::identifier) {
    return unexpected(name, "Argument or block definition required",
                      "An argument (name = value) or a block (type { ... }) must start here.");
  }
  if (!(peek().kind == Tok::assign ? attribute(out, name) : block(out, name))) return false;
  const Token end = peek();
  if (end.kind == Tok::newline) next();
  if (end.kind == Tok::newline || end.kind == Tok::end || end.kind == Tok::close_brace) return true;
  return unexpected(end, "Missing newline",
                    "An argument or block must end with the line. To go on in the next line, put the expression in "
                    "parentheses.");
}

bool Rules::attribute(SyntaxBody& out, const Token& name) {
  next();
  ExprPtr value = expression();
  if (!value) return false;
  const std::string text = normalised(lexer_.text(name.span));
  if (const Attribute* first = out.find(text)) {
    const Pos at = file_.pos(first->name_span.begin);
    fail(name.span, "Attribute redefined",
         fmt::format("The argument \"{}\" was already set at {}:{},{}. Each argument may be set only once.", text,
                     file_.name(), at.line, at.column));
    return true;
  }
  out.attributes.push_back({text, name.span, std::move(value)});
  return true;
}

bool Rules::label(Block& block, const Token& token) {
  if (token.kind == Tok::identifier) {
    block.labels.push_back(normalised(lexer_.text(token.span)));
    block.label_spans.push_back(token.span);
    return true;
  }
  const auto tokens = template_tokens({.kind = Ending::Kind::quote, .opening = token.span});
  if (!tokens) return false;
  std::string text;
  for (const TemplateToken& part : *tokens) {
    if (part.kind != TemplateToken::Kind::text) {
      fail(part.span, "Invalid string literal",
           "Template sequences are not allowed in a block's label. To write it literally, use \"$${\".");
      return false;
    }
    text += part.text;
  }
  block.labels.push_back(normalised(text));
  block.label_spans.push_back({token.span.begin, lexer_.position()});
  return true;
}

bool Rules::block(SyntaxBody& out, const Token& name) {
  const Level level(*this);
  if (too_deep()) return false;
  Block block;
  block.type = normalised(lexer_.text(name.span));
  block.type_span = block.header = name.span;
  for (Token token = next(); token.kind != Tok::open_brace; token = next()) {
    if (token.kind != Tok::identifier && token.kind != Tok::quote) {
      if (block.labels.empty() && token.kind == Tok::newline) {
        fail(name.span, "Argument or block definition required",
             "A value (name = value) or a body (type { ... }) must follow the name on its line.");
        return false;
      }
      return unexpected(token, "Invalid block definition",
                        "A block is its type, its labels and an opening brace, on one line.");
    }
    if (!label(block, token)) return false;
    block.header.end = lexer_.position();
  }
  const std::size_t errors = errors_;
  block.body = body(true);
  if (!accept(Tok::close_brace)) {
    // After an error inside, going on behind it may have gone too far: then that error is the reason.
    if (errors_ == errors)
      fail(block.header, "Unclosed configuration block",
           "There is no closing brace for this block before the end of the file.");
    out.blocks.push_back(std::move(block));
    return true;
  }
  out.blocks.push_back(std::move(block));
  return true;
}

/// Goes behind the item that began at start and has an error: to the end of the line on which its brackets close. Where
/// they never close, to the end of the line of the error.
void Rules::recover(std::uint32_t start) {
  const std::uint32_t error_at = std::max(lexer_.position(), start + 1);
  Lexer scan = lexer_;
  scan.seek(start);
  std::size_t open = 0;
  for (;;) {
    const std::uint32_t before = scan.position();
    const Token token = skip_item(scan);
    const bool behind = token.span.end >= error_at;
    switch (token.kind) {
      case Tok::open_paren:
      case Tok::open_bracket:
      case Tok::open_brace:
        ++open;
        continue;
      case Tok::close_brace:
        if (open == 0 && newlines_.size() > 2) {
          lexer_.seek(before);
          return;
        }
        [[fallthrough]];
      case Tok::close_paren:
      case Tok::close_bracket:
        open -= open > 0 ? 1 : 0;
        continue;
      case Tok::newline:
        if (open > 0 || !behind) continue;
        lexer_.seek(token.span.end);
        return;
      case Tok::end: {
        const std::size_t line = open == 0 ? std::string_view::npos : lexer_.text().find('\n', error_at - 1);
        lexer_.seek(static_cast<std::uint32_t>(std::min(line, lexer_.text().size())));
        return;
      }
      default:
        continue;
    }
  }
}

bool Rules::only_space_left() {
  newlines_.assign(1, false);
  const Token token = peek();
  if (token.kind == Tok::end) return true;
  return unexpected(token, "Extra characters after expression",
                    "An expression was read, but there is more text behind it.");
}

/// What is wrong with the text as a whole.
void Rules::check_text() {
  const std::string_view text = file_.text();
  std::uint32_t begin = 0;
  while (begin < text.size()) {  // line by line, to name the place
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    if (!is_utf8(text.substr(begin, end - begin))) {
      fail({begin, static_cast<std::uint32_t>(end)}, "Invalid character encoding",
           "Templates are UTF-8 text, and this line is not. Save the file as UTF-8.");
      return;
    }
    begin = static_cast<std::uint32_t>(end + 1);
  }
  for (std::size_t at = text.find("\xE2\x80"); at != std::string_view::npos; at = text.find("\xE2\x80", at + 1)) {
    const auto last = at + 2 < text.size() ? static_cast<unsigned char>(text[at + 2]) : 0U;
    if (last < 0xAA || last > 0xAE) continue;  // U+202A to U+202E: overrides of the direction
    const auto place = static_cast<std::uint32_t>(at);
    diagnostics_.push_back({.severity = Severity::warning,
                            .summary = "Text direction control character",
                            .detail = "This invisible character makes text look different from what it is.",
                            .subject = file_.range({place, place + 3}),
                            .context = {}});
    return;
  }
}

SyntaxBody parse_body(const SourceFile& file, Diagnostics& diagnostics) {
  Rules rules(file, diagnostics);
  rules.check_text();
  return rules.failed() ? SyntaxBody{.file = &file} : rules.body(false);
}

ExprPtr parse_expression(const SourceFile& file, Diagnostics& diagnostics) {
  Rules rules(file, diagnostics);
  rules.check_text();
  if (rules.failed()) return nullptr;
  rules.newline_sensitive(false);
  ExprPtr expr = rules.expression();
  if (expr) rules.only_space_left();
  return rules.failed() ? nullptr : std::move(expr);
}

ExprPtr parse_template(const SourceFile& file, Diagnostics& diagnostics) {
  Rules rules(file, diagnostics);
  rules.check_text();
  if (rules.failed()) return nullptr;
  ExprPtr expr = rules.template_expression({});
  return rules.failed() ? nullptr : std::move(expr);
}

}  // namespace kiln::tmpl
