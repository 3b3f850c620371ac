// What the store knows of a plan's steps: results by key or by early cut-off, and the trees made of them.
#pragma once

#include "engine/engine.h"

namespace kiln::engine {

class Lookup {
 public:
  /// Without a runner every result is as good as it was.
  Lookup(const plan::Plan& plan, store::Store& store, const Options& options, StepRunner* runner = nullptr);

  /// The result of a step, if it is known what the step makes: by key, else by alias when the tree below is known.
  Result<std::optional<store::StepResult>> known(const plan::Step& step);
  /// Whether every layer that a result names is in the store.
  Result<bool> present(const store::StepResult& result);
  /// The tree that a step starts from, when all results below it are known.
  std::optional<Tree> tree_below(const plan::Step& step) const;

  /// Remembers what a step made in this run.
  void learn(plan::StepId id, store::StepResult result) { results_[id] = std::move(result); }
  const std::optional<store::StepResult>& result(plan::StepId id) const { return results_[id]; }

  /// Writes result and alias of a step that ran.
  Result<> record(const plan::Step& step, const Tree& from, const store::StepResult& result);
  /// Whether a result of the step may be used again: -no-cache and -no-cache-filter say no.
  bool reusable(const plan::Step& step) const;
  /// Why a step runs: asked for, or from its description now and the last one at the same place in the template.
  std::string reason(const plan::Step& step) const;

 private:
  Result<bool> accepted(const plan::Step& step, const store::StepResult& found);

  const plan::Plan& plan_;
  store::Store& store_;
  const Options& options_;
  StepRunner* runner_;
  std::vector<std::optional<store::StepResult>> results_;
};

/// The tree after a step's result is laid over the tree before.
Tree grown(Tree below, const plan::Step& step, const store::StepResult& result);

/// Keeps the description for the next explanation.
Result<> remember_description(const plan::Step& step, store::Store& store);

}  // namespace kiln::engine
