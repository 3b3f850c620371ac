#include "template/format_tokens.h"

#include <algorithm>

namespace kiln::tmpl {

namespace {

/// Reads pieces with a stack of what is open: templates are inside expressions and expressions inside templates.
class Reader {
 public:
  explicit Reader(const SourceFile& file) : text_(file.text()), lexer_(file) {}

  std::vector<Piece> read() {
    while (out_.empty() || !out_.back().is(Tok::end)) {
      if (open_.empty() || open_.back().kind == Open::Kind::sequence) {
        read_plain();
      } else {
        read_template();
      }
    }
    return std::move(out_);
  }

 private:
  struct Open {
    enum class Kind : std::uint8_t { quote, heredoc, sequence } kind;
    std::string_view marker = {};  // of a heredoc
    bool at_line_start = false;    // of a heredoc
    std::size_t braces = 0;        // open in a sequence
  };

  std::string_view rest() const { return text_.substr(std::min<std::size_t>(at_, text_.size())); }

  void add(Glyph glyph, std::size_t bytes, Tok tok = Tok::invalid) {
    out_.push_back({glyph, tok, rest().substr(0, bytes), spaces_});
    spaces_ = 0;
    at_ += bytes;
  }

  void read_plain() {
    spaces_ = std::min(rest().find_first_not_of(" \t"), rest().size());
    at_ += spaces_;
    if (rest().starts_with("#") || rest().starts_with("//")) return add(Glyph::comment, bytes_through("\n"));
    if (rest().starts_with("/*")) return add(Glyph::comment, std::max<std::size_t>(bytes_through("*/", 2), 2));
    if (closes_sequence()) {
      open_.pop_back();
      return add(Glyph::sequence_close, rest().starts_with("~") ? 2 : 1);
    }
    read_token();
  }

  bool closes_sequence() const {
    return !open_.empty() && open_.back().braces == 0 && (rest().starts_with("}") || rest().starts_with("~}"));
  }

  void read_token() {
    lexer_.seek(static_cast<std::uint32_t>(at_));
    const Token token = lexer_.next(true);
    const std::size_t bytes = token.span.end - at_;
    if (token.kind == Tok::quote) {
      open_.push_back({Open::Kind::quote});
      return add(Glyph::quote_open, bytes);
    }
    if (token.kind == Tok::heredoc) {
      const auto start = read_heredoc_start(text_, token.span.begin);
      open_.push_back({Open::Kind::heredoc, start->marker, true});
      return add(Glyph::heredoc_open, bytes);
    }
    if (!open_.empty() && token.kind == Tok::open_brace) ++open_.back().braces;
    if (!open_.empty() && token.kind == Tok::close_brace) --open_.back().braces;
    add(Glyph::plain, bytes, token.kind);
  }

  void read_template() {
    Open& top = open_.back();
    const bool quoted = top.kind == Open::Kind::quote;
    if (quoted && rest().starts_with("\"")) {
      open_.pop_back();
      return add(Glyph::quote_close, 1);
    }
    if (!quoted && top.at_line_start && ends_heredoc(rest().substr(0, line_bytes()), top.marker)) {
      open_.pop_back();
      return add(Glyph::heredoc_close, line_bytes());
    }
    if (rest().empty() || (quoted && rest().starts_with("\n"))) {  // never closed: no template any more
      open_.clear();
      return;
    }
    if (opens_sequence(0)) {
      const std::size_t bytes = rest().substr(2).starts_with("~") ? 3 : 2;
      top.at_line_start = false;
      open_.push_back({Open::Kind::sequence});
      return add(Glyph::sequence_open, bytes);
    }
    const std::size_t bytes = literal_bytes(quoted);
    top.at_line_start = rest()[bytes - 1] == '\n';
    add(Glyph::literal, bytes);
  }

  bool opens_sequence(std::size_t i) const {
    const std::string_view here = rest().substr(i);
    return here.starts_with("${") || here.starts_with("%{");
  }

  /// Up to the closing quote, a sequence, or the end of the line (which a heredoc's literal holds).
  std::size_t literal_bytes(bool quoted) const {
    const std::string_view text = rest();
    std::size_t i = 0;
    while (i < text.size()) {
      if (quoted && (text[i] == '"' || text[i] == '\n')) break;
      if (!quoted && text[i] == '\n') return i + 1;
      if (opens_sequence(i)) break;
      const bool escaped = text.substr(i).starts_with("$${") || text.substr(i).starts_with("%%{");
      i += escaped ? 3 : quoted && text[i] == '\\' ? 2 : 1;
    }
    return std::min(i, text.size());
  }

  std::size_t line_bytes() const {
    const std::size_t end = std::min(rest().find('\n'), rest().size());
    return end > 0 && rest()[end - 1] == '\r' ? end - 1 : end;
  }

  std::size_t bytes_through(std::string_view end, std::size_t from = 0) const {
    const std::size_t found = rest().find(end, from);
    return found == std::string_view::npos ? rest().size() : found + end.size();
  }

  std::string_view text_;
  Lexer lexer_;
  std::size_t at_ = 0, spaces_ = 0;
  std::vector<Open> open_;
  std::vector<Piece> out_;
};

}  // namespace

int Piece::bracket() const {
  if (glyph == Glyph::sequence_open || is(Tok::open_brace) || is(Tok::open_bracket) || is(Tok::open_paren)) return 1;
  if (glyph == Glyph::sequence_close || is(Tok::close_brace) || is(Tok::close_bracket) || is(Tok::close_paren))
    return -1;
  return 0;
}

std::vector<Piece> format_tokens(const SourceFile& file) {
  return Reader(file).read();
}

}  // namespace kiln::tmpl
