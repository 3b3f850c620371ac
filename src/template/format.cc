#include "template/format.h"

#include <algorithm>
#include <span>

#include "template/format_spaces.h"
#include "template/parser.h"

namespace kiln::tmpl {

namespace {

constexpr std::size_t kIndent = 2;  // spaces a level

/// A line's tokens in three cells; equals signs and comments of neighbouring lines are aligned. Each cell but lead may
/// be empty. A token's text may itself hold line ends (heredocs, long comments).
struct Line {
  std::span<Piece> lead, assign, comment;
};

/// Where the equals sign of an argument begins that is whole on its line.
std::size_t assign_begin(std::span<const Piece> line) {
  for (std::size_t i = 1; i < line.size(); ++i) {
    if (!line[i].is(Tok::assign)) continue;
    int open = 0;
    for (const Piece& p : line.subspan(i)) open += p.bracket();
    return open == 0 ? i : line.size();
  }
  return line.size();
}

Line cells(std::span<Piece> pieces) {
  Line line{.lead = pieces, .assign = {}, .comment = {}};
  if (pieces.size() > 1 && pieces.back().glyph == Glyph::comment) {
    line.comment = pieces.last(1);
    line.lead = pieces.first(pieces.size() - 1);
  }
  const std::size_t at = assign_begin(line.lead);
  line.assign = line.lead.subspan(at);
  line.lead = line.lead.first(at);
  return line;
}

void lines_of(std::span<Piece> pieces, std::vector<Line>& lines) {
  lines.clear();
  std::size_t begin = 0;
  for (std::size_t i = 0; i < pieces.size(); ++i) {
    const bool last = pieces[i].is(Tok::end);
    if (last && begin < i) lines.push_back(cells(pieces.subspan(begin, i - begin)));
    if (!pieces[i].ends_line()) continue;
    lines.push_back(cells(pieces.subspan(begin, i + 1 - begin)));
    begin = i + 1;
  }
}

/// Brackets that a line leaves open; those inside a heredoc do not count.
int open_brackets(const Line& line) {
  int open = 0;
  for (const auto& cell : {line.lead, line.assign}) {
    for (const Piece& p : cell) {
      open += p.bracket();
      if (p.glyph == Glyph::heredoc_open) break;
    }
  }
  return open;
}

/// A line that opens brackets indents the following ones by one level, however many it opens; each level ends when as
/// many were closed. levels: the brackets still open in each.
void indent(std::span<Line> lines, std::vector<int>& levels) {
  for (Line& line : lines) {
    Piece& first = line.lead.front();
    if (first.is(Tok::newline)) {
      first.spaces = 0;
      continue;
    }
    const int open = open_brackets(line);
    for (int closed = -open; closed > 0 && !levels.empty();) {
      const int here = std::min(closed, levels.back());
      levels.back() -= here;
      closed -= here;
      if (levels.back() == 0) levels.pop_back();
    }
    first.spaces = kIndent * levels.size();
    if (open > 0) levels.push_back(open);
  }
}

void space(std::span<Line> lines) {
  for (const Line& line : lines) {
    space_between(line.lead);
    if (line.assign.empty()) continue;
    line.assign.front().spaces = 1;
    space_between(line.assign);
  }
}

std::size_t columns(std::span<const Piece> cell) {
  std::size_t n = 0;
  for (const Piece& p : cell) n += p.spaces + count_graphemes(p.text);
  return n;
}

/// Moves the cell of each run of neighbouring lines that have it to one column: behind the widest of what stands
/// before.
template <class Cell, class Width>
void align(std::span<Line> lines, const Cell& cell, const Width& width) {
  for (std::size_t begin = 0; begin < lines.size();) {
    std::size_t end = begin, widest = 0;
    for (; end < lines.size() && !cell(lines[end]).empty(); ++end) widest = std::max(widest, width(lines[end]));
    for (; begin < end; ++begin) cell(lines[begin]).front().spaces = widest - width(lines[begin]) + 1;
    ++begin;
  }
}

void align_cells(std::span<Line> lines) {
  align(
      lines, [](const Line& l) { return l.assign; }, [](const Line& l) { return columns(l.lead); });
  align(
      lines, [](const Line& l) { return l.comment; },
      [](const Line& l) { return columns(l.lead) + columns(l.assign); });
}

/// Formats line by line. Holds only neighbouring lines that may be aligned.
class Formatter {
 public:
  explicit Formatter(const SourceFile& file) : reader_(file) {}

  std::string run() && {
    while (line()) {
      if (!aligned_) write();
    }
    write();
    return std::move(out_);
  }

 private:
  /// Reads one more line; false at the end of the text.
  bool line() {
    const std::size_t begin = pieces_.size();
    do {
      reader_.next(pieces_);
      if (pieces_.back().is(Tok::end)) return false;
    } while (!pieces_.back().ends_line());
    const Line line = cells(std::span(pieces_).subspan(begin));
    aligned_ = !line.assign.empty() || !line.comment.empty();
    return true;
  }

  void write() {
    lines_of(pieces_, lines_);
    indent(lines_, levels_);
    space(lines_);
    align_cells(lines_);
    for (const Piece& p : pieces_) out_.append(p.spaces, ' ').append(p.text);
    pieces_.clear();
  }

  PieceReader reader_;
  std::vector<Piece> pieces_;  // not written yet
  std::vector<Line> lines_;
  std::vector<int> levels_;
  std::string out_;
  bool aligned_ = false;  // the line read last, with its neighbours
};

}  // namespace

std::string formatted(std::string_view text) {
  const SourceFile file("", std::string(text));
  return Formatter(file).run();
}

std::optional<std::string> format_file(const std::string& name, std::string text, Diagnostics& diagnostics) {
  Diagnostics problems;
  const SourceFile file(name, std::move(text));
  parse_body(file, problems);
  diagnostics.insert(diagnostics.end(), problems.begin(), problems.end());
  if (has_errors(problems)) return std::nullopt;
  return formatted(file.text());
}

}  // namespace kiln::tmpl
