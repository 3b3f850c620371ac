#include "report/voice.h"

#include <algorithm>

#include "base/text.h"
#include "event/json.h"

namespace kiln::report {

using event::Outcome;
using Kind = Saying::Kind;

namespace {

constexpr std::size_t kLongestNames = 40;  // half of a usual line

/// "==> name: " before every line, as Packer has it.
std::string arrow(const std::string& name, const std::string& text) {
  if (name.empty()) return text;
  std::vector<std::string> lines = split(text, '\n');
  for (std::string& line : lines) line = fmt::format("==> {}: {}", name, line);
  return join(lines, "\n");
}

std::string clean(const std::string& text) {
  return visible(text, true);
}

Saying machine(std::string target, std::string type, std::vector<std::string> data) {
  return {Kind::machine, {}, {}, std::move(target), std::move(type), std::move(data)};
}

std::string error_of(const event::BuildFinished& build) {
  if (!build.error.empty()) return clean(build.error);
  return build.outcome == Outcome::interrupted ? "interrupted" : "a step did not succeed";
}

bool went_wrong(const event::BuildFinished& build) {
  return build.outcome == Outcome::failed || build.outcome == Outcome::interrupted;
}

}  // namespace

std::string names_in_short(const std::vector<std::string>& builds) {
  std::string all = join(builds, ", ");
  if (builds.size() < 2 || all.size() <= kLongestNames) return all;
  return fmt::format("{} +{}", builds[0], builds.size() - 1);
}

std::string brief_duration(std::uint64_t milliseconds) {
  if (milliseconds < 1000) return fmt::format("{}ms", milliseconds);
  if (milliseconds < 60'000) return fmt::format("{}.{}s", milliseconds / 1000, milliseconds % 1000 / 100);
  const std::uint64_t seconds = milliseconds / 1000;
  if (seconds < 3600) return fmt::format("{}m {:02}s", seconds / 60, seconds % 60);
  return fmt::format("{}h {:02}m", seconds / 3600, seconds % 3600 / 60);
}

std::string_view shown_word(Outcome outcome) {
  return outcome == Outcome::interrupted ? "stopped" : event::word_of(outcome);
}

std::vector<Saying> Voice::on(const event::Event& event) {
  Sayings out;
  std::visit([&](const auto& fact) { hear(fact, out); }, event.what);
  return out;
}

Voice::Speaker Voice::speaker_of(const std::string& build) const {
  const auto it = std::ranges::find(run_.builds, build, &event::BuildInfo::name);
  if (it == run_.builds.end()) return {clean(build), std::nullopt};
  return {clean(build), static_cast<std::size_t>(it - run_.builds.begin())};
}

Voice::Speaker Voice::speaker_of(event::StepId id) const {
  if (id >= run_.steps.size()) return {};
  const event::StepInfo& step = run_.steps[id];
  Speaker speaker;
  if (!step.builds.empty()) speaker = speaker_of(step.builds[0]);
  speaker.name = clean(names_in_short(step.builds));
  if (step.kind == "post-process") {
    speaker.name += fmt::format(" ({})", clean(step.label.substr(0, step.label.find(':'))));
  }
  return speaker;
}

/// Whether this is a step of which Packer tells all there is to tell: what it says itself and how the build ended.
bool Voice::is_packers(const event::StepInfo& step) const {
  if (step.kind == "host" || step.kind == "post-process") return true;
  if (step.kind != "pack" || step.builds.empty()) return false;
  const auto it = std::ranges::find(run_.builds, step.builds[0], &event::BuildInfo::name);
  return it != run_.builds.end() && (it->type == "null" || it->type == "file");
}

void Voice::hear(const event::RunStarted& fact, Sayings&) {
  *this = Voice();
  run_ = fact;
}

std::string without_colours(std::string_view line) {
  constexpr std::string_view kStart = "\x1b[";
  std::string text;
  while (!line.empty()) {
    const std::size_t start = std::min(line.find(kStart), line.size());
    text += line.substr(0, start);
    line.remove_prefix(start);
    if (line.empty()) break;
    const std::size_t end = line.find_first_not_of("0123456789;:", kStart.size());
    const bool is_colour = end != std::string_view::npos && line[end] == 'm';
    if (!is_colour) text += line.substr(0, kStart.size());
    line.remove_prefix(is_colour ? end + 1 : kStart.size());
  }
  return text;
}

void Voice::hear(const event::StepStarted& fact, Sayings& out) {
  if (fact.id >= run_.steps.size()) return;
  const event::StepInfo& step = run_.steps[fact.id];
  std::string text = clean(step.label);
  if (step.kind == "post-process") {
    const Speaker who = speaker_of(step.builds.empty() ? "" : step.builds[0]);
    const std::size_t colon = text.find(": ");
    const std::string own_name = colon == std::string::npos ? "" : text.substr(colon + 2);
    text = fmt::format("Running post-processor: {} (type {})", own_name, text.substr(0, colon));
    out.push_back({Kind::say, who.build, arrow(who.name, text)});
    return;
  }
  if (is_packers(step)) return;
  const auto [name, build] = speaker_of(fact.id);
  if (!fact.why.empty()) text += fmt::format(" ({})", clean(fact.why));
  out.push_back({Kind::say, build, arrow(name, text)});
}

void Voice::hear(const event::StepLine& fact, Sayings& out) {
  const auto [name, build] = speaker_of(fact.id);
  out.push_back({fact.is_stderr ? Kind::error : Kind::say, build, arrow(name, visible(without_colours(fact.text)))});
}

void Voice::hear(const event::StepProgress& fact, Sayings& out) {
  std::string& last = progress_[fact.id];
  if (fact.what.empty() || last == fact.what) return;
  last = fact.what;
  const auto [name, build] = speaker_of(fact.id);
  std::string text = clean(fact.what);
  if (fact.total > 0) text += fmt::format(" ({})", human_bytes(fact.total));
  out.push_back({Kind::say, build, arrow(name, text)});
}

void Voice::hear(const event::StepFinished& fact, Sayings& out) {
  outcomes_[fact.id] = fact.outcome;
  progress_.erase(fact.id);
  if (fact.id >= run_.steps.size()) return;
  if (fact.outcome != Outcome::cached && is_packers(run_.steps[fact.id])) return;
  const auto [name, build] = speaker_of(fact.id);
  std::string text = fmt::format("{} {}", shown_word(fact.outcome), clean(run_.steps[fact.id].label));
  if (fact.outcome == Outcome::built) text += fmt::format(" in {}", brief_duration(fact.milliseconds));
  const bool wrong = fact.outcome == Outcome::failed || fact.outcome == Outcome::interrupted;
  if (wrong) text += fmt::format(" after {}", brief_duration(fact.milliseconds));
  if (!fact.error.empty()) text += ": " + clean(fact.error);
  out.push_back({wrong ? Kind::error : Kind::say, build, arrow(name, text)});
}

void Voice::hear(const event::Warning& fact, Sayings& out) {
  const Speaker who = fact.step ? speaker_of(*fact.step) : speaker_of(fact.build);
  out.push_back({Kind::say, who.build, arrow(who.name, "Warning: " + clean(fact.text))});
}

void Voice::hear(const event::BuildMessage& fact, Sayings& out) {
  const Speaker who = speaker_of(fact.build);
  out.push_back({fact.is_error ? Kind::error : Kind::say, who.build, arrow(who.name, clean(fact.text))});
}

std::string Voice::nothing_to_do(const std::string& build) const {
  std::size_t steps = 0, cached = 0;
  for (const event::StepInfo& step : run_.steps) {
    if (std::ranges::find(step.builds, build) == step.builds.end()) continue;
    ++steps;
    const auto outcome = outcomes_.find(step.id);
    if (outcome != outcomes_.end() && outcome->second == Outcome::cached) ++cached;
  }
  if (steps == 1 && cached == 1) return "nothing to do, its one step is cached";
  if (steps > 1 && cached == steps) return fmt::format("nothing to do, all {} steps cached", steps);
  return "nothing to do";
}

void Voice::hear(const event::BuildFinished& fact, Sayings& out) {
  finished_.push_back(fact);
  const auto [name, build] = speaker_of(fact.build);
  const std::string time = human_duration(fact.milliseconds);
  if (went_wrong(fact)) {
    out.push_back({Kind::error, build, fmt::format("Build '{}' errored after {}: {}", name, time, error_of(fact))});
  } else if (fact.outcome == Outcome::skipped) {
    out.push_back({Kind::say, build, fmt::format("Build '{}' was skipped.", name)});
  } else if (fact.outcome == Outcome::cached) {
    const std::string why = nothing_to_do(fact.build);
    out.push_back({Kind::say, build, fmt::format("Build '{}' finished after {}: {}.", name, time, why)});
  } else {
    out.push_back({Kind::say, build, fmt::format("Build '{}' finished after {}.", name, time)});
  }
}

void Voice::say_artifacts(const event::BuildFinished& build, Sayings& out) const {
  if (build.artifacts.empty()) return;
  const std::string& name = build.build;
  out.push_back(machine(name, "artifact-count", {std::to_string(build.artifacts.size())}));
  for (std::size_t i = 0; i < build.artifacts.size(); ++i) {
    const event::Artifact& artifact = build.artifacts[i];
    const std::string number = std::to_string(i);
    out.push_back(machine(name, "artifact", {number, "builder-id", artifact.builder_id}));
    out.push_back(machine(name, "artifact", {number, "id", artifact.id}));
    out.push_back(machine(name, "artifact", {number, "string", artifact.text}));
    out.push_back(machine(name, "artifact", {number, "files-count", std::to_string(artifact.files.size())}));
    for (std::size_t j = 0; j < artifact.files.size(); ++j) {
      out.push_back(machine(name, "artifact", {number, "file", std::to_string(j), artifact.files[j]}));
    }
    out.push_back(machine(name, "artifact", {number, "end"}));
    out.push_back({Kind::say, {}, fmt::format("--> {}: {}", clean(name), clean(artifact.text))});
  }
}

void Voice::hear(const event::RunFinished& fact, Sayings& out) {
  const auto say = [&](Kind kind, std::string text) { out.push_back({kind, {}, std::move(text)}); };
  say(Kind::say, "\n==> Wait completed after " + human_duration(fact.milliseconds));
  if (fact.outcome == Outcome::interrupted) return say(Kind::say, "Cleanly cancelled builds after being interrupted.");
  std::ranges::stable_sort(finished_, {}, [&](const auto& f) { return speaker_of(f.build).build.value_or(SIZE_MAX); });
  const auto errors = std::ranges::count_if(finished_, went_wrong);
  if (errors > 0) {
    out.push_back(machine("", "error-count", {std::to_string(errors)}));
    say(Kind::error, "\n==> Some builds didn't complete successfully and had errors:");
  }
  for (const event::BuildFinished& build : finished_) {
    if (!went_wrong(build)) continue;
    out.push_back(machine(build.build, "error", {error_of(build)}));
    say(Kind::error, fmt::format("--> {}: {}", clean(build.build), error_of(build)));
  }
  const bool any = std::ranges::any_of(finished_, [](const auto& f) { return !f.artifacts.empty() && !went_wrong(f); });
  say(Kind::say, any ? "\n==> Builds finished. The artifacts of successful builds are:"
                     : "\n==> Builds finished but no artifacts were created.");
  for (const event::BuildFinished& build : finished_) {
    if (!went_wrong(build)) say_artifacts(build, out);
  }
}

}  // namespace kiln::report
