#include "cli/line_diff.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

namespace kiln::cli {

namespace {

constexpr std::size_t kContext = 3;  // lines

/// Lines with their line ends; the last may have none.
std::vector<std::string_view> lines_of(std::string_view text) {
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    const std::size_t bytes = end == std::string_view::npos ? text.size() : end + 1;
    lines.push_back(text.substr(0, bytes));
    text.remove_prefix(bytes);
  }
  return lines;
}

struct Sides {
  std::vector<std::string_view> before, after;
  std::size_t size() const { return std::min(before.size(), after.size()); }
  bool differ(std::size_t i) const { return before[i] != after[i]; }
};

std::string row(char mark, std::string_view line) {
  std::string out = mark + std::string(line);
  return line.ends_with('\n') ? out : out + "\n\\ No newline at end of file\n";
}

/// First and last line of the hunk that begins with the change at i: changes whose contexts meet are one hunk.
std::pair<std::size_t, std::size_t> hunk_at(const Sides& sides, std::size_t i) {
  std::size_t last = i;
  for (std::size_t j = i; j < sides.size() && j <= last + 2 * kContext + 1; ++j) {
    if (sides.differ(j)) last = j;
  }
  return {i - std::min(i, kContext), std::min(last + kContext, sides.size() - 1)};
}

std::string hunk_text(const Sides& sides, std::size_t first, std::size_t last) {
  const std::size_t count = last - first + 1;
  const std::string place = count == 1 ? std::to_string(first + 1) : fmt::format("{},{}", first + 1, count);
  std::string out = fmt::format("@@ -{0} +{0} @@\n", place);
  for (std::size_t i = first; i <= last;) {
    if (!sides.differ(i)) {
      out += row(' ', sides.before[i++]);
      continue;
    }
    std::size_t end = i;
    while (end <= last && sides.differ(end)) ++end;
    for (std::size_t j = i; j < end; ++j) out += row('-', sides.before[j]);
    for (std::size_t j = i; j < end; ++j) out += row('+', sides.after[j]);
    i = end;
  }
  return out;
}

}  // namespace

std::string line_diff(std::string_view before, std::string_view after, const std::string& name) {
  const Sides sides{lines_of(before), lines_of(after)};
  std::string out;
  for (std::size_t i = 0; i < sides.size(); ++i) {
    if (!sides.differ(i)) continue;
    const auto [first, last] = hunk_at(sides, i);
    if (out.empty()) out = fmt::format("--- old/{0}\n+++ new/{0}\n", name);
    out += hunk_text(sides, first, last);
    i = last;
  }
  return out;
}

}  // namespace kiln::cli
