#include "image/word.h"

namespace kiln::image {

namespace {

bool is_blank(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

bool is_name_char(char c, bool first) {
  const bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
  return is_letter || (!first && c >= '0' && c <= '9');
}

/// One rule of the grammar per function; each leaves the cursor behind what it took.
class WordReader {
 public:
  WordReader(std::string_view word, const std::map<std::string, std::string>& variables)
      : word_(word), variables_(variables) {}

  Result<std::string> read() { return read_until('\0'); }

 private:
  bool at_end() const { return at_ >= word_.size(); }
  char next() { return word_[at_++]; }

  /// Everything up to a closing brace, or to the end when there is none to wait for.
  Result<std::string> read_until(char stop) {
    constexpr int kMaxDepth = 50;  // of braces in braces
    if (++depth_ > kMaxDepth) return error(Errc::usage, "variables nested deeper than {}", kMaxDepth);
    std::string out;
    while (!at_end()) {
      const char c = next();
      if (stop != '\0' && c == stop) {
        --depth_;
        return out;
      }
      if (c == '\'') {
        out += TRY(read_single_quoted());
      } else if (c == '"') {
        out += TRY(read_double_quoted());
      } else if (c == '$') {
        out += TRY(read_variable());
      } else if (c == '\\') {
        if (!at_end()) out += next();
      } else {
        out += c;
      }
    }
    if (stop != '\0') return error(Errc::usage, "a ${{ without its }}");
    --depth_;
    return out;
  }

  Result<std::string> read_single_quoted() {
    const std::size_t end = word_.find('\'', at_);
    if (end == std::string_view::npos) return error(Errc::usage, "a single quote that is not closed");
    const std::string text(word_.substr(at_, end - at_));
    at_ = end + 1;
    return text;
  }

  Result<std::string> read_double_quoted() {
    std::string out;
    while (!at_end()) {
      const char c = next();
      if (c == '"') return out;
      if (c == '$') {
        out += TRY(read_variable());
      } else if (c == '\\' && !at_end() && std::string_view("\"$\\").find(word_[at_]) != std::string_view::npos) {
        out += next();
      } else {
        out += c;
      }
    }
    return error(Errc::usage, "a double quote that is not closed");
  }

  std::string read_name() {
    std::string name;
    while (!at_end() && is_name_char(word_[at_], name.empty())) name += next();
    return name;
  }

  std::string value_of(const std::string& name) const {
    const auto it = variables_.find(name);
    return it == variables_.end() ? "" : it->second;
  }

  Result<std::string> read_variable() {
    if (at_end() || word_[at_] != '{') {
      const std::string name = read_name();
      return name.empty() ? "$" : value_of(name);
    }
    next();
    const std::string name = read_name();
    if (name.empty()) return error(Errc::usage, "${{}} without a name");
    if (at_end()) return error(Errc::usage, "a ${{ without its }}");
    const char c = next();
    if (c == '}') return value_of(name);
    const char what = c == ':' && !at_end() ? next() : '\0';
    if (what != '-' && what != '+') return error(Errc::usage, "${{{}...}}: only :- and :+ are known", name);
    const std::string word = TRY(read_until('}'));
    const bool is_set = !value_of(name).empty();
    if (what == '+') return is_set ? word : std::string();
    return is_set ? value_of(name) : word;
  }

  std::string_view word_;
  const std::map<std::string, std::string>& variables_;
  std::size_t at_ = 0;
  int depth_ = 0;
};

}  // namespace

std::vector<std::string> split_words(std::string_view text) {
  std::vector<std::string> words;
  std::string word;
  bool in_word = false;
  char quote = '\0';
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (quote == '\0' && is_blank(c)) {
      if (in_word) words.push_back(std::exchange(word, {}));
      in_word = false;
      continue;
    }
    in_word = true;
    word += c;
    if (c == '\\' && quote != '\'' && i + 1 < text.size()) {
      word += text[++i];
    } else if (quote != '\0') {
      if (c == quote) quote = '\0';
    } else if (c == '\'' || c == '"') {
      quote = c;
    }
  }
  if (in_word) words.push_back(word);
  return words;
}

Result<std::string> expand_word(std::string_view word, const std::map<std::string, std::string>& variables) {
  return WordReader(word, variables).read();
}

}  // namespace kiln::image
