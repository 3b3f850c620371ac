#include "report/terminal/draw.h"

#include <algorithm>
#include <array>

#include "base/text.h"

namespace kiln::report {

namespace {

constexpr std::size_t kWide = 60;  // columns from which there is room for words, names and bars
constexpr std::size_t kBarCells = 16;
constexpr std::uint64_t kTurnMs = 100;  // a spinner's step

const char* spinner(const RunState& state) {
  constexpr std::array kDots = {"⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"};
  constexpr std::array kAscii = {"|", "/", "-", "\\"};
  const std::uint64_t turn = state.now_ms / kTurnMs;
  return state.unicode ? kDots.at(turn % kDots.size()) : kAscii.at(turn % kAscii.size());
}

const char* ellipsis(const RunState& state) {
  return state.unicode ? "…" : "...";
}

std::string bar(const RunState& state, std::uint64_t done, std::uint64_t total) {
  const double part = std::min(1.0, static_cast<double>(done) / static_cast<double>(total));
  const auto full = static_cast<std::size_t>(part * static_cast<double>(kBarCells));
  std::string cells;
  for (std::size_t i = 0; i < kBarCells; ++i) {
    cells += state.unicode ? (i < full ? "█" : "░") : (i < full ? "#" : "-");
  }
  return state.unicode ? cells : "[" + cells + "]";
}

std::uint64_t percent(std::uint64_t done, std::uint64_t total) {
  return done >= total ? 100
                       : static_cast<std::uint64_t>(100.0 * static_cast<double>(done) / static_cast<double>(total));
}

/// " ⠋ running   12.3s  shell: 10-java.sh  docker.spark +2"
Line title_row(const RunState& state, const RunningStep& step, Size size) {
  const bool wide = size.columns >= kWide;
  const event::StepInfo& info = state.run.steps.at(step.id);
  const std::string time = brief_duration(state.now_ms - std::min(step.started_ms, state.now_ms));
  const std::string lead = fmt::format(" {} {}", spinner(state), wide ? "running" : "");
  const std::string clock = fmt::format("{}{:>7}  ", wide ? " " : "", time);
  Span names = wide ? names_of(state, info) : Span{};
  const std::size_t used = width_of(lead) + width_of(clock);
  std::size_t left = size.columns > used ? size.columns - used : 0;
  const std::size_t names_width = names.text.empty() ? 0 : width_of(names.text) + 2;
  if (names_width > left / 2) names.text.clear();
  if (!names.text.empty()) left -= names_width;
  const std::string label = replace_all(visible(replace_all(info.label, "\n", " ")), "\t", " ");
  Line row = {{{lead, Ink::yellow}, {clock}, {cut_middle(label, left, ellipsis(state)), Ink::bold}}};
  if (!names.text.empty()) row.spans.push_back({"  " + names.text, names.ink});
  return row;
}

std::string progress_text(const RunState& state, const RunningStep& step, std::size_t columns) {
  const bool wide = columns >= kWide - 6;
  std::string figures;
  if (step.total == 0 && step.done == 0) return cut_end(step.what, columns, ellipsis(state));
  if (step.total == 0) {
    figures = human_bytes(step.done);
  } else if (wide) {
    figures = fmt::format("{}  {:>3}%  {} of {}", bar(state, step.done, step.total), percent(step.done, step.total),
                          human_bytes(step.done), human_bytes(step.total));
  } else {
    figures = fmt::format("{}% of {}", percent(step.done, step.total), human_bytes(step.total));
  }
  const std::size_t used = width_of(figures) + 2;
  if (used >= columns) return cut_end(figures, columns, ellipsis(state));
  return cut_end(step.what, columns - used, ellipsis(state)) + "  " + figures;
}

/// The second row of a step: how far it is, or its last line, or why it runs.
Line detail_row(const RunState& state, const RunningStep& step, Size size) {
  const std::string indent(size.columns >= kWide ? 6 : 3, ' ');
  const std::size_t columns = size.columns > indent.size() ? size.columns - indent.size() : 0;
  if (step.progressing) return {{{indent + progress_text(state, step, columns), Ink::plain}}};
  const std::string text = step.last.empty() ? step.why : step.last.back();
  return {{{indent + cut_end(text, columns, ellipsis(state)), Ink::dim}}};
}

Line summary_row(const RunState& state, Size size) {
  const std::size_t all = state.run.steps.size();
  std::string text = fmt::format(" {} of {} step{} done", state.done, all, all == 1 ? "" : "s");
  if (state.cached > 0) text += fmt::format(", {} cached", state.cached);
  if (state.failed > 0) text += fmt::format(", {} failed", state.failed);
  const std::string time = ", " + brief_duration(state.now_ms - std::min(state.started_ms, state.now_ms));
  const std::size_t left = size.columns > time.size() ? size.columns - time.size() : 0;
  return {{{cut_end(text, left, ellipsis(state)) + time, state.failed > 0 ? Ink::red : Ink::bold}}};
}

/// For terminals so narrow that not even the figures fit.
void clip(Line& row, std::size_t columns) {
  for (Span& span : row.spans) {
    span.text = cut_end(span.text, columns, "");
    columns -= width_of(span.text);
  }
}

}  // namespace

Frame draw(const RunState& state, Size size) {
  Frame frame;
  if (state.over || state.run.steps.empty() || size.rows < 2) return frame;
  std::vector<const RunningStep*> steps;
  for (const RunningStep& step : state.running) {
    if (step.id < state.run.steps.size()) steps.push_back(&step);
  }
  const std::size_t room = size.rows - 2;  // less the summary and the cursor's row
  std::size_t shown = std::min(steps.size(), room);
  if (shown < steps.size() && shown > 0) --shown;  // the row that says how many more there are
  std::size_t details = steps.size() == shown ? std::min(shown, room - shown) : 0;
  for (std::size_t i = 0; i < shown; ++i) {
    frame.rows.push_back(title_row(state, *steps[i], size));
    if (details > 0) {
      frame.rows.push_back(detail_row(state, *steps[i], size));
      --details;
    }
  }
  if (shown < steps.size() && room > 0) {
    const std::string more = fmt::format("   and {} more running", steps.size() - shown);
    frame.rows.push_back({{{cut_end(more, size.columns, ellipsis(state)), Ink::dim}}});
  }
  frame.rows.push_back(summary_row(state, size));
  for (Line& row : frame.rows) clip(row, size.columns);
  return frame;
}

}  // namespace kiln::report
