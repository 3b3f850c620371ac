#include "engine/lookup.h"

#include "base/text.h"

namespace kiln::engine {

bool makes_layer(const plan::Step& step) {
  return plan::makes_layer(step.kind);
}

Digest Tree::identity() const {
  std::string text = json_string(base, "identity");
  for (const Digest& layer : overlay) text += layer.hex();
  return sha256(text);
}

namespace {

/// The layers of a result, oldest first: several for an imported base (facts.layers), else one.
std::vector<Digest> layers_of(const store::StepResult& result) {
  std::vector<Digest> layers;
  const auto list = result.facts.is_object() ? result.facts.find("layers") : result.facts.end();
  if (result.facts.is_object() && list != result.facts.end() && list->is_array()) {
    for (const Json& item : *list) {
      if (item.is_string()) layers.push_back(Digest::from_hex(item.get<std::string>()));
    }
    return layers;
  }
  if (!result.layer.empty()) layers.push_back(result.layer);
  return layers;
}

}  // namespace

Tree grown(Tree below, const plan::Step& step, const store::StepResult& result) {
  for (const Digest& layer : layers_of(result)) {
    below.layers.push_back(layer);
    below.overlay.push_back(layer);
  }
  if (!result.volatile_layer.empty()) {
    below.volatile_layers.push_back(result.volatile_layer);
    below.overlay.push_back(result.volatile_layer);
  }
  if (step.kind == "base") below.base = result.facts;
  return below;
}

Lookup::Lookup(const plan::Plan& plan, store::Store& store, const Options& options, StepRunner* runner)
    : plan_(plan), store_(store), options_(options), runner_(runner), results_(plan.steps.size()) {}

bool Lookup::reusable(const plan::Step& step) const {
  if (step.kind == "base") return true;
  if (step.late) return false;
  if (options_.no_cache) return false;
  for (const std::string& glob : options_.no_cache_filter) {
    if (glob_match(glob, step.label)) return false;
  }
  return true;
}

std::optional<Tree> Lookup::tree_below(const plan::Step& step) const {
  if (step.parents.empty()) return Tree{};
  const plan::Step& parent = plan_.steps[step.parents.front()];
  auto below = tree_below(parent);
  if (!below || !makes_layer(parent)) return below;
  if (!results_[parent.id]) return std::nullopt;
  return grown(std::move(*below), parent, *results_[parent.id]);
}

Result<std::optional<store::StepResult>> Lookup::known(const plan::Step& step) {
  if (results_[step.id]) return results_[step.id];
  if (!makes_layer(step) || !reusable(step)) return std::optional<store::StepResult>();
  std::optional<store::StepResult> found;
  if (!step.follows_late) found = TRY(store_.find_result(step.key));
  if (!found && !step.parents.empty() && store_.has_alias(step.description_id)) {
    if (const auto below = tree_below(step)) {
      found = TRY(store_.find_alias(step.description_id, below->identity()));
      if (found) TRY(store_.put_result(step.key, *found));
    }
  }
  if (found && !TRY(accepted(step, *found))) found.reset();
  results_[step.id] = found;
  return found;
}

Result<bool> Lookup::accepted(const plan::Step& step, const store::StepResult& found) {
  if (runner_ == nullptr || step.kind != "boot") return true;
  const auto below = tree_below(step);
  if (!below) return false;  // asked again when it is known
  return runner_->accepts(step, *below, found);
}

Result<bool> Lookup::present(const store::StepResult& result) {
  std::vector<Digest> needed = layers_of(result);
  if (!result.volatile_layer.empty()) needed.push_back(result.volatile_layer);
  for (const Digest& id : needed) {
    TRY(store_.lease(id));
    if (!TRY(store_.find_layer(id))) return false;
  }
  return true;
}

Result<> Lookup::record(const plan::Step& step, const Tree& from, const store::StepResult& result) {
  if (!makes_layer(step)) return {};
  TRY(store_.put_result(step.key, result));
  if (!step.parents.empty() && !step.late) TRY(store_.put_alias(step.description_id, from.identity(), result));
  return {};
}

std::string Lookup::reason(const plan::Step& step) const {
  if (step.late) return "its source may be written by a host step before it";
  if (!reusable(step)) return options_.no_cache ? "no cache is used" : "named by -no-cache-filter";
  const auto before = store_.read_record("description", sha256(step.slot).hex());
  if (!before || !*before) return "no layer in the store";
  const std::string changes = plan::explain(plan::Description::from_json(**before), step.description);
  return changes.empty() ? "what it starts from changed, or its layer is not in the store" : changes;
}

Result<> remember_description(const plan::Step& step, store::Store& store) {
  return store.write_record("description", sha256(step.slot).hex(), step.description.to_json());
}

}  // namespace kiln::engine
