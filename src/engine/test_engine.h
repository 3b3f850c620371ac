// For the tests of this room: plans written as text, a real store, and a runner whose steps make layers of one file.
#pragma once

#include <gtest/gtest.h>

#include <condition_variable>
#include <mutex>
#include <sstream>

#include "base/text.h"
#include "engine/engine.h"
#include "event/sinks.h"
#include "support/recording_sink.h"

namespace kiln::engine {

/// Steps are known by their label: what they make is outputs[label], else the label itself.
class FakeRunner : public StepRunner {
 public:
  explicit FakeRunner(store::Store& store) : store_(store) {}

  Result<Outcome> run(const plan::Step& step, const Tree& from, const Cancel& cancel) override {
    enter(step.label);
    auto made = make(step, from, cancel);
    leave();
    return made;
  }

  Result<std::optional<Outcome>> current(const plan::Step& step, const Tree& from) override {
    const std::lock_guard lock(mutex_);
    const auto it = images.find(step.label);
    if (it == images.end() || it->second != from.identity().hex()) return std::optional<Outcome>();
    return std::optional(Outcome{{}, {artifact(step)}});
  }

  void clean_up(const plan::Step& step, const Tree& /*from*/, const Cancel& /*cancel*/) override {
    const std::lock_guard lock(mutex_);
    started.push_back("clean-up-of-" + step.label);
  }

  std::string ran() const { return join(started, " "); }
  bool waits_for(const std::string& label) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, std::chrono::seconds(20),
                             [&] { return std::find(started.begin(), started.end(), label) != started.end(); });
  }

  std::map<std::string, std::string> outputs;
  std::map<std::string, std::string> images;  // packs that are there, with the identity of the tree they were made from
  std::map<std::string, std::function<Result<>(const Cancel&)>> hooks;
  std::vector<std::string> started;
  int most_at_once = 0;

 private:
  static event::Artifact artifact(const plan::Step& step) { return {"fake.pack", step.label, step.label, {}}; }

  void enter(const std::string& label) {
    const std::lock_guard lock(mutex_);
    started.push_back(label);
    most_at_once = std::max(most_at_once, ++running_);
    changed_.notify_all();
  }
  void leave() {
    const std::lock_guard lock(mutex_);
    --running_;
  }

  Result<Outcome> make(const plan::Step& step, const Tree& from, const Cancel& cancel) {
    if (const auto hook = hooks.find(step.label); hook != hooks.end()) TRY(hook->second(cancel));
    if (!makes_layer(step)) {
      const std::lock_guard lock(mutex_);
      images[step.label] = from.identity().hex();
      return Outcome{{}, {artifact(step)}};
    }
    const auto given = outputs.find(step.label);
    const std::string text = given != outputs.end() ? given->second : step.label;
    const store::Scratch scratch = TRY(store_.scratch("step"));
    TRY(make_dirs(scratch.path() / "upper"));
    TRY(write_file_quick(scratch.path() / "upper/f", text));
    store::Layer layer;
    layer.id = sha256(text);
    layer.entries = 1;
    TRY(store_.add_layer(scratch.path() / "upper", layer, step.label));
    return Outcome{store::StepResult{.layer = layer.id, .volatile_layer = {}, .facts = Json::object()}, {}};
  }

  store::Store& store_;
  std::mutex mutex_;
  std::condition_variable changed_;
  int running_ = 0;
};

/// "x: base:debian run:one=v2 pack:img": a build x of three steps; "=v2" is the step's script, "!" at its end says that
/// it is late. Equal beginnings of builds are one, as the plan room makes them.
inline plan::Plan plan_of(const std::vector<std::string>& builds) {
  plan::Plan plan;
  for (const std::string& line : builds) {
    std::istringstream words(line);
    std::string name, word;
    words >> name;
    name.pop_back();
    const std::size_t index = plan.builds.size();
    plan.builds.push_back({.name = name, .type = "docker", .source_name = name});
    std::optional<plan::StepId> top;
    std::vector<plan::StepId> after;
    while (words >> word) {
      plan::Step step;
      step.late = word.back() == '!';
      if (step.late) word.pop_back();
      step.follows_late = step.late || (top && plan.steps[*top].follows_late);
      const std::string rest = word.substr(word.find(':') + 1);
      step.kind = word.substr(0, word.find(':'));
      step.label = rest.substr(0, rest.find('='));
      step.description.add("kind", step.kind);
      step.description.add("script " + step.label, rest);
      step.description_id = step.description.hash();
      if (top) step.parents.push_back(*top);
      step.after = after;
      step.key =
          plan::key_of(step.description, top ? std::vector<Digest>{plan.steps[*top].key} : std::vector<Digest>());
      step.slot = name + "/" + step.label;
      auto same = std::find_if(plan.steps.begin(), plan.steps.end(),
                               [&](const plan::Step& s) { return s.key == step.key && makes_layer(s); });
      step.id = static_cast<plan::StepId>(same - plan.steps.begin());
      if (same == plan.steps.end()) plan.steps.push_back(step);
      plan::Step& placed = plan.steps[step.id];
      placed.builds.push_back(index);
      plan.builds[index].steps.push_back(placed.id);
      if (placed.kind == "pack") plan.builds[index].pack = placed.id;
      if (placed.kind == "host") {
        after.push_back(placed.id);
      } else {
        top = placed.id;
      }
    }
  }
  return plan;
}

class EngineTest : public testing::Test {
 protected:
  /// Runs a plan; what ran and what each step came to are in runner and events.
  RunReport build(const std::vector<std::string>& builds) {
    const plan::Plan plan = plan_of(builds);
    runner.started.clear();
    events.events.clear();
    event::LockedSink locked(events);
    auto report = run(plan, store, runner, options, locked, cancel);
    if (!report) ADD_FAILURE() << report.error().text();
    labels.clear();
    for (const plan::Step& s : plan.steps) labels.push_back(s.label);
    return report ? *report : RunReport{};
  }

  /// "base=cached one=built": how each step ended, in the order in which they did.
  std::string ends() const {
    std::vector<std::string> words;
    for (const auto& e : events.all<event::StepFinished>()) {
      constexpr const char* kWords[] = {"built", "cached", "skipped", "failed", "interrupted"};
      words.push_back(labels[e.id] + "=" + kWords[static_cast<std::size_t>(e.outcome)]);
    }
    return join(words, " ");
  }

  TempDir dir = TempDir::create(testing::TempDir(), "engine").take();
  store::Store store = store::Store::open(dir.path() / "store").take();
  FakeRunner runner{store};
  RecordingSink events;
  Options options;
  Cancel cancel;
  std::vector<std::string> labels;
};

}  // namespace kiln::engine
