// From a flat list of template pieces to expressions: if and for with their ends.
#include <fmt/format.h>

#include "template/rules.h"

namespace kiln::tmpl {

namespace {

const char* name_of_end(TemplatePart kind) {
  return kind == TemplatePart::otherwise ? "else" : kind == TemplatePart::if_end ? "endif" : "endfor";
}

bool is_end(TemplatePart kind) {
  return kind == TemplatePart::otherwise || kind == TemplatePart::if_end || kind == TemplatePart::for_end;
}

}  // namespace

std::vector<ExprPtr> Rules::all_parts(TemplateTokens& tokens) {
  std::vector<ExprPtr> out;
  for (std::size_t at = 0; tokens[at].kind != TemplatePart::end;) out.push_back(template_part(tokens, at));
  return out;
}

ExprPtr Rules::unbalanced(const TemplateToken& token, std::string detail) {
  if (nested_too_deep_) return placeholder(token.span);
  fail(token.span,
       token.kind == TemplatePart::end ? "Unexpected end of template"
                                       : fmt::format("Unexpected {} directive", name_of_end(token.kind)),
       std::move(detail));
  return placeholder(token.span);
}

/// One expression; at moves behind its pieces, but never behind the end.
ExprPtr Rules::template_part(TemplateTokens& tokens, std::size_t& at) {
  const Level level(*this);
  TemplateToken& token = tokens[at];
  if (too_deep()) {
    at = tokens.size() - 1;
    return placeholder(token.span);
  }
  if (token.kind == TemplatePart::if_begin) return template_if(tokens, at);
  if (token.kind == TemplatePart::for_begin) return template_for(tokens, at);
  if (token.kind == TemplatePart::end) return unbalanced(token, "There is a directive without its end.");
  ++at;
  if (is_end(token.kind)) return unbalanced(token, "There is no directive open that this one could end.");
  if (token.kind == TemplatePart::interpolation) return std::move(token.expr);
  return make(token.span, LiteralExpr{Value::string(token.text)});
}

ExprPtr Rules::parts_of(std::vector<ExprPtr> parts, Span if_empty) const {
  if (parts.empty()) parts.push_back(make(if_empty, LiteralExpr{Value::string("")}));
  const Span span = between(parts.front()->span, parts.back()->span);
  return make(span, TemplateExpr{std::move(parts), false});
}

ExprPtr Rules::template_if(TemplateTokens& tokens, std::size_t& at) {
  const Span begin = tokens[at].span;
  ConditionalExpr out;
  out.condition = std::move(tokens[at].expr);
  ++at;
  std::vector<ExprPtr> yes;
  std::vector<ExprPtr> no;
  bool otherwise = false;
  for (;;) {
    const TemplateToken& token = tokens[at];
    if (token.kind == TemplatePart::end) return unbalanced(token, "There is no %{ endif } for an %{ if }.");
    if (!is_end(token.kind)) {
      (otherwise ? no : yes).push_back(template_part(tokens, at));
      continue;
    }
    ++at;
    if (token.kind == TemplatePart::otherwise && !otherwise) {
      otherwise = true;
      continue;
    }
    if (token.kind != TemplatePart::if_end)
      return unbalanced(token, "An %{ if } is open here, and it needs its %{ endif }.");
    out.yes = parts_of(std::move(yes), {begin.end, begin.end});
    out.no = parts_of(std::move(no), {token.span.begin, token.span.begin});
    return make(between(begin, token.span), std::move(out));
  }
}

ExprPtr Rules::template_for(TemplateTokens& tokens, std::size_t& at) {
  const Span begin = tokens[at].span;
  ForExpr out;
  out.open = begin;
  out.collection = std::move(tokens[at].expr);
  out.key_name = std::move(tokens[at].key_name);
  out.value_name = std::move(tokens[at].value_name);
  ++at;
  std::vector<ExprPtr> parts;
  for (;;) {
    const TemplateToken& token = tokens[at];
    if (token.kind == TemplatePart::end) return unbalanced(token, "There is no %{ endfor } for a %{ for }.");
    if (!is_end(token.kind)) {
      parts.push_back(template_part(tokens, at));
      continue;
    }
    ++at;
    if (token.kind != TemplatePart::for_end)
      return unbalanced(token, "A %{ for } is open here, and it needs its %{ endfor }.");
    out.value = parts_of(std::move(parts), {begin.end, begin.end});
    const Span whole = between(begin, token.span);
    return make(whole, JoinExpr{make(whole, std::move(out))});
  }
}

}  // namespace kiln::tmpl
