#include <fmt/format.h>

#include "template/rules.h"

namespace kiln::tmpl {

SyntaxBody Rules::body(Tok end) {
  SyntaxBody out;
  out.file = &file_;
  const Span start = previous();
  names_.emplace_back();
  while (items(out, end, start)) continue;
  names_.pop_back();
  out.span = between(start, previous());
  out.missing = {start.begin, start.begin};
  return out;
}

/// One item or line end; false behind the end of the body.
bool Rules::items(SyntaxBody& out, Tok end, Span start) {
  const Token token = peek();
  if (token.kind == end) {
    read();
    return false;
  }
  if (token.kind == Tok::newline) {
    read();
    return true;
  }
  if (token.kind == Tok::identifier) {
    item(out);
    if (report_ == Report::every_item) recovering_ = false;
    return true;
  }
  bad_item(read(), end, start);
  if (report_ == Report::every_item && token.kind != Tok::end) {
    if (token.kind == Tok::close_brace) return true;
    recover_after_item();
    recovering_ = false;
    return true;
  }
  recover(end);
  return false;
}

void Rules::bad_item(const Token& token, Tok end, Span start) {
  if (token.kind == Tok::open_quote) {
    fail_first(token.span, "Invalid argument name", "Names of arguments and types of blocks are not quoted.");
  } else if (token.kind == Tok::end) {
    if (!lost_end_)
      fail_first(start, end == Tok::close_brace ? "Unclosed configuration block" : "Unclosed configuration body",
                 "There is no closing brace for this block before the end of the file.");
  } else {
    fail_first(token.span, "Argument or block definition required",
               "An argument (name = value) or a block (type { ... }) must start here.");
  }
}

void Rules::item(SyntaxBody& out) {
  const Level level(*this);
  const Token name = read();
  if (too_deep()) return;
  const Tok next = peek().kind;
  if (next == Tok::assign) return attribute(out, name, false);
  if (next == Tok::open_quote || next == Tok::open_brace || next == Tok::identifier) return block(out, name);
  fail(name.span, "Argument or block definition required",
       "A value (name = value) or a body (type { ... }) must follow the name on its line.");
  recover_after_item();
}

void Rules::attribute(SyntaxBody& out, const Token& name, bool single_line) {
  read();  // "="
  const std::size_t errors = errors_;
  ExprPtr value = expression();
  if (broken_since(errors)) {
    recover_after_item();
  } else if (!single_line) {
    attribute_end(name);
  }
  add_attribute(out, {text_of(name), name.span, std::move(value)});
}

void Rules::attribute_end(const Token& name) {
  const Token end = peek();
  if (end.kind == Tok::newline || end.kind == Tok::end) {
    read();
    return;
  }
  if (end.kind == Tok::comma) {
    fail_first(end.span, "Unexpected comma after argument",
               fmt::format("The argument \"{}\" must end with its line; the next one stands on a line of its own.",
                           text_of(name)));
  } else {
    fail_first(end.span, "Missing newline after argument",
               "An argument must end with the line. To go on in the next line, put the expression in parentheses.");
  }
  item_end(end);
}

/// Behind a problem with what follows an item: a closing brace is the end of the block all the same.
void Rules::item_end(const Token& end) {
  if (report_ == Report::as_hcl || end.kind != Tok::close_brace) recover_after_item();
}

void Rules::add_attribute(SyntaxBody& out, Attribute attribute) {
  const auto [first, fresh] = names_.back().emplace(attribute.name, attribute.name_span);
  if (fresh) {
    out.attributes.push_back(std::move(attribute));
    return;
  }
  const Pos at = file_.pos(first->second.begin);
  fail(attribute.name_span, "Attribute redefined",
       fmt::format("The argument \"{}\" was already set at {}:{},{}. Each argument may be set only once.",
                   attribute.name, file_.name(), at.line, at.column));
}

/// A quoted label, which holds no template sequences.
std::string Rules::label(Span& span) {
  const Token open = read();
  std::string text;
  for (;;) {
    const Token token = read();
    span = between(open.span, token.span);
    switch (token.kind) {
      case Tok::close_quote:
        return text;
      case Tok::quoted_text:
        text += literal(token);
        break;
      case Tok::interpolation:
      case Tok::control:
        fail(token.span, "Invalid string literal",
             "Template sequences are not allowed in a block's label. To write it literally, use \"$${\".");
        recover(Tok::sequence_end);
        break;
      case Tok::end:
        fail(token.span, "Unterminated string literal", "There is no closing quote before the end of the file.");
        return text;
      default:
        fail(token.span, "Invalid string literal", "This cannot stand in a block's label.");
        recover(Tok::close_quote);
        return text;
    }
  }
}

void Rules::header_problem(const Token& token) {
  if (token.kind == Tok::assign) {
    fail(token.span, "Invalid block definition", "A block has no \"=\" between its labels and its body.");
  } else if (token.kind == Tok::newline) {
    fail(token.span, "Invalid block definition",
         "A block is its type, its labels and an opening brace, on one line; this line ends before the brace.");
  } else {
    fail_first(token.span, "Invalid block definition",
               "A block is its type, its labels and an opening brace, on one line.");
  }
}

/// Labels and the opening brace; false when the block ends there with a problem.
bool Rules::header(Block& block) {
  for (;;) {
    const Token token = peek();
    if (token.kind == Tok::open_brace) {
      block.open = read().span;
      return true;
    }
    Span span = token.span;
    if (token.kind == Tok::open_quote) {
      block.labels.push_back(normalised(label(span)));
    } else if (token.kind == Tok::identifier) {
      block.labels.push_back(text_of(read()));
    } else {
      header_problem(token);
      recover_after_item();
      return false;
    }
    block.label_spans.push_back(span);
    block.header = between(block.header, span);
  }
}

/// { name = value } on one line. Ends in front of the closing brace.
SyntaxBody Rules::single_line_body(Block& block) {
  SyntaxBody out;
  out.file = &file_;
  const Token name = read();
  const Token next = name.kind == Tok::identifier ? peek() : name;
  if (name.kind == Tok::identifier && next.kind == Tok::assign) {
    names_.emplace_back();
    attribute(out, name, true);
    names_.pop_back();
    out.span = between(name.span, previous());
    out.missing = {name.span.begin, name.span.begin};
    return out;
  }
  const bool nested = name.kind == Tok::identifier &&
                      (next.kind == Tok::open_quote || next.kind == Tok::open_brace || next.kind == Tok::identifier);
  if (nested) {
    fail(between(name.span, next.span), "Argument definition required",
         "A block on one line holds only an argument (name = value). A block inside it needs a line of its own.");
  } else {
    fail(name.span, "Argument or block definition required", "An argument (name = value) must start here.");
  }
  recover_after_item();
  out.span = between(block.open, previous());
  out.missing = {block.open.begin, block.open.begin};
  return out;
}

void Rules::single_line_end(const Block& block) {
  const Token token = peek();
  if (token.kind == Tok::close_brace) {
    read();
    return;
  }
  if (token.kind == Tok::comma || token.kind == Tok::newline) {
    fail(
        token.span, "Invalid single-argument block definition",
        "A block on one line holds one argument and closes on that line. For more, begin a new line behind the brace.");
  } else if (token.kind == Tok::end) {
    if (!lost_end_)
      fail_first(block.open, "Unclosed configuration block",
                 "There is no closing brace for this block before the end of the file.");
  } else {
    fail_first(token.span, "Invalid single-argument block definition",
               "The closing brace must follow the only argument of a block on one line.");
  }
  recover(Tok::close_brace);
}

void Rules::block(SyntaxBody& out, const Token& name) {
  Block block;
  block.type = text_of(name);
  block.type_span = block.header = block.open = name.span;
  if (!header(block)) {
    block.body.file = &file_;
    block.body.span = name.span;
    block.body.missing = {name.span.begin, name.span.begin};
    out.blocks.push_back(std::move(block));
    return;
  }
  const Tok inside = peek().kind;
  if (inside == Tok::newline || inside == Tok::end || inside == Tok::close_brace) {
    block.body = body(Tok::close_brace);
  } else {
    block.body = single_line_body(block);
    single_line_end(block);
  }
  out.blocks.push_back(std::move(block));
  const Token end = peek();
  if (end.kind == Tok::newline || end.kind == Tok::end) {
    read();
    return;
  }
  fail_first(end.span, "Missing newline after block definition", "A block must end with the line.");
  item_end(end);
}

void Rules::only_space_left() {
  newlines_.assign(1, false);
  const Token token = peek();
  if (token.kind == Tok::end) return;
  fail_first(token.span, "Extra characters after expression",
             "An expression was read, but there is more text behind it.");
}

/// Overrides of the direction of text make a line look different from what it is.
void Rules::warn_of_direction() {
  const std::string_view text = file_.text();
  for (std::size_t at = text.find("\xE2\x80"); at != std::string_view::npos; at = text.find("\xE2\x80", at + 1)) {
    const auto last = at + 2 < text.size() ? static_cast<unsigned char>(text[at + 2]) : 0U;
    if (last < 0xAA || last > 0xAE) continue;  // U+202A to U+202E
    const auto place = static_cast<std::uint32_t>(at);
    diagnostics_.push_back({.severity = Severity::warning,
                            .summary = "Text direction control character",
                            .detail = "This invisible character makes text look different from what it is.",
                            .subject = file_.range({place, place + 3}),
                            .context = {}});
    return;
  }
}

SyntaxBody parse_body(const SourceFile& file, Diagnostics& diagnostics, Report report) {
  Rules rules(file, diagnostics, Lexer::Mode::config, report);
  SyntaxBody out = rules.body(Tok::end);
  if (report == Report::every_item) rules.warn_of_direction();
  return out;
}

ExprPtr parse_expression(const SourceFile& file, Diagnostics& diagnostics) {
  Rules rules(file, diagnostics, Lexer::Mode::config, Report::every_item);
  rules.newline_sensitive(false);
  ExprPtr expr = rules.expression();
  rules.only_space_left();
  rules.warn_of_direction();
  return rules.failed() ? nullptr : std::move(expr);
}

ExprPtr parse_template(const SourceFile& file, Diagnostics& diagnostics) {
  Rules rules(file, diagnostics, Lexer::Mode::bare_template, Report::as_hcl);
  ExprPtr expr = rules.bare_template();
  rules.warn_of_direction();
  return rules.failed() ? nullptr : std::move(expr);
}

}  // namespace kiln::tmpl
