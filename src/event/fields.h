// The fields of every fact, said once: JSON and masking both walk this list, so none of them can forget a text.
// Private to the event room. A new field is added here and in docs/events.md.
#pragma once

#include "event/event.h"

namespace kiln::event {

/// What has a field list below: facts and the structs in them.
template <class T>
concept HasFields = std::is_class_v<T> && std::is_aggregate_v<T>;

/// The name of a fact in the log ("step-started").
template <class T>
constexpr const char* fact_name() {
  if constexpr (std::is_same_v<T, RunStarted>) return "run-started";
  if constexpr (std::is_same_v<T, StepStarted>) return "step-started";
  if constexpr (std::is_same_v<T, StepLine>) return "step-line";
  if constexpr (std::is_same_v<T, StepProgress>) return "step-progress";
  if constexpr (std::is_same_v<T, StepFinished>) return "step-finished";
  if constexpr (std::is_same_v<T, Warning>) return "warning";
  if constexpr (std::is_same_v<T, BuildMessage>) return "build-message";
  if constexpr (std::is_same_v<T, BuildFinished>) return "build-finished";
  if constexpr (std::is_same_v<T, RunFinished>) return "run-finished";
}

/// Walks the fields of a fact. visit(name, value) is called for what may hold text from outside kiln, visit.own(name,
/// value) for kiln's own words, numbers and digests, in which no secret can stand and which readers compare.
template <class V>
void visit_fields(V& visit, BuildInfo& f) {
  visit("name", f.name);
  visit.own("type", f.type);
}
template <class V>
void visit_fields(V& visit, StepInfo& f) {
  visit.own("id", f.id);
  visit.own("kind", f.kind);
  visit("label", f.label);
  visit.own("parents", f.parents);
  visit("builds", f.builds);
}
template <class V>
void visit_fields(V& visit, RunStarted& f) {
  visit.own("kiln_version", f.kiln_version);
  visit.own("run_id", f.run_id);
  visit("template_path", f.template_path);
  visit("builds", f.builds);
  visit("steps", f.steps);
}
template <class V>
void visit_fields(V& visit, StepStarted& f) {
  visit.own("id", f.id);
  visit("why", f.why);
}
template <class V>
void visit_fields(V& visit, StepLine& f) {
  visit.own("id", f.id);
  visit("text", f.text);
  visit.own("is_stderr", f.is_stderr);
}
template <class V>
void visit_fields(V& visit, StepProgress& f) {
  visit.own("id", f.id);
  visit("what", f.what);
  visit.own("done", f.done);
  visit.own("total", f.total);
}
template <class V>
void visit_fields(V& visit, StepFinished& f) {
  visit.own("id", f.id);
  visit.own("outcome", f.outcome);
  visit.own("milliseconds", f.milliseconds);
  visit.own("layer", f.layer);
  visit("error", f.error);
}
template <class V>
void visit_fields(V& visit, Warning& f) {
  visit.own("step", f.step);
  visit("build", f.build);
  visit("text", f.text);
}
template <class V>
void visit_fields(V& visit, BuildMessage& f) {
  visit("build", f.build);
  visit("text", f.text);
  visit.own("is_error", f.is_error);
}
template <class V>
void visit_fields(V& visit, Artifact& f) {
  visit.own("builder_id", f.builder_id);
  visit("id", f.id);
  visit("text", f.text);
  visit("files", f.files);
}
template <class V>
void visit_fields(V& visit, BuildFinished& f) {
  visit("build", f.build);
  visit.own("outcome", f.outcome);
  visit.own("milliseconds", f.milliseconds);
  visit("artifacts", f.artifacts);
  visit("error", f.error);
}
template <class V>
void visit_fields(V& visit, RunFinished& f) {
  visit.own("outcome", f.outcome);
  visit.own("milliseconds", f.milliseconds);
  visit.own("failure", f.failure);
}

}  // namespace kiln::event
