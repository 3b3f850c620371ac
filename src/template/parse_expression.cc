#include <algorithm>
#include <array>

#include "template/rules.h"

namespace kiln::tmpl {

namespace {

struct Operator {
  Tok tok;
  Op op;
};
/// Loosest first.
const std::vector<Operator>& operators(std::size_t level) {
  static const std::array<std::vector<Operator>, 6> kLevels = {{
      {{Tok::logical_or, Op::logical_or}},
      {{Tok::logical_and, Op::logical_and}},
      {{Tok::equal, Op::equal}, {Tok::not_equal, Op::not_equal}},
      {{Tok::greater, Op::greater}, {Tok::at_least, Op::at_least}, {Tok::less, Op::less}, {Tok::at_most, Op::at_most}},
      {{Tok::plus, Op::add}, {Tok::minus, Op::subtract}},
      {{Tok::star, Op::multiply}, {Tok::slash, Op::divide}, {Tok::percent, Op::modulo}},
  }};
  return kLevels.at(level);
}
constexpr std::size_t kBinaryLevels = 6;

std::optional<Op> operator_at(std::size_t level, Tok tok) {
  for (const Operator& o : operators(level)) {
    if (o.tok == tok) return o.op;
  }
  return std::nullopt;
}

}  // namespace

ExprPtr Rules::expression() {
  const Level level(*this);
  if (too_deep()) return nullptr;
  ExprPtr condition = binary(0);
  if (!condition || peek().kind != Tok::question) return condition;
  const std::uint32_t begin = condition->span.begin;
  next();
  ExprPtr yes = expression();
  if (!yes) return nullptr;
  if (!expect(Tok::colon, "Missing false expression in conditional",
              "A conditional is written \"condition ? true_value : false_value\", and the colon is missing."))
    return nullptr;
  ExprPtr no = expression();
  if (!no) return nullptr;
  return make(begin, ConditionalExpr{std::move(condition), std::move(yes), std::move(no)});
}

ExprPtr Rules::binary(std::size_t level) {
  const auto operand = [&] { return level + 1 < kBinaryLevels ? binary(level + 1) : unary(); };
  ExprPtr first = operand();
  if (!first || !operator_at(level, peek().kind)) return first;
  const std::uint32_t begin = first->span.begin;
  BinaryExpr chain{std::move(first), {}};
  while (const auto op = operator_at(level, peek().kind)) {
    next();
    ExprPtr right = operand();
    if (!right) return nullptr;
    chain.rest.push_back({*op, std::move(right)});
  }
  return make(begin, std::move(chain));
}

ExprPtr Rules::unary() {
  const std::uint32_t begin = peek().span.begin;
  std::string signs;
  for (;;) {
    if (accept(Tok::minus)) {
      signs += '-';
    } else if (accept(Tok::bang)) {
      signs += '!';
    } else {
      break;
    }
  }
  ExprPtr operand = postfix();
  if (!operand || signs.empty()) return operand;
  return make(begin, UnaryExpr{std::move(signs), std::move(operand)});
}

ExprPtr Rules::postfix() {
  ExprPtr base = primary();
  if (!base) return nullptr;
  const std::uint32_t begin = base->span.begin;
  std::vector<Step> list;
  if (!steps(list)) return nullptr;
  if (list.empty()) return base;
  return make(begin, PostfixExpr{std::move(base), std::move(list)});
}

bool Rules::steps(std::vector<Step>& out) {
  const Level level(*this);
  if (too_deep()) return false;
  for (;;) {
    const Tok kind = peek().kind;
    bool rest_is_inside = false;
    if (kind == Tok::dot) {
      if (!dot_step(out)) return false;
    } else if (kind == Tok::open_bracket) {
      if (!bracket_step(out, rest_is_inside)) return false;
    } else {
      return true;
    }
    if (rest_is_inside) return steps(out.back().inside);
  }
}

bool Rules::dot_step(std::vector<Step>& out) {
  const std::uint32_t begin = next().span.begin;
  const Token token = peek();
  Step step;
  if (token.kind == Tok::identifier) {
    next();
    step.name = normalised(lexer_.text(token.span));
  } else if (token.kind == Tok::number) {
    const std::string_view text = lexer_.text(token.span);
    if (text.find_first_not_of("0123456789") != std::string_view::npos) {
      fail(token.span, "Invalid legacy index syntax", "Two indices in a row must be written in brackets: [0][1].");
      return false;
    }
    next();
    step.how = Step::How::index;
    step.index = make(token.span.begin, LiteralExpr{Value::number(Number::parse(text).value_or(0))});
  } else if (token.kind == Tok::star) {
    next();
    step.how = Step::How::attribute_splat;
    if (!attribute_splat(step)) return false;
  } else {
    return unexpected(token, "Invalid attribute name", "The name of an attribute must follow the dot.");
  }
  step.span = {begin, lexer_.position()};
  out.push_back(std::move(step));
  return true;
}

/// The attributes that belong to a.*: up to the first bracket.
bool Rules::attribute_splat(Step& splat) {
  while (peek().kind == Tok::dot) {
    const std::uint32_t back = lexer_.position();
    next();
    const Token after = peek();
    lexer_.seek(back);
    if (after.kind == Tok::star) {
      fail(after.span, "Nested splat expression not allowed",
           "A splat with a dot cannot hold another splat. Write both as [*].");
      return false;
    }
    if (!dot_step(splat.inside)) return false;
  }
  return true;
}

bool Rules::bracket_step(std::vector<Step>& out, bool& rest_is_inside) {
  const Token open = next();
  Step step;
  {
    const Newlines off(*this, false);
    if (peek().kind == Tok::star) {
      next();
      step.how = Step::How::full_splat;
      rest_is_inside = true;
    } else {
      step.how = Step::How::index;
      step.index = expression();
      if (!step.index) return false;
    }
    if (!expect(Tok::close_bracket, "Missing close bracket on index", "The closing bracket of this index is missing."))
      return false;
  }
  step.span = {open.span.begin, lexer_.position()};
  out.push_back(std::move(step));
  return true;
}

ExprPtr Rules::primary() {
  const Token token = next();
  switch (token.kind) {
    case Tok::number:
      return number(token);
    case Tok::identifier:
      return name_or_call(token);
    case Tok::quote:
      return template_expression({.kind = Ending::Kind::quote, .opening = token.span});
    case Tok::heredoc: {
      const HeredocStart start = *read_heredoc_start(lexer_.text(), token.span.begin);
      return template_expression(
          {.kind = Ending::Kind::heredoc, .marker = start.marker, .flush = start.flush, .opening = token.span});
    }
    case Tok::open_bracket:
      return tuple(token);
    case Tok::open_brace:
      return object(token);
    case Tok::open_paren: {
      const Newlines off(*this, false);
      ExprPtr inside = expression();
      if (!inside) return nullptr;
      if (!expect(Tok::close_paren, "Unbalanced parentheses", "The closing parenthesis is missing.")) return nullptr;
      return inside;
    }
    default:
      break;
  }
  lexer_.seek(token.span.begin);
  unexpected(token, "Invalid expression",
             token.kind == Tok::end || token.kind == Tok::newline ? "A value is missing here: the line ends before it."
                                                                  : "The start of an expression is expected here.");
  return nullptr;
}

ExprPtr Rules::number(const Token& token) {
  const auto value = Number::parse(lexer_.text(token.span));
  if (!value) {
    fail(token.span, "Invalid number literal", "Numbers have at most 512 digits and an exponent of at most 1000.");
    return nullptr;
  }
  return make(token.span.begin, LiteralExpr{Value::number(*value)});
}

ExprPtr Rules::name_or_call(const Token& token) {
  std::string name = normalised(lexer_.text(token.span));
  Span span = token.span;
  while (peek().kind == Tok::double_colon) {
    next();
    const Token part = next();
    if (part.kind != Tok::identifier) {
      unexpected(part, "Missing function name", "A name must follow \"::\".");
      return nullptr;
    }
    name += "::" + normalised(lexer_.text(part.span));
    span.end = part.span.end;
  }
  if (peek().kind == Tok::open_paren) return call(token, std::move(name), span);
  if (name == "true" || name == "false") return make(span.begin, LiteralExpr{Value::boolean(name == "true")});
  if (name == "null") return make(span.begin, LiteralExpr{Value::null()});
  return make(span.begin, NameExpr{std::move(name)});
}

ExprPtr Rules::call(const Token& token, std::string name, Span name_span) {
  next();
  const Newlines off(*this, false);
  CallExpr out{std::move(name), name_span, {}, false};
  while (!accept(Tok::close_paren)) {
    ExprPtr argument = expression();
    if (!argument) return nullptr;
    out.arguments.push_back(std::move(argument));
    if (accept(Tok::ellipsis)) {
      out.expand = true;
      if (expect(Tok::close_paren, "Missing closing parenthesis", "An argument with \"...\" must be the last one."))
        break;
      return nullptr;
    }
    if (peek().kind != Tok::close_paren &&
        !expect(Tok::comma, "Missing argument separator", "A comma must stand between the arguments of a function."))
      return nullptr;
  }
  return make(token.span.begin, std::move(out));
}

bool Rules::is_keyword(std::string_view word) {
  const Token token = peek();
  return token.kind == Tok::identifier && lexer_.text(token.span) == word;
}

ExprPtr Rules::tuple(const Token& open) {
  const Newlines off(*this, false);
  if (is_keyword("for")) return for_expression(open, false);
  TupleExpr out;
  while (!accept(Tok::close_bracket)) {
    ExprPtr element = expression();
    if (!element) return nullptr;
    out.elements.push_back(std::move(element));
    if (peek().kind != Tok::close_bracket &&
        !expect(Tok::comma, "Missing item separator", "A comma must stand between the items of a list."))
      return nullptr;
  }
  return make(open.span.begin, std::move(out));
}

ExprPtr Rules::object(const Token& open) {
  {
    const Newlines off(*this, false);
    if (is_keyword("for")) return for_expression(open, true);
  }
  const Newlines on(*this, true);
  ObjectExpr out;
  for (;;) {
    while (accept(Tok::newline)) continue;
    if (accept(Tok::close_brace)) return make(open.span.begin, std::move(out));
    if (!object_item(out)) return nullptr;
    const Tok after = peek().kind;
    if (after == Tok::close_brace) continue;
    if (after != Tok::newline && !expect(Tok::comma, "Missing attribute separator",
                                         "A comma or a new line must stand between the items of an object."))
      return nullptr;
  }
}

ExprPtr Rules::object_key() {
  const Token first = peek();
  if (first.kind == Tok::identifier) {
    next();
    const Tok after = peek().kind;
    if (after == Tok::assign || after == Tok::colon)
      return make(first.span.begin, LiteralExpr{Value::string(lexer_.text(first.span))});
    lexer_.seek(first.span.begin);
  }
  ExprPtr key = expression();
  if (!key) return nullptr;
  const auto* path = std::get_if<PostfixExpr>(&key->node);
  if (path != nullptr && first.kind == Tok::identifier && std::holds_alternative<NameExpr>(path->base->node)) {
    fail(key->span, "Ambiguous attribute key",
         "If this is meant to be a reference, put it in parentheses; if a literal name, in quotes.");
    return nullptr;
  }
  return key;
}

bool Rules::object_item(ObjectExpr& object) {
  ExprPtr key = object_key();
  if (!key) return false;
  const Token token = peek();
  if (token.kind != Tok::assign && token.kind != Tok::colon) {
    return unexpected(token, "Missing attribute value", "A key must be followed by \"=\" (or \":\") and its value.");
  }
  next();
  ExprPtr value = expression();
  if (!value) return false;
  object.items.push_back({std::move(key), std::move(value)});
  return true;
}

bool Rules::for_intro(std::string& key_name, std::string& value_name, ExprPtr& collection) {
  const auto name = [&](std::string& out) {
    const Token token = next();
    if (token.kind != Tok::identifier)
      return unexpected(token, "Invalid 'for' expression", "A name for each element must follow \"for\".");
    out = normalised(lexer_.text(token.span));
    return true;
  };
  if (!name(value_name)) return false;
  if (accept(Tok::comma)) {
    key_name = value_name;
    if (!name(value_name)) return false;
  }
  if (!is_keyword("in"))
    return unexpected(peek(), "Invalid 'for' expression", "The word \"in\" must follow the names.");
  next();
  collection = expression();
  return collection != nullptr;
}

ExprPtr Rules::for_expression(const Token& open, bool object) {
  const Newlines off(*this, false);
  next();
  ForExpr out;
  if (!for_intro(out.key_name, out.value_name, out.collection)) return nullptr;
  if (!expect(Tok::colon, "Invalid 'for' expression", "A colon must follow the collection.")) return nullptr;
  out.value = expression();
  if (!out.value) return nullptr;
  if (!object && peek().kind == Tok::arrow) {
    fail(peek().span, "Invalid 'for' expression", "A list has no keys: use braces to make an object.");
    return nullptr;
  }
  if (object) {
    out.key = std::move(out.value);
    if (!expect(Tok::arrow, "Invalid 'for' expression", "\"=>\" and a value must follow the key.")) return nullptr;
    out.value = expression();
    if (!out.value) return nullptr;
    out.group = accept(Tok::ellipsis);
  }
  if (is_keyword("if")) {
    next();
    out.condition = expression();
    if (!out.condition) return nullptr;
  }
  if (!expect(object ? Tok::close_brace : Tok::close_bracket, "Invalid 'for' expression",
              "The closing bracket of the 'for' expression is missing."))
    return nullptr;
  return make(open.span.begin, std::move(out));
}

}  // namespace kiln::tmpl
