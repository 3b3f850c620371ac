#include "report/terminal/painter.h"

#include <fmt/format.h>

#include <algorithm>

namespace kiln::report {

namespace {

constexpr const char* kBegin = "\x1b[?25l";  // hide the cursor while it travels
constexpr const char* kEnd = "\x1b[?25h";
constexpr const char* kWrapOff = "\x1b[?7l";  // a row that is wider than we think must not become two
constexpr const char* kWrapOn = "\x1b[?7h";
constexpr const char* kClearBelow = "\x1b[J";
constexpr const char* kClearRow = "\x1b[K";

std::string up(std::size_t rows) {
  return rows == 0 ? "\r" : fmt::format("\r\x1b[{}A", rows);
}

}  // namespace

std::size_t Painter::rows_on_screen(Size size) const {
  if (size.columns >= columns_ || size.columns == 0) return shown_.rows.size();
  std::size_t rows = 0;
  for (const Line& row : shown_.rows) {
    rows += std::max<std::size_t>(1, (width_of(row) + size.columns - 1) / size.columns);
  }
  return rows;
}

std::string Painter::changed_rows(const Frame& next) const {
  std::string text;
  for (std::size_t i = 0; i < next.rows.size(); ++i) {
    if (next.rows[i] != shown_.rows[i]) text += kClearRow + rendered(next.rows[i], colour_);
    text += "\r\n";
  }
  return text;
}

std::string Painter::paint(const std::vector<Line>& scroll, const Frame& next, Size size) {
  const bool same_place = scroll.empty() && next.rows.size() == shown_.rows.size() && size.columns == columns_;
  if (scroll.empty() && next == shown_ && (same_place || shown_.rows.empty())) return {};
  std::string text = kBegin + up(rows_on_screen(size));
  if (same_place) {
    text += kWrapOff + changed_rows(next) + kWrapOn;
  } else {
    text += kClearBelow;
    for (const Line& line : scroll) text += rendered(line, colour_) + "\r\n";
    text += kWrapOff;
    for (const Line& row : next.rows) text += rendered(row, colour_) + "\r\n";
    text += kWrapOn;
  }
  shown_ = next;
  columns_ = size.columns;
  return text + kEnd;
}

}  // namespace kiln::report
