#include <gmock/gmock.h>

#include <thread>

#include "engine/test_engine.h"

namespace kiln::engine {
namespace {

const std::vector<std::string> kOne = {"x: base:debian run:one run:two pack:img"};

TEST_F(EngineTest, StepsRunAboveTheirParents) {
  const RunReport report = build(kOne);
  EXPECT_EQ(runner.ran(), "debian one two img");
  EXPECT_EQ(report.outcome, event::Outcome::built);
  const auto done = events.all<event::BuildFinished>();
  ASSERT_EQ(done.size(), 1U);
  ASSERT_EQ(done[0].artifacts.size(), 1U);
  EXPECT_EQ(done[0].artifacts[0].id, "img");
}

TEST_F(EngineTest, WithNothingChangedNothingRuns) {
  build(kOne);
  EXPECT_EQ(build(kOne).outcome, event::Outcome::cached);
  EXPECT_EQ(runner.ran(), "");
  EXPECT_EQ(ends(), "debian=cached one=cached two=cached img=cached");
}

TEST_F(EngineTest, AChangeThatMakesNoDifferenceStopsThere) {
  build(kOne);
  build({"x: base:debian run:one=comment run:two pack:img"});
  EXPECT_EQ(runner.ran(), "one");
  EXPECT_EQ(ends(), "debian=cached one=built two=cached img=cached");
}

TEST_F(EngineTest, AChangeThatMakesADifferenceGoesOn) {
  build(kOne);
  runner.outputs["one"] = "other";
  build({"x: base:debian run:one=other run:two pack:img"});
  EXPECT_EQ(runner.ran(), "one two img");
}

TEST_F(EngineTest, AChangeAtTheEndRunsThatStepAlone) {
  build(kOne);
  runner.outputs["two"] = "other";
  build({"x: base:debian run:one run:two=other pack:img"});
  EXPECT_EQ(runner.ran(), "two img");
}

TEST_F(EngineTest, TheOldStateIsFoundAgain) {
  build(kOne);
  runner.outputs["one"] = "other";
  build({"x: base:debian run:one=other run:two pack:img"});
  build(kOne);
  EXPECT_EQ(runner.ran(), "img") << "layers are there, the image is another's";
}

TEST_F(EngineTest, SharedStepsRunOnce) {
  build({"x: base:debian run:one run:two pack:imgx", "y: base:debian run:one run:three pack:imgy"});
  EXPECT_EQ(std::count(runner.started.begin(), runner.started.end(), "one"), 1);
  EXPECT_EQ(runner.started.size(), 6U);
}

TEST_F(EngineTest, IndependentStepsRunSideBySide) {
  runner.hooks["a"] = [&](const Cancel&) -> Result<> {
    return runner.waits_for("b") ? Result<>() : error(Errc::step_failed, "b never started");
  };
  runner.hooks["b"] = [&](const Cancel&) -> Result<> {
    return runner.waits_for("a") ? Result<>() : error(Errc::step_failed, "a never started");
  };
  EXPECT_EQ(build({"x: base:debian run:a pack:imgx", "y: base:debian run:b pack:imgy"}).failed_builds, 0U);
  EXPECT_EQ(runner.most_at_once, 2);
}

TEST_F(EngineTest, NoMoreStepsRunAtOnceThanAllowed) {
  options.max_running = 1;
  build({"x: base:debian run:a pack:imgx", "y: base:debian run:b pack:imgy"});
  EXPECT_EQ(runner.most_at_once, 1);
}

TEST_F(EngineTest, ParallelBuildsHoldTheOthersBack) {
  options.parallel_builds = 1;
  build({"x: base:debian run:a pack:imgx", "y: base:debian run:b pack:imgy"});
  EXPECT_EQ(runner.ran(), "debian a imgx b imgy");
}

TEST_F(EngineTest, AFailedStepStopsItsBuildAndNoOther) {
  runner.hooks["bad"] = [](const Cancel&) -> Result<> { return error(Errc::step_failed, "exit 3"); };
  const RunReport report = build({"x: base:debian run:bad run:after pack:imgx", "y: base:debian run:good pack:imgy"});
  EXPECT_EQ(report.failed_builds, 1U);
  EXPECT_EQ(report.outcome, event::Outcome::failed);
  EXPECT_THAT(ends(), testing::HasSubstr("bad=failed after=skipped imgx=skipped"));
  EXPECT_THAT(ends(), testing::HasSubstr("imgy=built"));
  for (const auto& done : events.all<event::BuildFinished>()) {
    EXPECT_EQ(done.error, done.build == "x" ? "exit 3" : "");
    EXPECT_EQ(done.artifacts.size(), done.build == "x" ? 0U : 1U);
  }
}

TEST_F(EngineTest, AnExceptionFailsItsStepAlone) {
  runner.hooks["bad"] = [](const Cancel&) -> Result<> { throw std::runtime_error("library"); };
  const RunReport report = build({"x: base:debian run:bad pack:imgx", "y: base:debian run:good pack:imgy"});
  EXPECT_EQ(report.failed_builds, 1U);
  EXPECT_THAT(ends(), testing::HasSubstr("imgy=built"));
}

TEST_F(EngineTest, ARebuildStartsAtTheStepThatFailed) {
  runner.hooks["two"] = [](const Cancel&) -> Result<> { return error(Errc::step_failed, "exit 3"); };
  build(kOne);
  runner.hooks.clear();
  build(kOne);
  EXPECT_EQ(runner.ran(), "two img");
}

TEST_F(EngineTest, AStepThatReadsLateAlwaysRunsAndTheSameContentStopsThere) {
  const std::vector<std::string> late = {"x: base:debian run:one run:late! run:two pack:img"};
  build(late);
  build(late);
  EXPECT_EQ(runner.ran(), "late");
  runner.outputs["late"] = "other";
  build(late);
  EXPECT_EQ(runner.ran(), "late two img") << "new content was missed behind a step whose key is the same";
  runner.outputs.clear();
  build(late);
  EXPECT_EQ(runner.ran(), "late img");
}

TEST_F(EngineTest, TheTreeBeforeAStepBehindALateOneIsTheLastThatWasMade) {
  const plan::Plan plan = plan_of({"x: base:debian run:late! run:two"});
  EXPECT_FALSE(*tree_before(plan, 2, store));
  build({"x: base:debian run:late! run:two"});
  const auto tree = tree_before(plan, 2, store).take();
  ASSERT_TRUE(tree);
  EXPECT_EQ(tree->layers.back(), sha256("late"));
}

TEST_F(EngineTest, AFailedStepIsCleanedUpAfterUnlessSomebodySaysOtherwise) {
  runner.hooks["two"] = [](const Cancel&) -> Result<> { return error(Errc::step_failed, "exit 3"); };
  build(kOne);
  EXPECT_EQ(runner.ran(), "debian one two clean-up-of-two");
  options.on_error = [](const plan::Step&, const Error&) { return OnError::abort; };
  build(kOne);
  EXPECT_EQ(runner.ran(), "two");
}

TEST_F(EngineTest, AStepIsRetriedAsOftenAsSomebodyWants) {
  int left = 2;
  runner.hooks["two"] = [](const Cancel&) -> Result<> { return error(Errc::step_failed, "exit 3"); };
  options.on_error = [&](const plan::Step& step, const Error& failure) {
    EXPECT_EQ(step.label + " " + failure.text(), "two exit 3");
    if (--left == 0) runner.hooks.clear();
    return OnError::retry;
  };
  EXPECT_EQ(build(kOne).failed_builds, 0U);
  EXPECT_EQ(runner.ran(), "debian one two two two img");
}

TEST_F(EngineTest, CancelledNothingNewStartsAndTheReportSaysSo) {
  runner.hooks["one"] = [&](const Cancel& asked) -> Result<> {
    cancel.cancel();
    return asked.check();
  };
  const RunReport report = build(kOne);
  EXPECT_TRUE(report.interrupted);
  EXPECT_EQ(runner.ran(), "debian one");
  EXPECT_EQ(ends(), "debian=built one=interrupted two=skipped img=skipped");
}

TEST_F(EngineTest, ALayerThatIsGoneIsMadeAgain) {
  build(kOne);
  fs::remove_all(dir.path() / "store/layers" / sha256("one").hex());
  runner.images.clear();
  build(kOne);
  EXPECT_EQ(runner.ran(), "one img");
}

TEST_F(EngineTest, AnImageThatIsThereNeedsNoLayers) {
  build(kOne);
  fs::remove_all(dir.path() / "store/layers");
  EXPECT_EQ(build(kOne).outcome, event::Outcome::cached);
  EXPECT_EQ(runner.ran(), "");
}

TEST_F(EngineTest, DamagedResultsCountAsAbsent) {
  build(kOne);
  for (const char* kind : {"results", "aliases"}) {
    for (const auto& file : fs::recursive_directory_iterator(dir.path() / "store" / kind)) {
      if (!file.is_regular_file()) continue;
      ASSERT_TRUE(write_file_quick(file.path(), "{\"at\":1,\"bo"));
    }
  }
  runner.images.clear();
  EXPECT_EQ(build(kOne).outcome, event::Outcome::built);
  EXPECT_EQ(runner.ran(), "debian one two img");
}

TEST_F(EngineTest, NoCacheRunsEverythingAboveTheBase) {
  build(kOne);
  options.no_cache = true;
  build(kOne);
  EXPECT_EQ(runner.ran(), "one two img");
}

TEST_F(EngineTest, AFilteredStepRunsAgainAndTheRestIsFound) {
  build(kOne);
  options.no_cache_filter = {"o*"};
  build(kOne);
  EXPECT_EQ(runner.ran(), "one");
}

TEST_F(EngineTest, HostStepsAlwaysRunAndLaterStepsWaitForThem) {
  const std::vector<std::string> builds = {"x: base:debian host:make run:one pack:img"};
  build(builds);
  EXPECT_EQ(runner.ran(), "debian make one img");
  build(builds);
  EXPECT_EQ(runner.ran(), "make");
}

TEST_F(EngineTest, AFailedHostStepStopsWhatWaitsForIt) {
  runner.hooks["make"] = [](const Cancel&) -> Result<> { return error(Errc::step_failed, "exit 2"); };
  EXPECT_EQ(build({"x: base:debian host:make run:one pack:img"}).failed_builds, 1U);
  EXPECT_EQ(runner.ran(), "debian make clean-up-of-make");
}

TEST_F(EngineTest, ABuildThatKeepsNothingStillRunsItsSteps) {
  build({"x: base:debian run:one"});
  EXPECT_EQ(runner.ran(), "debian one");
  build({"x: base:debian run:one"});
  EXPECT_EQ(runner.ran(), "");
}

TEST_F(EngineTest, TwoBuildsOverOneStoreShareTheWork) {
  const plan::Plan plan = plan_of({"x: base:debian run:one run:two run:three"});
  FakeRunner runners[2] = {FakeRunner(store), FakeRunner(store)};
  std::size_t failed = 0;
  {
    std::vector<std::jthread> both;
    for (FakeRunner& mine : runners) {
      both.emplace_back([&] {
        auto own = store::Store::open(dir.path() / "store");
        RecordingSink quiet;
        event::LockedSink locked(quiet);
        auto report = run(plan, *own, mine, options, locked, cancel);
        if (!report || report->failed_builds != 0) ++failed;
      });
    }
  }
  EXPECT_EQ(failed, 0U);
  EXPECT_EQ(runners[0].started.size() + runners[1].started.size(), 4U);
}

/// "debian cached, one run (script one changed)": what `kiln plan` would say.
std::string foretold(const plan::Plan& plan, const std::vector<Forecast>& all) {
  std::string text;
  for (const plan::Step& s : plan.steps) {
    const Forecast& f = all[s.id];
    text += s.label + (f.cached ? " cached" : f.may_stop ? " maybe" : " run (" + f.why + ")") + "\n";
  }
  return text;
}

TEST_F(EngineTest, TheForecastSaysWhatWillRunAndWhy) {
  const auto forecast_of = [&](const std::vector<std::string>& builds) {
    const plan::Plan plan = plan_of(builds);
    return foretold(plan, forecast(plan, store, runner, options).take());
  };
  EXPECT_THAT(forecast_of(kOne), testing::StartsWith("debian run (no layer in the store)\n"));
  build(kOne);
  EXPECT_EQ(forecast_of(kOne), "debian cached\none cached\ntwo cached\nimg cached\n");
  EXPECT_EQ(forecast_of({"x: base:debian run:one=v2 run:two pack:img"}),
            "debian cached\none run (script one changed)\ntwo maybe\n"
            "img run (its artifact is not there, or not from this tree)\n");
  EXPECT_EQ(runner.ran(), "debian one two img") << "a forecast runs nothing";
  options.no_cache = true;
  EXPECT_THAT(forecast_of(kOne), testing::HasSubstr("one run (no cache is used)\ntwo run (no cache is used)\n"));
}

TEST_F(EngineTest, TheTreeBelowAStepIsKnownOnceItIsBuilt) {
  const plan::Plan plan = plan_of(kOne);
  EXPECT_FALSE(tree_before(plan, 2, store).take());
  build(kOne);
  const auto before = tree_before(plan, 2, store).take();
  ASSERT_TRUE(before);
  EXPECT_EQ(before->layers, (std::vector<Digest>{sha256("debian"), sha256("one")}));
  const auto after = tree_after(plan, 2, store).take();
  ASSERT_TRUE(after);
  EXPECT_EQ(after->layers.back(), sha256("two"));
}

}  // namespace
}  // namespace kiln::engine
