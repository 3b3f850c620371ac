// Streams of events as a run makes them, for tests of what reads them. Times are fixed: the run starts at kRunStart.
#pragma once

#include <string>
#include <vector>

#include "event/event.h"

namespace kiln {

inline constexpr std::int64_t kRunStart = 1'700'000'000'000;

/// Collects events; after(ms) moves its clock.
class Script {
 public:
  Script& after(std::int64_t ms) {
    now_ += ms;
    return *this;
  }
  Script& tell(event::Fact fact) {
    events.push_back({now_, std::move(fact)});
    return *this;
  }
  std::vector<event::Event> events;

 private:
  std::int64_t now_ = kRunStart;
};

/// Two builds that share a base and a script; each has an end of its own.
inline event::RunStarted two_builds() {
  const std::vector<std::string> both = {"docker.spark", "amazon-ebs.spark"};
  return {"0.1.0",
          "run-1",
          "images/spark/spark.pkr.hcl",
          {{"docker.spark", "docker"}, {"amazon-ebs.spark", "amazon-ebs"}},
          {{0, "base", "base: bootstrap:debian/bookworm", {}, both},
           {1, "run", "shell: scripts/10-java.sh", {0}, both},
           {2, "run", "shell: scripts/20-spark.sh", {1}, {"docker.spark"}},
           {3, "copy", "file: files/ -> /tmp/files", {1}, {"amazon-ebs.spark"}},
           {4, "pack", "pack: docker", {2}, {"docker.spark"}},
           {5, "post-process", "docker-tag: spark:4.3.0", {4}, {"docker.spark"}}}};
}

inline event::Artifact docker_artifact() {
  return {"packer.post-processor.docker-import",
          "sha256:c0ffee",
          "Imported Docker image: sha256:c0ffee with tags spark:4.3.0, spark:latest",
          {"out/spark-docker.tar", "out/a,b"}};
}

/// Two builds up to the point where steps 2 and 3 run: a script with output, a copy with progress.
inline Script run_half_way() {
  using namespace event;
  Script s;
  s.tell(two_builds()).after(3).tell(StepFinished{0, Outcome::cached, 0, "sha256:ba5e", ""});
  s.after(2).tell(StepStarted{1, "script 10-java.sh changed"});
  s.after(900).tell(StepLine{1, "Setting up openjdk-17-jre-headless:amd64 ...", false});
  s.after(10'100).tell(StepLine{1, "W: \x1b[31mred\x1b[0m\tand a bell\x07", true});
  s.after(100).tell(StepFinished{1, Outcome::built, 11'100, "sha256:1a7e", ""});
  s.tell(StepStarted{2, "its input changed"}).tell(StepStarted{3, "no layer in the store"});
  s.after(200).tell(StepProgress{2, "downloading pyspark-4.3.0.tar.gz", 0, 455'400'000});
  s.after(2'000).tell(StepProgress{2, "downloading pyspark-4.3.0.tar.gz", 175'000'000, 455'400'000});
  s.tell(StepProgress{3, "copying", 1'300'000, 0});
  return s;
}

/// The same to its end: docker succeeds, amazon-ebs fails in step 3.
inline Script run_with_a_failure() {
  using namespace event;
  Script s = run_half_way();
  s.after(500).tell(StepLine{3, "copying files/spark-env.sh", false}).tell(StepLine{3, "disk is full", true});
  s.after(100).tell(StepFinished{3, Outcome::failed, 2'800, "", "copying files/conf: no space left on device"});
  s.tell(BuildFinished{"amazon-ebs.spark", Outcome::failed, 13'905, {}, "file: copying files/conf: no space left"});
  s.after(60'000).tell(StepFinished{2, Outcome::built, 62'900, "sha256:5bac", ""});
  s.tell(StepStarted{4, "its input changed"}).after(4'000).tell(StepFinished{4, Outcome::built, 4'000, "", ""});
  s.tell(Warning{1, "", "a service was not started: ssh"});
  s.tell(StepStarted{5, ""}).tell(StepLine{5, "Tagging image: spark:4.3.0", false});
  s.after(5).tell(StepFinished{5, Outcome::built, 5, "", ""});
  s.tell(BuildMessage{"docker.spark", "image is out/spark-docker.tar\nlog is out/events.jsonl", false});
  s.tell(BuildFinished{"docker.spark", Outcome::built, 77'910, {docker_artifact()}, ""});
  s.tell(RunFinished{Outcome::failed, 77'915, "step"});
  return s;
}

/// Stopped by a signal half way.
inline Script run_interrupted() {
  using namespace event;
  Script s = run_half_way();
  s.after(50).tell(StepFinished{2, Outcome::interrupted, 2'250, "", ""});
  s.tell(StepFinished{3, Outcome::interrupted, 2'250, "", ""});
  s.tell(BuildFinished{"docker.spark", Outcome::interrupted, 13'355, {}, ""});
  s.tell(BuildFinished{"amazon-ebs.spark", Outcome::interrupted, 13'355, {}, ""});
  s.tell(RunFinished{Outcome::interrupted, 13'356, "step"});
  return s;
}

/// A run in which nothing had to be done.
inline Script run_all_cached() {
  using namespace event;
  Script s;
  RunStarted run = two_builds();
  for (const StepInfo& step : run.steps) s.tell(StepFinished{step.id, Outcome::cached, 0, "", ""});
  s.events.insert(s.events.begin(), {kRunStart, run});
  s.after(12).tell(BuildFinished{"docker.spark", Outcome::cached, 12, {docker_artifact()}, ""});
  s.tell(BuildFinished{"amazon-ebs.spark", Outcome::cached, 12, {}, ""});
  s.tell(RunFinished{Outcome::cached, 12, ""});
  return s;
}

}  // namespace kiln
