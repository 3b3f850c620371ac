// The scheduler: takes a plan, asks the store what is there, runs the rest in parallel, emits events. One thread owns
// all state; each running step has a thread that only sends its result back (practice 14). Runs steps through
// StepRunner, which the steps room implements.
#pragma once

#include <memory>
#include <optional>

#include "base/cancel.h"
#include "event/event.h"
#include "plan/plan.h"
#include "store/store.h"

namespace kiln::engine {

/// The tree that a step starts from, oldest layer first. Empty layers do not stand in it.
struct Tree {
  std::vector<Digest> layers;           // what an image is made of
  std::vector<Digest> volatile_layers;  // content of /tmp that later steps of the build may need
  std::vector<Digest> overlay;          // both, in the order in which they lie over each other
  Json base = Json::object();           // facts of the base: clock, env, user, identity ...
  /// Identity of everything a step can see: for early cut-off.
  Digest identity() const;
};

/// What a step left behind. Layers: base, run, copy, boot. Artifacts: pack and post-process.
struct Outcome {
  store::StepResult result;
  std::vector<event::Artifact> artifacts;
};

/// Whether the kind makes a layer (base, run, copy, boot).
bool makes_layer(const plan::Step& step);

class StepRunner {
 public:
  virtual ~StepRunner() = default;
  /// Makes the layer, artifact or effect of a step. Called from a thread of its own that outlives the call.
  virtual Result<Outcome> run(const plan::Step& step, const Tree& from, const Cancel& cancel) = 0;
  /// Whether what the store has of a boot step is what running it would make now: it depends on more than its key says.
  virtual Result<bool> accepts(const plan::Step& /*step*/, const Tree& /*from*/, const store::StepResult& /*known*/) {
    return true;
  }
  /// Whether the files that a pack or post-process step would make are there, unchanged, from this very tree; yields
  /// the artifacts then.
  virtual Result<std::optional<Outcome>> current(const plan::Step& step, const Tree& from) = 0;
  /// After a provisioner failed for good: the error-cleanup-provisioners of its builds, in what it left.
  virtual void clean_up(const plan::Step& /*step*/, const Tree& /*from*/, const Cancel& /*cancel*/) {}
};

/// What to do about a provisioner that failed. A failed step is kept for `kiln run` in any case; abort leaves the
/// error-cleanup-provisioner out.
enum class OnError : std::uint8_t { cleanup, abort, retry };

struct Options {
  std::uint32_t parallel_builds = 0;  // 0: no limit
  std::uint32_t max_running = 2;      // steps at the same time
  bool no_cache = false;
  std::vector<std::string> no_cache_filter;  // globs against labels
  /// Asked from the step's thread.
  std::function<OnError(const plan::Step&, const Error&)> on_error;  // empty: cleanup
};

enum class StepState : std::uint8_t { wanted, ready, running, built, cached, failed, skipped };

/// What is known about a step before anything runs.
struct Forecast {
  bool cached = false;    // nothing to do
  bool may_stop = false;  // runs only if an earlier step makes a difference
  std::string why;        // why it will run
};

/// The state of every step without running anything, for `kiln plan`.
Result<std::vector<Forecast>> forecast(const plan::Plan& plan, store::Store& store, StepRunner& runner,
                                       const Options& options);

struct RunReport {
  event::Outcome outcome = event::Outcome::built;  // cached when nothing had to be done
  std::size_t failed_builds = 0;
  bool interrupted = false;
};

/// Runs the plan. Failed builds are in the report and the events; an Error is only returned when the engine itself
/// cannot go on (the store is gone).
Result<RunReport> run(const plan::Plan& plan, store::Store& store, StepRunner& runner, const Options& options,
                      event::EventSink& events, const Cancel& cancel);

/// The tree that a step starts from, if everything before it is in the store; for `kiln run`.
Result<std::optional<Tree>> tree_before(const plan::Plan& plan, plan::StepId step, store::Store& store);
/// The same with what the step made.
Result<std::optional<Tree>> tree_after(const plan::Plan& plan, plan::StepId step, store::Store& store);

}  // namespace kiln::engine
