// The grammar, one function per rule: recursive descent over the tokens, with newline sensitivity as a stack. Every
// rule answers something; one that met an error has reported it and answers what it has. After an error `recovering_`
// keeps those that follow from it quiet, as hashicorp/hcl v2 does. Private to the parser's files.
#pragma once

#include <deque>
#include <map>

#include "template/lexer.h"
#include "template/parser.h"

namespace kiln::tmpl {

/// A piece of a template, before if and for are matched with their ends.
struct TemplateToken {
  enum class Kind : std::uint8_t { text, interpolation, if_begin, otherwise, if_end, for_begin, for_end, end } kind;
  Span span;
  std::string text = {};
  ExprPtr expr = {};  // of interpolation, condition or collection
  std::string key_name = {}, value_name = {};
};
using TemplatePart = TemplateToken::Kind;
using TemplateTokens = std::vector<TemplateToken>;

class Rules {
 public:
  Rules(const SourceFile& file, Diagnostics& diagnostics, Lexer::Mode mode, Report report)
      : file_(file), diagnostics_(diagnostics), lexer_(file, mode), report_(report) {}

  SyntaxBody body(Tok end);
  ExprPtr expression();
  /// The template up to its closing token; opening is the token that began it.
  ExprPtr template_expression(Span opening, Tok closing, bool flush);
  ExprPtr bare_template();
  /// Reports anything but spaces before the end of the text.
  void only_space_left();
  void warn_of_direction();
  bool failed() const { return errors_ + character_errors_ > 0; }
  void newline_sensitive(bool on) { newlines_.assign(1, on); }

 private:
  class Level;     // counts nesting
  class Newlines;  // pushes newline sensitivity
  Token peek();
  Token read();
  Span previous();
  const Token& raw(std::size_t index);
  bool accept(Tok kind);
  bool is_word(std::string_view word);
  std::string text_of(const Token& token) const;

  void report(Span span, std::string summary, std::string detail);
  void fail(Span span, std::string summary, std::string detail);
  void fail_first(Span span, std::string summary, std::string detail);
  void check(const Token& token);
  void check_character(const Token& token);
  bool told_often(Tok kind);
  bool too_deep();
  Token recover(Tok end);
  void recover_over(Tok start);
  void recover_after_item();

  ExprPtr make(Span span, decltype(Expr::node) node) const;
  ExprPtr placeholder(Span span) const;
  bool broken_since(std::size_t errors) const { return recovering_ && errors_ > errors; }

  bool items(SyntaxBody& body, Tok end, Span start);
  void item(SyntaxBody& body);
  void attribute(SyntaxBody& body, const Token& name, bool single_line);
  void add_attribute(SyntaxBody& body, Attribute attribute);
  void attribute_end(const Token& name);
  void item_end(const Token& end);
  void block(SyntaxBody& body, const Token& name);
  bool header(Block& block);
  void header_problem(const Token& token);
  SyntaxBody single_line_body(Block& block);
  void single_line_end(const Block& block);
  std::string label(Span& span);
  void bad_item(const Token& token, Tok end, Span start);

  ExprPtr binary(std::size_t level);
  ExprPtr postfix();
  void steps(std::vector<Step>& out);
  void dot_step(std::vector<Step>& out);
  bool legacy_index(Span at, Span dot, Step& step);
  bool attribute_splat(Step& splat, Span star);
  void bracket_step(std::vector<Step>& out);
  ExprPtr primary();
  ExprPtr parenthesis(const Token& open);
  ExprPtr signs();
  ExprPtr number(const Token& token);
  Value number_value(const Token& token);
  ExprPtr name_or_call(const Token& token);
  bool function_name(CallExpr& call, Token& open);
  ExprPtr call(const Token& name, Token open);
  void arguments(const Token& name, CallExpr& call);
  bool argument_separator(const Token& name, CallExpr& call);
  ExprPtr tuple(const Token& open);
  ExprPtr object(const Token& open);
  bool object_item(const Token& open, ObjectExpr& object, Span& close);
  ExprPtr object_key();
  bool object_assign(const Token& open);
  ExprPtr for_expression(const Token& open);
  bool for_intro(std::string& key_name, std::string& value_name, const char* what);
  bool for_parts(ForExpr& out, Tok close, Span& ellipsis);
  void for_problems(const ForExpr& out, bool object, Span ellipsis);
  bool name_of(std::string& out, const char* what);

  TemplateTokens template_tokens(Tok closing, Span& inside);
  void flush_indent(TemplateTokens& tokens) const;
  std::string literal(const Token& token);
  std::size_t escape(std::string_view rest, std::uint32_t at, std::string& out);
  std::size_t unicode_escape(std::string_view rest, std::uint32_t at, std::string& out);
  void interpolation(const Token& open, Span start, Tok closing, TemplateTokens& tokens, bool& trim_next);
  void interpolation_end(const Token& close, Span start, Tok closing);
  void directive(const Token& open, TemplateTokens& tokens, bool& trim_next);
  bool directive_word(const Token& open, const Token& word, TemplateTokens& tokens);
  Span to_next(Span begin);

  ExprPtr template_part(TemplateTokens& tokens, std::size_t& at);
  ExprPtr template_if(TemplateTokens& tokens, std::size_t& at);
  ExprPtr template_for(TemplateTokens& tokens, std::size_t& at);
  ExprPtr unbalanced(const TemplateToken& token, std::string detail);
  ExprPtr parts_of(std::vector<ExprPtr> parts, Span if_empty) const;
  std::vector<ExprPtr> all_parts(TemplateTokens& tokens);
  ExprPtr template_of(TemplateTokens tokens, Span span);

  const SourceFile& file_;
  Diagnostics& diagnostics_;
  Lexer lexer_;
  Report report_;
  std::deque<Token> ahead_;
  Span previous_;
  bool has_read_ = false;
  std::vector<bool> newlines_ = {true};
  std::size_t depth_ = 0, errors_ = 0, character_errors_ = 0;
  bool recovering_ = false, nested_too_deep_ = false;
  std::vector<std::map<std::string, Span>> names_;  // of the arguments of each open body, and where they stand
  bool lost_end_ = false;  // of every block, by a string that never ends or too deep nesting; not as hcl does
  std::map<Tok, std::size_t> told_;
  Span bad_character_;  // reported last
};

class Rules::Level {
 public:
  explicit Level(Rules& rules) : rules_(rules) { ++rules_.depth_; }
  ~Level() { --rules_.depth_; }
  Level(const Level&) = delete;
  Level& operator=(const Level&) = delete;

 private:
  Rules& rules_;
};

class Rules::Newlines {
 public:
  Newlines(Rules& rules, bool sensitive) : rules_(rules) { rules_.newlines_.push_back(sensitive); }
  ~Newlines() { rules_.newlines_.pop_back(); }
  Newlines(const Newlines&) = delete;
  Newlines& operator=(const Newlines&) = delete;

 private:
  Rules& rules_;
};

/// From the start of a to the end of b.
inline Span between(Span a, Span b) {
  return {a.begin, std::max(a.begin, b.end)};
}

}  // namespace kiln::tmpl
