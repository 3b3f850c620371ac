#include <fcntl.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <random>

#include "base/fd.h"
#include "base/text.h"
#include "report/terminal/live.h"
#include "report/terminal/painter.h"
#include "support/golden.h"
#include "support/scripted_run.h"

namespace kiln::report {

namespace {

RunState state_after(const std::vector<event::Event>& events, bool unicode = true) {
  RunState state;
  state.unicode = unicode;
  for (const event::Event& event : events) {
    state.now_ms = static_cast<std::uint64_t>(event.at_ms - kRunStart);
    apply(state, event);
  }
  return state;
}

/// What scrolled, a rule, and the frame with its right edge.
std::string picture(const RunState& state, Size size) {
  std::string text;
  for (const Line& line : state.scroll) text += text_of(line) + "\n";
  text += std::string(size.columns, '~') + "\n";
  for (const Line& row : draw(state, size).rows) {
    text += text_of(row) + std::string(size.columns - std::min(size.columns, width_of(row)), ' ') + "|\n";
  }
  return text;
}

/// So many shell steps of one build, all running.
std::vector<event::Event> many_running(event::StepId count) {
  event::RunStarted run{"0.1.0", "", "t.pkr.hcl", {{"docker.a", "docker"}}, {}};
  Script s;
  for (event::StepId id = 0; id < count; ++id) {
    run.steps.push_back({id, "run", fmt::format("shell: {}.sh", id), {}, {"docker.a"}});
  }
  s.tell(run);
  for (event::StepId id = 0; id < count; ++id) s.tell(event::StepStarted{id, fmt::format("why {}", id)});
  return s.events;
}

/// A terminal small enough to read: the control sequences that Painter uses, and scrolling.
class Screen {
 public:
  explicit Screen(Size size) : size_(size), rows_(1) {}
  void feed(std::string_view text) {
    while (!text.empty()) {
      if (text.starts_with("\x1b[")) {
        const std::size_t end = text.find_first_not_of("0123456789;?", 2);
        control(text.substr(2, end - 2), text[end]);
        text.remove_prefix(end + 1);
      } else if (text[0] == '\r') {
        text.remove_prefix(1);
        column_ = 0;
      } else if (text[0] == '\n') {
        text.remove_prefix(1);
        if (++row_ == rows_.size()) rows_.emplace_back();
      } else {
        EXPECT_GE(text[0], ' ') << "only ASCII here";
        put(text[0]);
        text.remove_prefix(1);
      }
    }
  }
  /// All rows ever written, as the scroll-back shows them.
  std::vector<std::string> rows() const { return rows_; }
  bool cursor_is_shown() const { return shown_; }

 private:
  void put(char c) {
    if (column_ == size_.columns) {
      if (!wrap_) return;
      feed("\r\n");
    }
    rows_[row_].resize(std::max(rows_[row_].size(), column_ + 1), ' ');
    rows_[row_][column_++] = c;
  }
  void control(std::string_view argument, char what) {
    const std::size_t top = rows_.size() > size_.rows ? rows_.size() - size_.rows : 0;
    if (what == 'A') row_ = std::max(top, row_ - std::min(row_, std::stoul(std::string(argument))));
    if (what == 'K') rows_[row_].resize(std::min(rows_[row_].size(), column_));
    if (what == 'J') {
      rows_.resize(row_ + 1);
      rows_[row_].resize(std::min(rows_[row_].size(), column_));
    }
    if (argument == "?25") shown_ = what == 'h';
    if (argument == "?7") wrap_ = what == 'h';
  }
  Size size_;
  std::vector<std::string> rows_;
  std::size_t row_ = 0, column_ = 0;
  bool shown_ = true, wrap_ = true;
};

std::vector<Line> lines(const std::vector<std::string>& texts) {
  std::vector<Line> made;
  made.reserve(texts.size());
  for (const std::string& text : texts) made.push_back({{{text, Ink::green}}});
  return made;
}

/// A terminal of our own: what is written to the first end comes out of the second.
struct Pty {
  Fd terminal, other_end;
};

Pty make_pty(Size size) {
  Fd other_end(posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC));
  grantpt(other_end.get());
  unlockpt(other_end.get());
  Fd terminal(open(ptsname(other_end.get()), O_RDWR | O_NOCTTY | O_CLOEXEC));
  const winsize kernel_size{static_cast<unsigned short>(size.rows), static_cast<unsigned short>(size.columns), 0, 0};
  ioctl(terminal.get(), TIOCSWINSZ, &kernel_size);
  return {std::move(terminal), std::move(other_end)};
}

}  // namespace

TEST(WidthTest, WideCharactersTakeTwoColumnsAndMarksNone) {
  EXPECT_EQ(width_of("abc"), 3U);
  EXPECT_EQ(width_of("日本語"), 6U);
  EXPECT_EQ(width_of("e\u0301"), 1U);
  EXPECT_EQ(width_of("🚀"), 2U);
  EXPECT_EQ(width_of("é…✓█"), 4U);
}

TEST(WidthTest, CuttingNeverSplitsACharacter) {
  EXPECT_EQ(cut_end("日本語", 6, "…"), "日本語");
  EXPECT_EQ(cut_end("日本語", 5, "…"), "日本…");
  EXPECT_EQ(cut_end("日本語", 4, "…"), "日…");
  EXPECT_EQ(cut_end("日本語", 0, "…"), "");
  EXPECT_EQ(cut_middle("scripts/10-java.sh", 11, "…"), "scrip…va.sh");
  EXPECT_EQ(cut_middle("日本語日本語", 7, "…"), "日…本語");
}

TEST(WidthTest, NothingCutIsEverTooWide) {
  const std::string text = "a日e\u0301🚀bcd語語";
  for (std::size_t columns = 0; columns < 15; ++columns) {
    EXPECT_LE(width_of(cut_end(text, columns, "...")), columns);
    EXPECT_LE(width_of(cut_middle(text, columns, "…")), columns);
  }
}

TEST(DrawTest, HalfWayAtThreeSizes) {
  const RunState state = state_after(run_half_way().events);
  std::string text;
  for (const Size size : {Size{80, 24}, Size{40, 10}, Size{200, 50}}) text += picture(state, size) + "\n";
  expect_golden("frames.txt", text);
}

TEST(DrawTest, HalfWayInAscii) {
  const std::string text = picture(state_after(run_half_way().events, false), {80, 24});
  EXPECT_TRUE(std::ranges::all_of(text, [](char c) { return c == '\n' || (c >= ' ' && c <= '~'); })) << text;
  expect_golden("frame-ascii.txt", text);
}

TEST(DrawTest, EndsOfRuns) {
  const Size size{80, 24};
  expect_golden("frame-failure.txt", picture(state_after(run_with_a_failure().events), size));
  expect_golden("frame-interrupted.txt", picture(state_after(run_interrupted().events), size));
  expect_golden("frame-cached.txt", picture(state_after(run_all_cached().events), size));
}

TEST(DrawTest, LongNamesAndWideCharacters) {
  Script s;
  const std::string name = "shell: scripts/" + std::string(60, 'x') + "/日本語のスクリプト/20-安装.sh";
  s.tell(event::RunStarted{"0.1.0", "", "t.pkr.hcl", {{"docker.a", "docker"}}, {{0, "run", name, {}, {"docker.a"}}}});
  s.tell(event::StepStarted{0, "安装脚本已更改" + std::string(80, '.')});
  s.after(3'661'000).tell(event::StepLine{0, std::string(50, 'y') + "語語語語語語語語語語語語語語語語語語", false});
  std::string text;
  const RunState state = state_after(s.events);
  for (const Size size : {Size{80, 24}, Size{40, 10}, Size{200, 50}}) text += picture(state, size) + "\n";
  expect_golden("frames-long.txt", text);
}

TEST(DrawTest, ManyStepsLoseTheirSecondRowsThenThemselves) {
  const auto frame = [](event::StepId count, std::size_t rows) {
    std::vector<std::string> texts;
    for (const Line& row : draw(state_after(many_running(count)), {40, rows}).rows) texts.push_back(text_of(row));
    return texts;
  };
  EXPECT_EQ(frame(3, 9).size(), 7U);
  EXPECT_EQ(frame(5, 9), (std::vector<std::string>{" ⠋     0ms  shell: 0.sh", "   why 0", " ⠋     0ms  shell: 1.sh",
                                                   "   why 1", " ⠋     0ms  shell: 2.sh", " ⠋     0ms  shell: 3.sh",
                                                   " ⠋     0ms  shell: 4.sh", " 0 of 5 steps done, 0ms"}));
  EXPECT_EQ(frame(9, 5), (std::vector<std::string>{" ⠋     0ms  shell: 0.sh", " ⠋     0ms  shell: 1.sh",
                                                   "   and 7 more running", " 0 of 9 steps done, 0ms"}));
}

TEST(DrawTest, NoFrameIsTooHighOrTooWide) {
  const RunState state = state_after(run_half_way().events);
  for (std::size_t columns = 1; columns < 100; ++columns) {
    for (std::size_t rows = 1; rows < 12; ++rows) {
      const Frame frame = draw(state, {columns, rows});
      EXPECT_LT(frame.rows.size(), rows);
      for (const Line& row : frame.rows) EXPECT_LE(width_of(row), columns) << text_of(row);
    }
  }
}

TEST(StateTest, LinesOfASilentStepAreShownOnlyWhenItFails) {
  Script s = run_half_way();
  RunState state = state_after(s.events);
  for (const Line& line : state.scroll) EXPECT_EQ(text_of(line).find("openjdk"), std::string::npos);
}

TEST(StateTest, FailureShowsItsLastTwentyLines) {
  Script s;
  s.tell(two_builds()).tell(event::StepStarted{1, ""});
  for (int i = 0; i < 50; ++i) s.tell(event::StepLine{1, fmt::format("line {}", i), false});
  s.tell(event::StepFinished{1, event::Outcome::failed, 5, "", "exit code 3"});
  const RunState state = state_after(s.events);
  ASSERT_EQ(state.scroll.size(), 23U);
  EXPECT_EQ(text_of(state.scroll[2]), "   │ line 30");
  EXPECT_EQ(text_of(state.scroll[22]), "   exit code 3");
}

TEST(StateTest, FactsOfUnknownStepsAreHarmless) {
  Script s;
  s.tell(event::StepStarted{7, ""}).tell(event::StepLine{8, "x", false}).tell(event::StepProgress{9, "y", 1, 2});
  s.tell(event::StepFinished{7, event::Outcome::failed, 1, "", "e"}).tell(event::Warning{7, "nobody", "w"});
  const RunState state = state_after(s.events);
  EXPECT_TRUE(draw(state, {}).rows.empty());
}

TEST(PainterTest, NothingChangedWritesNothing) {
  Painter painter(true);
  const Frame frame{lines({"a", "b"})};
  EXPECT_NE(painter.paint({}, frame, {}), "");
  EXPECT_EQ(painter.paint({}, frame, {}), "");
}

TEST(PainterTest, OnlyTheChangedRowIsWritten) {
  Painter painter(false);
  painter.paint({}, {lines({"first", "second"})}, {});
  const std::string bytes = painter.paint({}, {lines({"first", "2nd"})}, {});
  EXPECT_EQ(bytes.find("first"), std::string::npos);
  EXPECT_NE(bytes.find("\x1b[K2nd"), std::string::npos);
}

TEST(PainterTest, ScreenAlwaysShowsWhatScrolledAndTheFrame) {
  std::mt19937 random(7);  // any seed
  const auto text = [&] { return std::string(random() % 21, static_cast<char>('a' + random() % 26)); };
  for (int round = 0; round < 50; ++round) {
    const Size size{20, 10};
    Painter painter(round % 2 == 0);
    Screen screen(size);
    std::vector<std::string> wanted;
    for (int step = 0; step < 40; ++step) {
      std::vector<std::string> scroll(random() % 3 == 0 ? random() % 4 : 0), frame(random() % 10);
      std::ranges::generate(scroll, text);
      std::ranges::generate(frame, text);
      screen.feed(painter.paint(lines(scroll), {lines(frame)}, size));
      wanted.insert(wanted.end(), scroll.begin(), scroll.end());
      std::vector<std::string> all = wanted;
      all.insert(all.end(), frame.begin(), frame.end());
      all.emplace_back();
      ASSERT_EQ(screen.rows(), all);
      ASSERT_TRUE(screen.cursor_is_shown());
    }
  }
}

TEST(PainterTest, NarrowedTerminalIsClearedFromTheTopOfTheOldFrame) {
  Painter painter(false);
  painter.paint({}, {lines({std::string(30, 'a'), "b"})}, {40, 10});
  const std::string bytes = painter.paint({}, {lines({"a", "b"})}, {20, 10});
  EXPECT_NE(bytes.find("\x1b[3A\x1b[J"), std::string::npos);  // 30 columns became two rows
}

TEST(LiveReportTest, WritesEverythingBeforeTheRunIsOver) {
  const Pty pty = make_pty({100, 24});
  Options options{.colour = false, .unicode = false};
  std::string text(65536, '\0');
  LiveReport report(pty.terminal.get(), options);
  for (const event::Event& event : run_all_cached().events) report.on(event);
  const ssize_t n = read(pty.other_end.get(), text.data(), text.size());
  ASSERT_GT(n, 0);
  text.resize(static_cast<std::size_t>(n));
  Screen screen({100, 24});
  screen.feed(replace_all(text, "\r\r\n", "\r\n"));
  const std::vector<std::string> rows = screen.rows();
  EXPECT_EQ(rows.at(0), "kiln 0.1.0  images/spark/spark.pkr.hcl: 6 steps for docker.spark, amazon-ebs.spark");
  EXPECT_TRUE(screen.cursor_is_shown());
}

TEST(LiveReportTest, SizeIsThatOfTheTerminal) {
  const Pty pty = make_pty({123, 45});
  EXPECT_EQ(size_of_terminal(pty.terminal.get()), (Size{123, 45}));
  const Fd null(open("/dev/null", O_WRONLY | O_CLOEXEC));
  EXPECT_EQ(size_of_terminal(null.get()), (Size{80, 24}));
}

}  // namespace kiln::report
