// Turns frames into bytes for a terminal: what scrolled, then only what changed since the last frame.
#pragma once

#include "report/terminal/draw.h"

namespace kiln::report {

/// Between two calls the cursor stands at the start of the row below the frame, shown and with line wrapping on, so
/// that a kiln that is killed leaves a usable terminal.
class Painter {
 public:
  explicit Painter(bool colour) : colour_(colour) {}
  /// The bytes that print the lines for good and put the next frame below them; "" when nothing changed. size is the
  /// terminal's size now: after a change of width the rows are where a terminal that wraps again puts them.
  std::string paint(const std::vector<Line>& scroll, const Frame& next, Size size);

 private:
  std::size_t rows_on_screen(Size size) const;
  std::string changed_rows(const Frame& next) const;
  bool colour_;
  Frame shown_;
  std::size_t columns_ = 0;
};

}  // namespace kiln::report
