#include <algorithm>
#include <array>

#include "base/text.h"
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
  const Span start = peek().span;
  if (too_deep()) return placeholder(start);
  const std::size_t errors = errors_;
  ExprPtr condition = binary(0);
  if (broken_since(errors) || !accept(Tok::question)) return condition;
  const std::size_t yes_errors = errors_;
  ExprPtr yes = expression();
  if (broken_since(yes_errors)) return condition;
  if (peek().kind != Tok::colon) {
    fail(peek().span, "Missing false expression in conditional",
         "A conditional is written \"condition ? true_value : false_value\", and the colon is missing.");
    return condition;
  }
  read();
  const std::size_t no_errors = errors_;
  ExprPtr no = expression();
  if (broken_since(no_errors)) return condition;
  const Span whole = between(start, no->span);
  return make(whole, ConditionalExpr{std::move(condition), std::move(yes), std::move(no)});
}

ExprPtr Rules::binary(std::size_t level) {
  const auto operand = [&] { return level + 1 < kBinaryLevels ? binary(level + 1) : postfix(); };
  const std::size_t errors = errors_;
  ExprPtr first = operand();
  if (broken_since(errors) || !operator_at(level, peek().kind)) return first;
  const Span start = first->span;
  Span end = start;
  BinaryExpr chain{std::move(first), {}};
  while (const auto op = operator_at(level, peek().kind)) {
    read();
    const std::size_t right_errors = errors_;
    ExprPtr right = operand();
    if (broken_since(right_errors)) break;
    end = right->span;
    chain.rest.push_back({*op, std::move(right)});
  }
  if (chain.rest.empty()) return std::move(chain.first);
  return make(between(start, end), std::move(chain));
}

ExprPtr Rules::signs() {
  std::vector<UnaryExpr::Sign> list;
  for (Tok kind = peek().kind; kind == Tok::minus || kind == Tok::bang; kind = peek().kind) {
    list.push_back({kind == Tok::minus ? '-' : '!', read().span.begin});
  }
  ExprPtr operand = postfix();
  const Span whole = between({list[0].at, list[0].at}, operand->span);
  return make(whole, UnaryExpr{std::move(list), std::move(operand)});
}

ExprPtr Rules::primary() {
  const Token token = peek();
  if (token.kind == Tok::minus || token.kind == Tok::bang) return signs();
  switch (token.kind) {
    case Tok::number:
      return number(read());
    case Tok::identifier:
      return name_or_call(read());
    case Tok::open_quote:
      return template_expression(read().span, Tok::close_quote, false);
    case Tok::open_heredoc: {
      const bool flush = lexer_.text(token.span).starts_with("<<-");
      return template_expression(read().span, Tok::close_heredoc, flush);
    }
    case Tok::open_bracket:
      return tuple(read());
    case Tok::open_brace:
      return object(read());
    case Tok::open_paren:
      return parenthesis(read());
    default:
      break;
  }
  if (token.kind == Tok::end) {
    fail_first(token.span, "Missing expression", "A value is missing here: the text ends before it.");
  } else {
    fail_first(token.span, "Invalid expression",
               token.kind == Tok::newline ? "A value is missing here: the line ends before it."
                                          : "The start of an expression is expected here.");
  }
  recovering_ = true;
  return placeholder(token.span);
}

ExprPtr Rules::parenthesis(const Token& open) {
  const Newlines off(*this, false);
  const std::size_t errors = errors_;
  ExprPtr inside = expression();
  if (errors_ > errors) {
    recover(Tok::close_paren);
    return inside;
  }
  if (peek().kind != Tok::close_paren) {
    fail(peek().span, "Unbalanced parentheses", "The closing parenthesis is missing.");
    recovering_ = true;
  }
  const Span whole = between(open.span, read().span);
  return make(whole, ParenExpr{std::move(inside)});
}

Value Rules::number_value(const Token& token) {
  if (const auto value = Number::parse(lexer_.text(token.span))) return Value::number(*value);
  fail(token.span, "Invalid number literal",
       "A number is digits, a fraction and an exponent, with at most 512 digits and an exponent of at most 1000.");
  return Value::unknown(Type::number());
}

ExprPtr Rules::number(const Token& token) {
  return make(token.span, LiteralExpr{number_value(token)});
}

ExprPtr Rules::name_or_call(const Token& token) {
  const Tok next = peek().kind;
  if (next == Tok::open_paren || next == Tok::double_colon) return call(token, read());
  std::string name = text_of(token);
  if (name == "true" || name == "false") return make(token.span, LiteralExpr{Value::boolean(name == "true")});
  if (name == "null") return make(token.span, LiteralExpr{Value::null()});
  return make(token.span, NameExpr{std::move(name)});
}

/// The rest of a name with "::" in it, up to the opening parenthesis.
bool Rules::function_name(CallExpr& out, Token& open) {
  while (open.kind == Tok::double_colon) {
    const Token part = read();
    if (part.kind != Tok::identifier) {
      fail(part.span, "Missing function name", "A name must follow \"::\".");
      recover_over(Tok::open_paren);
      return false;
    }
    out.name += "::" + text_of(part);
    out.name_span.end = part.span.end;
    open = read();
  }
  if (open.kind == Tok::open_paren) return true;
  fail(open.span, "Missing open parenthesis", "A name with \"::\" is a function and needs its arguments.");
  recover_over(Tok::open_paren);
  return false;
}

ExprPtr Rules::call(const Token& name, Token open) {
  CallExpr out{text_of(name), name.span, {}, false, {}, {}};
  if (!function_name(out, open)) return placeholder(name.span);
  const Newlines off(*this, false);
  out.open = open.span;
  out.close = open.span;
  arguments(name, out);
  const Span whole = between(name.span, out.close);
  return make(whole, std::move(out));
}

void Rules::arguments(const Token& name, CallExpr& out) {
  for (;;) {
    if (peek().kind == Tok::close_paren) {
      out.close = read().span;
      return;
    }
    const std::size_t errors = errors_;
    out.arguments.push_back(expression());
    if (broken_since(errors)) {
      out.close = recover(Tok::close_paren).span;
      return;
    }
    if (!argument_separator(name, out)) return;
  }
}

/// What follows an argument; false when the call ends with it.
bool Rules::argument_separator(const Token& name, CallExpr& out) {
  const Token separator = read();
  switch (separator.kind) {
    case Tok::comma:
      return true;
    case Tok::close_paren:
      out.close = separator.span;
      return false;
    case Tok::ellipsis:
      out.expand = true;
      if (peek().kind == Tok::close_paren) {
        out.close = read().span;
        return false;
      }
      fail_first(separator.span, "Missing closing parenthesis", "An argument with \"...\" must be the last one.");
      break;
    case Tok::end:
      fail(between(name.span, out.open), "Unterminated function call",
           "There is no closing parenthesis for this call before the end of the file.");
      break;
    default:
      fail(separator.span, "Missing argument separator", "A comma must stand between the arguments of a function.");
  }
  out.close = recover(Tok::close_paren).span;
  return false;
}

ExprPtr Rules::tuple(const Token& open) {
  const Newlines off(*this, false);
  if (is_word("for")) return for_expression(open);
  TupleExpr out;
  Span close;
  for (;;) {
    if (peek().kind != Tok::close_bracket) {
      const std::size_t errors = errors_;
      out.elements.push_back(expression());
      const Token after = peek();
      const bool broken = broken_since(errors);
      if (!broken && after.kind == Tok::comma) {
        read();
        continue;
      }
      if (broken || after.kind != Tok::close_bracket) {
        if (!broken && after.kind == Tok::end) {
          fail_first(open.span, "Unterminated tuple constructor expression",
                     "There is no closing bracket for this list before the end of the file.");
        } else if (!broken) {
          fail_first(after.span, "Missing item separator", "A comma must stand between the items of a list.");
        }
        close = recover(Tok::close_bracket).span;
        break;
      }
    }
    close = read().span;
    break;
  }
  return make(between(open.span, close), std::move(out));
}

ExprPtr Rules::object(const Token& open) {
  {
    const Newlines off(*this, false);
    if (is_word("for")) return for_expression(open);
  }
  const Newlines on(*this, true);
  ObjectExpr out;
  Span close;
  while (object_item(open, out, close)) continue;
  return make(between(open.span, close), std::move(out));
}

/// One item with what separates it from the next; false behind the end.
bool Rules::object_item(const Token& open, ObjectExpr& object, Span& close) {
  while (accept(Tok::newline)) continue;
  const auto stop = [&] {
    close = recover(Tok::close_brace).span;
    return false;
  };
  if (peek().kind == Tok::close_brace) {
    close = read().span;
    return false;
  }
  ObjectExpr::Item item;
  item.forced = peek().kind == Tok::open_paren;
  const std::size_t errors = errors_;
  item.key = object_key();
  if (broken_since(errors) || !object_assign(open)) return stop();
  const std::size_t value_errors = errors_;
  item.value = expression();
  if (broken_since(value_errors)) return stop();
  object.items.push_back(std::move(item));
  const Token after = peek();
  if (after.kind == Tok::close_brace || after.kind == Tok::comma || after.kind == Tok::newline) {
    if (after.kind != Tok::close_brace) read();
    return true;
  }
  if (after.kind == Tok::end) {
    fail_first(open.span, "Unterminated object constructor expression",
               "There is no closing brace for this object before the end of the file.");
  } else {
    fail_first(after.span, "Missing attribute separator",
               "A comma or a new line must stand between the items of an object.");
  }
  return stop();
}

/// A bare name is a literal key, also true, false and null.
ExprPtr Rules::object_key() {
  const Token first = peek();
  ExprPtr key = expression();
  const bool word = first.kind == Tok::identifier && key->span == first.span;
  return word ? make(first.span, LiteralExpr{Value::string(lexer_.text(first.span))}) : std::move(key);
}

bool Rules::object_assign(const Token& open) {
  const Token token = peek();
  if (token.kind == Tok::assign || token.kind == Tok::colon) {
    read();
    return true;
  }
  if (token.kind == Tok::newline || token.kind == Tok::comma) {
    fail_first(token.span, "Missing attribute value", "A key must be followed by \"=\" (or \":\") and its value.");
  } else if (token.kind == Tok::end) {
    fail_first(open.span, "Unterminated object constructor expression",
               "There is no closing brace for this object before the end of the file.");
  } else {
    fail_first(token.span, "Missing key/value separator",
               "A key must be followed by \"=\" (or \":\"). A key with dots or spaces in it must be quoted.");
  }
  return false;
}

}  // namespace kiln::tmpl
