// The lower part of the live view, computed from the state: a pure function, so that tests compare frames.
#pragma once

#include "report/terminal/state.h"

namespace kiln::report {

struct Size {
  std::size_t columns = 80, rows = 24;
  bool operator==(const Size&) const = default;
};

/// Rows to show below what has scrolled away; none is wider than the terminal.
struct Frame {
  std::vector<Line> rows;
  bool operator==(const Frame&) const = default;
};

/// The running steps, oldest first, and a line that sums up; at most size.rows - 1 rows, so that the cursor has its
/// own. Too many steps for the height lose first their second rows, then themselves.
Frame draw(const RunState& state, Size size);

}  // namespace kiln::report
