#include "engine/engine.h"

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>

#include "base/time.h"
#include "engine/demand.h"
#include "engine/lookup.h"
#include "event/sinks.h"

namespace kiln::engine {

namespace {

/// What a step's thread sends back.
struct Message {
  plan::StepId id;
  Result<Outcome> outcome;
  bool made_elsewhere = false;  // another process made it while this one waited
};

class Mailbox {
 public:
  void post(Message message) {
    const std::lock_guard lock(mutex_);
    messages_.push_back(std::move(message));
    filled_.notify_one();
  }
  Message take() {
    std::unique_lock lock(mutex_);
    filled_.wait(lock, [&] { return !messages_.empty(); });
    Message first = std::move(messages_.front());
    messages_.pop_front();
    return first;
  }

 private:
  std::mutex mutex_;
  std::condition_variable filled_;
  std::deque<Message> messages_;
};

struct Progress {
  StepState state = StepState::wanted;
  Clock::time_point started;
  std::string error;
  bool interrupted = false;
  std::vector<event::Artifact> artifacts;
};

bool settled(StepState s) {
  return s == StepState::built || s == StepState::cached || s == StepState::failed || s == StepState::skipped;
}
bool succeeded(StepState s) {
  return s == StepState::built || s == StepState::cached;
}

class Scheduler {
 public:
  Scheduler(const plan::Plan& plan, store::Store& store, StepRunner& runner, const Options& options,
            event::EventSink& events, const Cancel& cancel)
      : plan_(plan),
        store_(store),
        runner_(runner),
        options_(options),
        events_(events),
        cancel_(cancel),
        lookup_(plan, store, options, &runner),
        steps_(plan.steps.size()),
        build_done_(plan.builds.size()) {}

  Result<RunReport> run() {
    demand_ = TRY(find_demand(plan_, lookup_, runner_));
    settle_what_is_there();
    while (!all_settled()) {
      TRY(start_ready_steps());
      if (running_ > 0) {
        TRY(receive(mailbox_.take()));
      } else if (!all_settled()) {
        skip_rest();
      }
    }
    threads_.clear();
    return report();
  }

 private:
  const plan::Step& step(plan::StepId id) const { return plan_.steps[id]; }

  void emit(event::Fact fact) { events_.on(event::stamped(std::move(fact))); }

  /// The one place where a step changes state.
  void settle(plan::StepId id, StepState state, std::string error = {}) {
    Progress& p = steps_[id];
    const bool ran = p.state == StepState::running;
    p.state = state;
    p.error = std::move(error);
    const auto outcome = state == StepState::built     ? event::Outcome::built
                         : state == StepState::cached  ? event::Outcome::cached
                         : state == StepState::skipped ? event::Outcome::skipped
                         : p.interrupted               ? event::Outcome::interrupted
                                                       : event::Outcome::failed;
    const auto& result = lookup_.result(id);
    const std::string layer = result && !result->layer.empty() ? result->layer.text() : std::string();
    emit(event::StepFinished{id, outcome, ran ? ms_since(p.started) : 0, layer, p.error});
    if (!succeeded(state)) skip_dependents(id);
    finish_builds();
  }

  void skip_dependents(plan::StepId id) {
    for (const plan::Step& s : plan_.steps) {
      const auto needs = [&](const std::vector<plan::StepId>& ids) {
        return std::find(ids.begin(), ids.end(), id) != ids.end();
      };
      if (!settled(steps_[s.id].state) && (needs(s.parents) || needs(s.after))) settle(s.id, StepState::skipped);
    }
  }

  void settle_what_is_there() {
    for (const plan::Step& s : plan_.steps) {
      if (demand_.required[s.id]) continue;
      if (demand_.up_to_date[s.id]) steps_[s.id].artifacts = demand_.up_to_date[s.id]->artifacts;
      settle(s.id, StepState::cached);
    }
  }

  bool all_settled() const {
    return std::all_of(steps_.begin(), steps_.end(), [](const Progress& p) { return settled(p.state); });
  }

  void skip_rest() {
    for (const plan::Step& s : plan_.steps) {
      if (!settled(steps_[s.id].state)) settle(s.id, StepState::skipped);
    }
  }

  bool ready(const plan::Step& s) const {
    const auto ok = [&](plan::StepId id) { return succeeded(steps_[id].state); };
    return steps_[s.id].state == StepState::wanted && std::all_of(s.parents.begin(), s.parents.end(), ok) &&
           std::all_of(s.after.begin(), s.after.end(), ok) && build_is_open(s);
  }

  /// -parallel-builds=N: only steps of the first N unfinished builds may start.
  bool build_is_open(const plan::Step& s) const {
    if (options_.parallel_builds == 0) return true;
    std::size_t open = 0;
    for (std::size_t b = 0; b < plan_.builds.size() && open < options_.parallel_builds; ++b) {
      if (build_done_[b]) continue;
      ++open;
      if (std::find(s.builds.begin(), s.builds.end(), b) != s.builds.end()) return true;
    }
    return false;
  }

  Result<> start_ready_steps() {
    for (bool changed = true; changed;) {
      changed = false;
      for (const plan::Step& s : plan_.steps) {
        if (cancel_.cancelled() || running_ >= options_.max_running) return {};
        if (!ready(s)) continue;
        TRY(start(s));
        changed = true;
      }
    }
    return {};
  }

  /// Settles a step from the store, or starts it.
  Result<> start(const plan::Step& s) {
    const auto tree = lookup_.tree_below(s);
    if (!tree) return error(Errc::corrupt, "internal: the tree below '{}' is not known", s.label);
    if (makes_layer(s)) {
      const auto known = TRY(lookup_.known(s));
      if (known && TRY(lookup_.present(*known))) {
        settle(s.id, StepState::cached);
        return {};
      }
    } else if (lookup_.reusable(s)) {
      if (s.kind == "pack" || s.kind == "post-process") {
        if (auto there = TRY(runner_.current(s, *tree))) {
          steps_[s.id].artifacts = there->artifacts;
          settle(s.id, StepState::cached);
          return {};
        }
      }
    }
    steps_[s.id].state = StepState::running;
    steps_[s.id].started = Clock::now();
    ++running_;
    emit(event::StepStarted{s.id, makes_layer(s) ? lookup_.reason(s) : std::string()});
    threads_.emplace_back([this, &s, from = *tree] { mailbox_.post(guarded(s, from)); });
    return {};
  }

  /// An exception of a library fails its step; it does not end the process under the others.
  Message guarded(const plan::Step& s, const Tree& from) {
    try {
      return work(s, from);
    } catch (const std::exception& e) {
      return {s.id, error(Errc::corrupt, "internal error: {}", e.what())};
    }
  }

  /// In the step's own thread. The result is written before the key's lock goes, so that who waits for it finds it.
  Message work(const plan::Step& s, const Tree& from) {
    if (s.kind == "pack" || s.kind == "post-process") return {s.id, runner_.run(s, from, cancel_)};
    if (!makes_layer(s)) return {s.id, provision(s, from)};
    auto lock = store_.lock_key(s.key, cancel_, [&](const std::string& holder) {
      const std::string by = holder.empty() ? std::string() : " (" + holder + ")";
      emit(event::Warning{s.id, {}, "waiting for another kiln that runs this step" + by});
    });
    if (!lock) return {s.id, std::move(lock).error()};
    if (auto made = made_meanwhile(s, from)) return {s.id, Outcome{std::move(*made), {}}, true};
    auto outcome = provision(s, from);
    if (outcome) {
      if (auto kept = lookup_.record(s, from, outcome->result); !kept) return {s.id, std::move(kept).error()};
    }
    return {s.id, std::move(outcome)};
  }

  /// Runs a provisioner's step until it works or nobody wants it again.
  Result<Outcome> provision(const plan::Step& s, const Tree& from) {
    for (;;) {
      auto outcome = runner_.run(s, from, cancel_);
      if (outcome || s.kind == "base" || outcome.error().code() != Errc::step_failed) return outcome;
      const OnError choice = options_.on_error ? options_.on_error(s, outcome.error()) : OnError::cleanup;
      if (choice == OnError::retry && !cancel_.cancelled()) continue;
      if (choice == OnError::cleanup) runner_.clean_up(s, from, cancel_);
      return outcome;
    }
  }

  std::optional<store::StepResult> made_meanwhile(const plan::Step& s, const Tree& from) {
    if (!lookup_.reusable(s) || s.follows_late) return std::nullopt;
    auto found = store_.find_result(s.key);
    if (!found || !*found) return std::nullopt;
    if (s.kind == "boot") {
      const auto good = runner_.accepts(s, from, **found);
      if (!good || !*good) return std::nullopt;
    }
    auto there = lookup_.present(**found);
    return there && *there ? *found : std::nullopt;
  }

  Result<> receive(Message message) {
    --running_;
    const plan::Step& s = step(message.id);
    if (!message.outcome) {
      steps_[s.id].interrupted = message.outcome.error().code() == Errc::interrupted;
      settle(s.id, StepState::failed, message.outcome.error().text());
      return {};
    }
    Outcome outcome = std::move(message.outcome).take();
    if (makes_layer(s)) {
      TRY(remember_description(s, store_));
      lookup_.learn(s.id, std::move(outcome.result));
    }
    steps_[s.id].artifacts = std::move(outcome.artifacts);
    settle(s.id, message.made_elsewhere ? StepState::cached : StepState::built);
    return {};
  }

  void finish_builds() {
    for (std::size_t b = 0; b < plan_.builds.size(); ++b) {
      if (!build_done_[b]) finish_build(b);
    }
  }

  void finish_build(std::size_t index) {
    const plan::BuildPlan& build = plan_.builds[index];
    event::BuildFinished done{build.name, event::Outcome::cached, ms_since(started_), {}, {}};
    for (const plan::StepId id : build.steps) {
      const Progress& p = steps_[id];
      if (!settled(p.state)) return;
      if (p.state == StepState::built && done.outcome == event::Outcome::cached) done.outcome = event::Outcome::built;
      if (p.state == StepState::failed && done.error.empty()) {
        done.outcome = p.interrupted ? event::Outcome::interrupted : event::Outcome::failed;
        done.error = p.error;
      }
      if (p.state == StepState::skipped && done.error.empty()) {
        done.outcome = event::Outcome::interrupted;
        done.error = cancel_.cancelled() ? "interrupted" : "a step before it failed";
      }
      if (step(id).kind == "pack" || step(id).kind == "post-process") {
        done.artifacts.insert(done.artifacts.end(), p.artifacts.begin(), p.artifacts.end());
      }
    }
    build_done_[index] = true;
    if (!done.error.empty()) {
      ++failed_builds_;
      done.artifacts.clear();
    }
    if (done.outcome != event::Outcome::cached) anything_done_ = true;
    emit(std::move(done));
  }

  RunReport report() const {
    RunReport r;
    r.failed_builds = failed_builds_;
    r.interrupted = cancel_.cancelled();
    r.outcome = r.interrupted        ? event::Outcome::interrupted
                : failed_builds_ > 0 ? event::Outcome::failed
                : anything_done_     ? event::Outcome::built
                                     : event::Outcome::cached;
    return r;
  }

  const plan::Plan& plan_;
  store::Store& store_;
  StepRunner& runner_;
  const Options& options_;
  event::EventSink& events_;
  const Cancel& cancel_;
  Lookup lookup_;
  Demand demand_;
  std::vector<Progress> steps_;
  std::vector<bool> build_done_;
  Mailbox mailbox_;
  std::uint32_t running_ = 0;
  std::size_t failed_builds_ = 0;
  bool anything_done_ = false;
  Clock::time_point started_ = Clock::now();
  std::vector<std::jthread> threads_;  // last: joined before anything they use goes
};

}  // namespace

Result<RunReport> run(const plan::Plan& plan, store::Store& store, StepRunner& runner, const Options& options,
                      event::EventSink& events, const Cancel& cancel) {
  return Scheduler(plan, store, runner, options, events, cancel).run();
}

Result<std::vector<Forecast>> forecast(const plan::Plan& plan, store::Store& store, StepRunner& runner,
                                       const Options& options) {
  Lookup lookup(plan, store, options, &runner);
  const Demand demand = TRY(find_demand(plan, lookup, runner));
  std::vector<Forecast> all(plan.steps.size());
  for (const plan::Step& s : plan.steps) {
    Forecast& f = all[s.id];
    const auto will_run = [&](plan::StepId id) { return !all[id].cached; };
    if (!demand.required[s.id]) {
      f.cached = true;
    } else if (!makes_layer(s)) {
      f.why = s.kind == "host" ? "host steps always run" : "its artifact is not there, or not from this tree";
    } else {
      const auto& known = lookup.result(s.id);
      f.cached = known && TRY(lookup.present(*known));
      if (f.cached) continue;
      f.may_stop = lookup.reusable(s) && std::any_of(s.parents.begin(), s.parents.end(), will_run) &&
                   store.has_alias(s.description_id);
      f.why = f.may_stop ? "may stop here: only if an earlier step makes a difference" : lookup.reason(s);
    }
  }
  return all;
}

Result<std::optional<Tree>> tree_before(const plan::Plan& plan, plan::StepId id, store::Store& store) {
  const Options options;
  Lookup lookup(plan, store, options);
  for (const plan::Step& s : plan.steps) {
    if (s.id >= id || !makes_layer(s)) continue;
    if (TRY(lookup.known(s)) || !s.follows_late) continue;
    if (auto last = TRY(store.find_result(s.key))) lookup.learn(s.id, std::move(*last));  // what it made the last time
  }
  return lookup.tree_below(plan.steps[id]);
}

Result<std::optional<Tree>> tree_after(const plan::Plan& plan, plan::StepId id, store::Store& store) {
  auto below = TRY(tree_before(plan, id, store));
  const auto result = TRY(store.find_result(plan.steps[id].key));
  if (!below || !result) return std::optional<Tree>();
  return std::optional<Tree>(grown(std::move(*below), plan.steps[id], *result));
}

}  // namespace kiln::engine
