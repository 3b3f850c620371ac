// The grammar, one function per rule: recursive descent over a Lexer, with newline sensitivity as a stack. A rule that
// met an error has reported it and answers nothing. Private to the parser's files.
#pragma once

#include "template/lexer.h"
#include "template/parser.h"

namespace kiln::tmpl {

/// A piece of a template, before if and for are matched with their ends.
struct TemplateToken {
  enum class Kind : std::uint8_t { text, interpolation, if_begin, otherwise, if_end, for_begin, for_end } kind;
  Span span;
  std::string text = {};
  ExprPtr expr = {};  // of interpolation, condition or collection
  std::string key_name = {}, value_name = {};
};
using TemplateTokens = std::vector<TemplateToken>;

class Rules {
 public:
  Rules(const SourceFile& file, Diagnostics& diagnostics) : file_(file), diagnostics_(diagnostics), lexer_(file) {}

  SyntaxBody body(bool nested);
  ExprPtr expression();
  /// Where a template ends: at the quote, at a line that holds only the marker, or at the end of the text.
  struct Ending {
    enum class Kind : std::uint8_t { quote, heredoc, text } kind = Kind::text;
    std::string_view marker = {};
    bool flush = false;
    Span opening = {};
  };
  ExprPtr template_expression(const Ending& ending);
  /// Reports anything but spaces before the end of the text.
  bool only_space_left();
  void check_text();
  bool failed() const { return errors_ > 0; }
  void newline_sensitive(bool on) { newlines_.assign(1, on); }

 private:
  class Level;     // counts nesting
  class Newlines;  // pushes newline sensitivity
  Token peek();
  Token next();
  bool accept(Tok kind);
  bool expect(Tok kind, const char* summary, const char* what);
  void fail(Span span, std::string summary, std::string detail);
  bool unexpected(const Token& token, std::string summary, const std::string& detail);
  bool too_deep();
  ExprPtr make(std::uint32_t begin, decltype(Expr::node) node);

  bool item(SyntaxBody& body);
  bool attribute(SyntaxBody& body, const Token& name);
  bool block(SyntaxBody& body, const Token& name);
  bool label(Block& block, const Token& token);
  void recover(std::uint32_t start);

  ExprPtr binary(std::size_t level);
  ExprPtr unary();
  ExprPtr postfix();
  bool steps(std::vector<Step>& out);
  bool dot_step(std::vector<Step>& out);
  bool bracket_step(std::vector<Step>& out, bool& rest_is_inside);
  bool attribute_splat(Step& splat);
  ExprPtr primary();
  ExprPtr number(const Token& token);
  ExprPtr name_or_call(const Token& token);
  ExprPtr call(const Token& token, std::string name, Span name_span);
  ExprPtr tuple(const Token& open);
  ExprPtr object(const Token& open);
  bool object_item(ObjectExpr& object);
  ExprPtr object_key();
  ExprPtr for_expression(const Token& open, bool object);
  bool for_intro(std::string& key_name, std::string& value_name, ExprPtr& collection);
  bool is_keyword(std::string_view word);

  std::optional<TemplateTokens> template_tokens(const Ending& ending);
  bool template_ended(const Ending& ending);
  std::string template_text(const Ending& ending);
  void escape(std::string& out);
  void unicode_escape(std::size_t digits, std::string& out);
  bool sequence(TemplateTokens& tokens, bool& trim_next);
  bool directive(TemplateToken& token);
  bool close_sequence(bool& trim_next);
  bool template_parts(TemplateTokens& tokens, std::size_t& at, TemplateParts& out);
  bool template_if(TemplateTokens& tokens, std::size_t& at, TemplateParts& out);
  bool template_for(TemplateTokens& tokens, std::size_t& at, TemplateParts& out);

  const SourceFile& file_;
  Diagnostics& diagnostics_;
  Lexer lexer_;
  std::vector<bool> newlines_ = {true};
  std::size_t depth_ = 0, errors_ = 0;
  std::optional<Token> peeked_;
  std::uint32_t peeked_from_ = 0;
  bool peeked_newlines_ = false;
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

}  // namespace kiln::tmpl
