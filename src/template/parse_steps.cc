// What follows a term: attributes, indices, splats; and for expressions.
#include "template/rules.h"

namespace kiln::tmpl {

ExprPtr Rules::postfix() {
  ExprPtr base = primary();
  std::vector<Step> list;
  steps(list);
  if (list.empty()) return base;
  Span end = list.back().span;
  for (const Step* s = &list.back(); !s->inside.empty(); s = &s->inside.back()) end = s->inside.back().span;
  const Span whole = between(base->span, end);
  return make(whole, PostfixExpr{std::move(base), std::move(list)});
}

void Rules::steps(std::vector<Step>& out) {
  const Level level(*this);
  if (too_deep()) return;
  for (;;) {
    const Tok kind = peek().kind;
    if (kind == Tok::dot) {
      dot_step(out);
    } else if (kind == Tok::open_bracket) {
      bracket_step(out);
    } else {
      return;
    }
  }
}

/// .0 as an index; false for .0.1, which reads as a fraction.
bool Rules::legacy_index(Span at, Span dot, Step& step) {
  const Token token = read();
  step.how = Step::How::index;
  step.span = between(dot, token.span);
  const bool two = lexer_.text(token.span).find('.') != std::string_view::npos;
  if (two) fail(at, "Invalid legacy index syntax", "Two indices in a row must be written in brackets: [0][1].");
  step.index = make(token.span, LiteralExpr{two ? Value::unknown() : number_value(token)});
  return !two;
}

void Rules::dot_step(std::vector<Step>& out) {
  const Span dot = read().span;
  const Token token = peek();
  Step step;
  if (token.kind == Tok::identifier) {
    step.name = text_of(read());
    step.span = between(dot, token.span);
  } else if (token.kind == Tok::number) {
    legacy_index(token.span, dot, step);
  } else if (token.kind == Tok::star) {
    read();
    step.how = Step::How::attribute_splat;
    step.marker = step.span = between(dot, token.span);
    if (!attribute_splat(step, token.span)) return;
  } else {
    fail(token.span, "Invalid attribute name", "The name of an attribute must follow the dot.");
    recovering_ = true;
    return;
  }
  out.push_back(std::move(step));
}

/// The attributes and indices with a dot that belong to a.*
bool Rules::attribute_splat(Step& splat, Span star) {
  while (peek().kind == Tok::dot) {
    const Span dot = read().span;
    const Token token = peek();
    Step step;
    if (token.kind == Tok::number) {
      legacy_index(star, dot, step);
    } else if (token.kind == Tok::identifier) {
      step.name = text_of(read());
      step.span = between(dot, token.span);
    } else {
      if (token.kind == Tok::star) {
        fail_first(token.span, "Nested splat expression not allowed",
                   "A splat with a dot cannot hold another splat. Write both as [*].");
      } else {
        fail_first(star, "Invalid attribute name", "The name of an attribute must follow the dot.");
      }
      recovering_ = true;
      return false;
    }
    splat.inside.push_back(std::move(step));
  }
  return true;
}

void Rules::bracket_step(std::vector<Step>& out) {
  const Token open = read();
  Step step;
  if (accept(Tok::star)) {
    Token close = read();
    if (close.kind != Tok::close_bracket && !recovering_) {
      const Span here = close.span;
      close = recover(Tok::close_bracket);
      fail(report_ == Report::as_hcl ? close.span : here, "Missing close bracket on splat index",
           "The closing bracket must follow the star.");
    }
    step.how = Step::How::full_splat;
    step.marker = step.span = between(open.span, close.span);
    steps(step.inside);
    out.push_back(std::move(step));
    return;
  }
  const Newlines off(*this, false);
  const std::size_t errors = errors_;
  step.how = Step::How::index;
  step.index = expression();
  Token close = open;
  if (broken_since(errors)) {
    close = recover(Tok::close_bracket);
  } else {
    close = read();
    if (close.kind != Tok::close_bracket && !recovering_) {
      const Span here = close.span;
      close = recover(Tok::close_bracket);
      fail(report_ == Report::as_hcl ? close.span : here, "Missing close bracket on index",
           "The closing bracket of this index is missing.");
    }
  }
  step.span = between(open.span, close.span);
  out.push_back(std::move(step));
}

bool Rules::name_of(std::string& out, const char* what) {
  const Token token = peek();
  if (token.kind != Tok::identifier) {
    fail_first(token.span, what, "A name for each element must follow \"for\", and one must follow a comma.");
    return false;
  }
  out = text_of(read());
  return true;
}

/// "x in" or "k, v in".
bool Rules::for_intro(std::string& key_name, std::string& value_name, const char* what) {
  if (!name_of(value_name, what)) return false;
  if (accept(Tok::comma)) {
    key_name = value_name;
    if (!name_of(value_name, what)) return false;
  }
  if (!is_word("in")) {
    fail_first(peek().span, what, "The word \"in\" must follow the names.");
    return false;
  }
  read();
  return true;
}

/// Everything from "for" up to the closing bracket; false when that has to be looked for.
bool Rules::for_parts(ForExpr& out, Tok close, Span& ellipsis) {
  constexpr const char* kWhat = "Invalid 'for' expression";
  if (!for_intro(out.key_name, out.value_name, kWhat)) return false;
  const auto part = [&](ExprPtr& into) {
    const std::size_t errors = errors_;
    into = expression();
    return !broken_since(errors);
  };
  if (!part(out.collection)) return false;
  if (peek().kind != Tok::colon) {
    fail_first(peek().span, kWhat, "A colon must follow the collection.");
    return false;
  }
  read();
  bool good = part(out.value);
  if (accept(Tok::arrow)) {
    out.key = std::move(out.value);
    good = part(out.value) && good;
  }
  if (!good) return false;
  if (peek().kind == Tok::ellipsis) {
    ellipsis = read().span;
    out.group = true;
  }
  if (is_word("if")) {
    read();
    if (!part(out.condition)) return false;
  }
  if (peek().kind == close) return true;
  fail_first(peek().span, kWhat, "The closing bracket of the 'for' expression is missing.");
  return true;
}

void Rules::for_problems(const ForExpr& out, bool object, Span ellipsis) {
  constexpr const char* kWhat = "Invalid 'for' expression";
  if (object && !out.key) fail(out.value->span, kWhat, "\"=>\" and a value must follow the key.");
  if (!object && out.key) fail(out.key->span, kWhat, "A list has no keys: use braces to make an object.");
  if (!object && out.group) fail(ellipsis, kWhat, "\"...\" groups the values of an object; a list has none.");
}

ExprPtr Rules::for_expression(const Token& open) {
  const Newlines off(*this, false);
  read();  // "for"
  const bool object = open.kind == Tok::open_brace;
  const Tok closing = object ? Tok::close_brace : Tok::close_bracket;
  ForExpr out;
  out.open = open.span;
  Span ellipsis;
  if (!for_parts(out, closing, ellipsis)) return placeholder(between(open.span, recover(closing).span));
  const Span close = peek().kind == closing ? read().span : recover(closing).span;
  for_problems(out, object, ellipsis);
  return make(between(open.span, close), std::move(out));
}

}  // namespace kiln::tmpl
