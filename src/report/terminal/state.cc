#include "report/terminal/state.h"

#include <algorithm>

#include "base/text.h"
#include "report/voice.h"

namespace kiln::report {

using event::Outcome;

namespace {

constexpr std::size_t kLinesOfAFailure = 20;

/// Text that is safe to show in one row.
std::string one_line(const std::string& text) {
  return replace_all(visible(replace_all(text, "\n", " ")), "\t", " ");
}

struct Mark {
  const char *unicode, *ascii;
  Ink ink;
};

Mark mark_of(Outcome outcome) {
  switch (outcome) {
    case Outcome::built:
      return {"✓", "+", Ink::green};
    case Outcome::cached:
      return {"●", "=", Ink::cyan};
    case Outcome::skipped:
      return {"○", "-", Ink::dim};
    case Outcome::failed:
      return {"✗", "x", Ink::red};
    case Outcome::interrupted:
      return {"■", "!", Ink::yellow};
  }
  return {};
}

RunningStep* find(RunState& state, event::StepId id) {
  const auto it = std::ranges::find(state.running, id, &RunningStep::id);
  return it == state.running.end() ? nullptr : &*it;
}

void scroll_saying(RunState& state, const Saying& saying) {
  if (saying.kind == Saying::Kind::machine) return;
  Ink ink = saying.build ? ink_of_build(*saying.build) : Ink::plain;
  if (saying.kind == Saying::Kind::error) ink = Ink::red;
  for (std::string& text : split(saying.text, '\n')) {
    state.scroll.push_back({{{replace_all(std::move(text), "\t", "    "), ink}}});
  }
}

void scroll_failure(RunState& state, const std::deque<std::string>& last, const std::string& error) {
  const char* bar = state.unicode ? "   │ " : "   | ";
  for (const std::string& text : last) state.scroll.push_back({{{bar, Ink::red}, {text}}});
  if (error.empty()) return;
  for (const std::string& text : split(visible(error, true), '\n')) {
    state.scroll.push_back({{{"   " + replace_all(text, "\t", "    "), Ink::red}}});
  }
}

void update(RunState& state, const event::RunStarted& fact) {
  state.run = fact;
  state.started_ms = state.now_ms;
  std::vector<std::string> names;
  for (const event::BuildInfo& build : fact.builds) names.push_back(build.name);
  const std::size_t steps = fact.steps.size();
  state.scroll.push_back({{{fmt::format("kiln {}", fact.kiln_version), Ink::bold},
                           {one_line(fmt::format("  {}: {} step{} for {}", fact.template_path, steps,
                                                 steps == 1 ? "" : "s", names_in_short(names)))}}});
}

void update(RunState& state, const event::StepStarted& fact) {
  if (find(state, fact.id) == nullptr) {
    state.running.push_back({.id = fact.id, .started_ms = state.now_ms, .why = one_line(fact.why)});
  }
}

void update(RunState& state, const event::StepLine& fact) {
  RunningStep* step = find(state, fact.id);
  if (step == nullptr) return;
  step->progressing = false;
  step->last.push_back(one_line(without_colours(fact.text)));
  if (step->last.size() > kLinesOfAFailure) step->last.pop_front();
}

void update(RunState& state, const event::StepProgress& fact) {
  RunningStep* step = find(state, fact.id);
  if (step == nullptr) return;
  step->progressing = true;
  step->what = one_line(fact.what);
  step->done = fact.done;
  step->total = fact.total;
}

void update(RunState& state, const event::StepFinished& fact) {
  std::deque<std::string> last;
  if (RunningStep* step = find(state, fact.id)) {
    last = std::move(step->last);
    std::erase_if(state.running, [&](const RunningStep& s) { return s.id == fact.id; });
  }
  ++state.done;
  if (fact.outcome == Outcome::cached) ++state.cached;
  if (fact.outcome == Outcome::failed) ++state.failed;
  if (fact.id >= state.run.steps.size()) return;
  const event::StepInfo& info = state.run.steps[fact.id];
  const Mark mark = mark_of(fact.outcome);
  const bool ran = fact.outcome != Outcome::cached && fact.outcome != Outcome::skipped;
  const std::string time = ran ? brief_duration(fact.milliseconds) : "";
  Line line = {
      {{fmt::format(" {} {:<7}", state.unicode ? mark.unicode : mark.ascii, shown_word(fact.outcome)), mark.ink},
       {fmt::format(" {:>7}  {}", time, one_line(info.label))}}};
  const Span names = names_of(state, info);
  if (!names.text.empty()) line.spans.push_back({"  " + names.text, names.ink});
  state.scroll.push_back(std::move(line));
  if (fact.outcome == Outcome::failed) {
    scroll_failure(state, last, fact.error);
  } else if (!fact.error.empty()) {
    scroll_failure(state, {}, fact.error);
  }
}

/// Facts of builds and of the run are shown in Packer's words.
void update(RunState&, const event::Warning&) {}
void update(RunState&, const event::BuildMessage&) {}
void update(RunState&, const event::BuildFinished&) {}
void update(RunState& state, const event::RunFinished&) {
  state.running.clear();
  state.over = true;
}

}  // namespace

Span names_of(const RunState& state, const event::StepInfo& step) {
  if (state.run.builds.size() < 2 || step.builds.empty()) return {};
  if (step.builds.size() == state.run.builds.size()) return {"all builds", Ink::plain};
  const auto first = std::ranges::find(state.run.builds, step.builds[0], &event::BuildInfo::name);
  return {one_line(names_in_short(step.builds)),
          ink_of_build(static_cast<std::size_t>(first - state.run.builds.begin()))};
}

void apply(RunState& state, const event::Event& event) {
  const std::vector<Saying> sayings = state.voice.on(event);
  std::visit([&](const auto& fact) { update(state, fact); }, event.what);
  const bool of_a_step = std::visit(
      []<class T>(const T&) {
        return std::is_same_v<T, event::StepStarted> || std::is_same_v<T, event::StepLine> ||
               std::is_same_v<T, event::StepProgress> || std::is_same_v<T, event::StepFinished>;
      },
      event.what);
  if (of_a_step) return;
  for (const Saying& saying : sayings) scroll_saying(state, saying);
}

}  // namespace kiln::report
