#include <gtest/gtest.h>

#include <thread>

#include "event/json.h"
#include "event/sinks.h"
#include "support/golden.h"
#include "support/recording_sink.h"

namespace kiln::event {

namespace {

/// One of every fact, with no field left at its default.
std::vector<Event> one_of_each() {
  const std::vector<Fact> facts = {
      RunStarted{"0.1.0",
                 "run-7",
                 "spark.pkr.hcl",
                 {{"docker.spark", "docker"}, {"amazon-ebs.spark", "amazon-ebs"}},
                 {{0, "base", "base: debian", {}, {"docker.spark"}}, {1, "run", "shell: a.sh", {0}, {"docker.spark"}}}},
      StepStarted{1, "script a.sh changed"},
      StepLine{1, "line \x1b[1m \"quoted\" \u00e9 \t end", true},
      StepProgress{1, "downloading", 18'446'744'073'709'551'615U, 455'000'000},
      StepFinished{1, Outcome::failed, 1234, "sha256:ab", "exit code 3"},
      Warning{1, "docker.spark", "a service was not started"},
      BuildMessage{"docker.spark", "two\nlines", true},
      BuildFinished{"docker.spark", Outcome::cached, 12, {{"b.id", "sha256:cd", "Imported", {"out/a.tar"}}}, "why not"},
      RunFinished{Outcome::interrupted, 99, "step"},
  };
  std::vector<Event> events;
  events.reserve(facts.size());
  for (const Fact& fact : facts) events.push_back({1'700'000'000'123 + static_cast<std::int64_t>(events.size()), fact});
  return events;
}

std::string problem_of(std::string_view line) {
  const Result<Event> event = parse_event(line);
  return event.ok() ? "none" : event.error().text();
}

}  // namespace

TEST(EventJsonTest, EveryFactComesBackEqual) {
  const std::vector<Event> events = one_of_each();
  ASSERT_EQ(events.size(), std::variant_size_v<Fact>);
  for (std::size_t i = 0; i < events.size(); ++i) {
    EXPECT_EQ(events[i].what.index(), i);
    const Result<Event> back = parse_event(render_event(events[i]));
    ASSERT_TRUE(back.ok()) << back.error().text();
    EXPECT_EQ(*back, events[i]) << render_event(events[i]);
  }
}

TEST(EventJsonTest, LinesAreTheDocumentedOnes) {
  std::string text;
  for (const Event& event : one_of_each()) text += render_event(event) + "\n";
  expect_golden("events.jsonl", text);
}

TEST(EventJsonTest, WarningOfNoStepHasNull) {
  const Event event{1, Warning{std::nullopt, "", "clock is off"}};
  EXPECT_EQ(render_event(event), R"({"at_ms":1,"build":"","fact":"warning","step":null,"text":"clock is off"})");
  EXPECT_EQ(*parse_event(render_event(event)), event);
}

TEST(EventJsonTest, EveryOutcomeHasItsWord) {
  for (const Outcome outcome :
       {Outcome::built, Outcome::cached, Outcome::skipped, Outcome::failed, Outcome::interrupted}) {
    const Event event{1, RunFinished{outcome, 2, ""}};
    EXPECT_EQ(*parse_event(render_event(event)), event) << word_of(outcome);
  }
}

TEST(EventJsonTest, LineNeverHoldsANewlineOrBrokenUtf8) {
  const std::string line = render_event({1, StepLine{0, "a\nb\r\xff", false}});
  EXPECT_EQ(line.find('\n'), std::string::npos);
  EXPECT_EQ(std::get<StepLine>(parse_event(line)->what).text, "a\nb\r\ufffd");
}

TEST(EventJsonTest, ReaderSaysWhatIsWrong) {
  EXPECT_EQ(problem_of("{}"), "reading an event: no time in it");
  EXPECT_EQ(problem_of("[1]"), "reading an event: no time in it");
  EXPECT_EQ(problem_of(R"({"at_ms":1,"fact":"step-eaten"})"),
            R"(reading an event: fact "step-eaten" is not known to this version of kiln)");
  EXPECT_EQ(problem_of(R"({"at_ms":1,"fact":"step-started","id":1})"),
            R"(reading an event: fact step-started: "why" is missing)");
  EXPECT_EQ(problem_of(R"({"at_ms":1,"fact":"step-started","id":-1,"why":""})"),
            R"(reading an event: fact step-started: "id" is not what it should be)");
  EXPECT_EQ(problem_of(R"({"at_ms":1,"fact":"step-started","id":4294967296,"why":""})"),
            R"(reading an event: fact step-started: "id" is not what it should be)");
}

TEST(EventJsonTest, ReaderNamesTheInnerField) {
  EXPECT_EQ(problem_of(R"({"at_ms":1,"fact":"run-started","kiln_version":"","run_id":"","template_path":"",)"
                       R"("builds":[{"name":"x"}],"steps":[]})"),
            R"(reading an event: fact run-started: in "builds": "type" is missing)");
}

TEST(EventJsonTest, NamesOfALaterVersionArePassedOver) {
  const Result<Event> event = parse_event(R"({"at_ms":1,"fact":"step-started","id":1,"why":"","since":"2.0"})");
  ASSERT_TRUE(event.ok());
  EXPECT_EQ(std::get<StepStarted>((*event).what).id, 1U);
}

TEST(TeeSinkTest, TellsEveryReader) {
  RecordingSink a, b;
  TeeSink tee({&a, &b});
  tee.on({1, StepStarted{0, "x"}});
  EXPECT_EQ(a.events.size(), 1U);
  EXPECT_EQ(a.events, b.events);
}

TEST(LockedSinkTest, ManyThreadsLoseNothingAndKeepTheirOrder) {
  RecordingSink all;
  LockedSink locked(all);
  std::vector<std::thread> threads;
  for (StepId id = 0; id < 4; ++id) {
    threads.emplace_back([&locked, id] {
      for (std::uint64_t i = 0; i < 500; ++i) locked.on(stamped(StepProgress{id, "", i, 500}));
    });
  }
  for (std::thread& thread : threads) thread.join();
  std::vector<std::uint64_t> next(4, 0);
  for (const StepProgress& progress : all.all<StepProgress>()) EXPECT_EQ(progress.done, next.at(progress.id)++);
  EXPECT_EQ(next, std::vector<std::uint64_t>(4, 500));
}

TEST(StampedTest, TimeIsMillisecondsOfTheWallClock) {
  const std::int64_t before = unix_now();
  const Event event = stamped(StepStarted{0, ""});
  EXPECT_GE(event.at_ms, before * 1000);
  EXPECT_LE(event.at_ms, (unix_now() + 1) * 1000);
}

}  // namespace kiln::event
