#include "report/report.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>

#include "base/file.h"
#include "base/text.h"
#include "event/json.h"
#include "report/voice.h"
#include "support/golden.h"
#include "support/recording_sink.h"
#include "support/scripted_run.h"

namespace kiln::report {

namespace {

/// What a report writes for these events.
std::string written(Style style, const std::vector<event::Event>& events, const Options& options = {.colour = false}) {
  char name[] = "/tmp/kiln-report-XXXXXX";
  const Fd file(mkstemp(name));
  unlink(name);
  {
    const auto report = make_report(style, file.get(), options);
    for (const event::Event& event : events) report->on(event);
  }
  std::string text(static_cast<std::size_t>(lseek(file.get(), 0, SEEK_END)), '\0');
  EXPECT_EQ(pread(file.get(), text.data(), text.size(), 0), static_cast<ssize_t>(text.size()));
  return text;
}

/// Local time is of this zone as long as it lives.
class Zone {
 public:
  explicit Zone(const char* name) {
    setenv("TZ", name, 1);
    tzset();
  }
  Zone(const Zone&) = delete;
  Zone& operator=(const Zone&) = delete;
  ~Zone() {
    unsetenv("TZ");
    tzset();
  }
};

}  // namespace

TEST(PlainReportTest, RunWithAFailure) {
  expect_golden("plain-failure.txt", written(Style::plain, run_with_a_failure().events));
}

TEST(PlainReportTest, ColoursAreThoseOfPacker) {
  expect_golden("plain-colour.txt",
                visible(written(Style::plain, run_with_a_failure().events, {.colour = true}), true));
}

TEST(PlainReportTest, RunInterrupted) {
  expect_golden("plain-interrupted.txt", written(Style::plain, run_interrupted().events));
}

TEST(PlainReportTest, RunInWhichAllWasCached) {
  expect_golden("plain-cached.txt", written(Style::plain, run_all_cached().events));
}

TEST(PlainReportTest, TimestampsAreLocalAndOnlyBeforeWhatABuildSays) {
  const Zone zone("KLN-5:30");
  Script s;
  s.tell(two_builds()).tell(event::BuildMessage{"docker.spark", "one\ntwo", false});
  s.tell(event::RunFinished{event::Outcome::built, 5, ""});
  EXPECT_EQ(written(Style::plain, s.events, {.colour = false, .timestamps = true}),
            "2023-11-15T03:43:20+05:30: ==> docker.spark: one\n==> docker.spark: two\n"
            "\n==> Wait completed after 5 milliseconds\n\n==> Builds finished but no artifacts were created.\n");
}

TEST(MachineReportTest, RunWithAFailure) {
  expect_golden("machine-failure.txt", written(Style::machine, run_with_a_failure().events));
}

TEST(MachineReportTest, RunInWhichAllWasCached) {
  expect_golden("machine-cached.txt", written(Style::machine, run_all_cached().events));
}

TEST(MachineReportTest, EscapesOnlyInData) {
  Script s;
  event::RunStarted run{"", "", "", {{"a", "null"}}, {}};
  s.tell(run).tell(event::BuildFinished{"a", event::Outcome::built, 1000, {{"b", "x,y", "1\r\n2%", {}}}, ""});
  s.tell(event::RunFinished{event::Outcome::built, 1000, ""});
  EXPECT_EQ(written(Style::machine, s.events),
            "1700000000,,ui,say,Build 'a' finished after 1 second.\n"
            "1700000000,,ui,say,\\n==> Wait completed after 1 second\n"
            "1700000000,,ui,say,\\n==> Builds finished. The artifacts of successful builds are:\n"
            "1700000000,a,artifact-count,1\n"
            "1700000000,a,artifact,0,builder-id,b\n"
            "1700000000,a,artifact,0,id,x%!(PACKER_COMMA)y\n"
            "1700000000,a,artifact,0,string,1\\r\\n2%\n"
            "1700000000,a,artifact,0,files-count,0\n"
            "1700000000,a,artifact,0,end\n"
            "1700000000,,ui,say,--> a: 1\\x0d\\n2%\n");
}

TEST(VoiceTest, NamesOfManyBuildsAreShortened) {
  EXPECT_EQ(names_in_short({}), "");
  EXPECT_EQ(names_in_short({"docker.spark"}), "docker.spark");
  EXPECT_EQ(names_in_short({"docker.spark", "amazon-ebs.spark"}), "docker.spark, amazon-ebs.spark");
  EXPECT_EQ(names_in_short({"docker.spark", "amazon-ebs.spark", "googlecompute.spark"}), "docker.spark +2");
}

TEST(VoiceTest, ColoursOfAStepAreDroppedAndNothingElseIs) {
  EXPECT_EQ(without_colours("\x1b[1;31mred\x1b[0m and \x1b[38:5:9mmore\x1b[m"), "red and more");
  EXPECT_EQ(without_colours("plain [31m and a bell\x07"), "plain [31m and a bell\x07");
  EXPECT_EQ(without_colours("\x1b[2Jcleared \x1b[31"), "\x1b[2Jcleared \x1b[31");
  EXPECT_EQ(without_colours("\x1b[\x1b[31mx"), "\x1b[x");
}

TEST(VoiceTest, BriefDurations) {
  EXPECT_EQ(brief_duration(999), "999ms");
  EXPECT_EQ(brief_duration(12'399), "12.3s");
  EXPECT_EQ(brief_duration(62'000), "1m 02s");
  EXPECT_EQ(brief_duration(7'500'000), "2h 05m");
}

TEST(VoiceTest, ArtifactsComeInTheOrderOfTheTemplate) {
  Script s;
  s.tell(event::RunStarted{"", "", "", {{"a", "null"}, {"b", "null"}}, {}});
  for (const char* name : {"b", "a"})
    s.tell(event::BuildFinished{name, event::Outcome::built, 1, {{"", name, name, {}}}, ""});
  s.tell(event::RunFinished{event::Outcome::built, 1, ""});
  const std::string text = written(Style::plain, s.events);
  EXPECT_NE(text.find("--> a: a\n--> b: b\n"), std::string::npos) << text;
}

TEST(OutputTest, ClosedPipeStopsPrintingSilently) {
  Pipe pipe = make_pipe().take();
  pipe.read.reset();
  for (const Style style : {Style::plain, Style::machine, Style::live}) {
    const auto report = make_report(style, pipe.write.get(), {});
    for (const event::Event& event : run_with_a_failure().events) report->on(event);
  }
  const auto log = make_event_log(pipe.write.get());
  for (const event::Event& event : run_with_a_failure().events) log->on(event);
}

TEST(OutputTest, FullDiskStopsPrintingSilently) {
  const Fd full(open("/dev/full", O_WRONLY | O_CLOEXEC));
  const auto report = make_report(Style::plain, full.get(), {});
  for (const event::Event& event : run_all_cached().events) report->on(event);
}

TEST(EventLogTest, WhatWasWrittenIsReplayed) {
  const TempDir dir = TempDir::create("/tmp", "kiln-log-").take();
  const fs::path path = dir.path() / "events.jsonl";
  const Fd file(open(path.c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
  const std::vector<event::Event> events = run_with_a_failure().events;
  const auto log = make_event_log(file.get());
  for (const event::Event& event : events) log->on(event);
  RecordingSink seen;
  EXPECT_TRUE(replay(path, seen).ok());
  EXPECT_EQ(seen.events, events);
}

TEST(EventLogTest, UnfinishedLastLineIsLeftOut) {
  const TempDir dir = TempDir::create("/tmp", "kiln-log-").take();
  const std::string line = event::render_event({1, event::StepStarted{0, ""}});
  ASSERT_TRUE(write_file_quick(dir.path() / "log", line + "\n" + line.substr(0, 20)).ok());
  RecordingSink seen;
  EXPECT_TRUE(replay(dir.path() / "log", seen).ok());
  EXPECT_EQ(seen.events.size(), 1U);
}

TEST(EventLogTest, BadLineIsNamed) {
  const TempDir dir = TempDir::create("/tmp", "kiln-log-").take();
  const std::string line = event::render_event({1, event::StepStarted{0, ""}});
  ASSERT_TRUE(write_file_quick(dir.path() / "log", line + "\nnonsense\n").ok());
  RecordingSink seen;
  const Result<> result = replay(dir.path() / "log", seen);
  ASSERT_FALSE(result.ok());
  EXPECT_EQ(result.error().code(), Errc::corrupt);
  EXPECT_NE(result.error().text().find("log:2: reading an event: JSON"), std::string::npos) << result.error().text();
}

TEST(WishesTest, LiveOnlyOnATerminalThatCanMoveItsCursor) {
  EXPECT_EQ(style_for({.is_terminal = true, .term = "xterm"}), Style::live);
  EXPECT_EQ(style_for({.is_terminal = true, .term = "dumb"}), Style::plain);
  EXPECT_EQ(style_for({.is_terminal = true, .term = ""}), Style::plain);
  EXPECT_EQ(style_for({.is_terminal = false, .term = "xterm"}), Style::plain);
  EXPECT_EQ(style_for({.timestamps = true, .is_terminal = true, .term = "xterm"}), Style::plain);
  EXPECT_EQ(style_for({.machine_readable = true, .is_terminal = true, .term = "xterm"}), Style::machine);
}

TEST(WishesTest, ColourIsForTerminalsUnlessSaidOtherwise) {
  const auto colour = [](const Wishes& wishes) { return options_for(wishes).colour; };
  EXPECT_TRUE(colour({.is_terminal = true, .term = "xterm"}));
  EXPECT_FALSE(colour({.is_terminal = false, .term = "xterm"}));
  EXPECT_TRUE(colour({.colour = true, .is_terminal = false}));
  EXPECT_FALSE(colour({.colour = false, .is_terminal = true, .term = "xterm"}));
  EXPECT_FALSE(colour({.is_terminal = true, .term = "xterm", .no_color = "1"}));
  EXPECT_FALSE(colour({.is_terminal = true, .term = "xterm", .packer_no_color = "yes"}));
}

TEST(WishesTest, UnicodeFollowsTheLocale) {
  EXPECT_TRUE(options_for({.locale = "en_US.UTF-8"}).unicode);
  EXPECT_TRUE(options_for({.locale = "C.utf8"}).unicode);
  EXPECT_FALSE(options_for({.locale = "C"}).unicode);
}

}  // namespace kiln::report
