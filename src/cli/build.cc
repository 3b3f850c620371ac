// kiln build: the main sequence.
#include <fcntl.h>
#include <fmt/core.h>
#include <unistd.h>

#include "base/text.h"
#include "cli/ask.h"
#include "cli/session.h"
#include "event/mask.h"
#include "event/sinks.h"
#include "report/report.h"

#ifndef KILN_VERSION
#define KILN_VERSION "0.1.0"
#endif

namespace kiln::cli {

namespace {

/// The event log in the store, and the link to it beside the artifacts.
struct Log {
  fs::path path;
  Fd fd;
};

Result<Log> open_log(store::Store& store, const std::string& run_id) {
  const fs::path path = TRY(store.directory("logs")) / (run_id + ".jsonl");
  Fd fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (!fd) return sys_error("create {}", path);
  return Log{path, std::move(fd)};
}

/// Where PACKER_LOG wants the log as well: standard error, or the end of PACKER_LOG_PATH. No descriptor: nowhere.
Result<Fd> second_log(const Environment& environment) {
  const std::string wanted = environment.get("PACKER_LOG");
  if (wanted.empty() || wanted == "0") return Fd();
  const std::string path = environment.get("PACKER_LOG_PATH");
  Fd fd(path.empty() ? ::fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3)
                     : ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
  if (!fd) return sys_error("PACKER_LOG: open {}", path);
  return fd;
}

/// out/events.jsonl points to the log of the last build that made something.
void link_log(const fs::path& log, const fs::path& output_dir) {
  std::error_code ec;
  if (!fs::is_directory(output_dir, ec)) return;
  const fs::path link = output_dir / "events.jsonl";
  const fs::path fresh = output_dir / ".events.jsonl.new";
  fs::remove(fresh, ec);
  fs::create_symlink(log, fresh, ec);
  if (!ec) fs::rename(fresh, link, ec);
  if (ec) fs::remove(fresh, ec);
}

report::Wishes wishes_of(const Args& args, const Environment& environment) {
  report::Wishes wishes{.machine_readable = args.machine_readable, .timestamps = args.timestamp_ui};
  if (!args.color) wishes.colour = false;
  wishes.is_terminal = environment.stdout_is_terminal && args.on_error != "ask";  // questions need still lines
  wishes.term = environment.get("TERM");
  wishes.no_color = environment.get("NO_COLOR");
  wishes.packer_no_color = environment.get("PACKER_NO_COLOR");
  for (const char* name : {"LC_ALL", "LC_CTYPE", "LANG"}) {
    if (wishes.locale.empty()) wishes.locale = environment.get(name);
  }
  return wishes;
}

event::RunStarted opening(const plan::Plan& plan, const std::string& run_id) {
  event::RunStarted start{KILN_VERSION, run_id, plan.template_path.native(), {}, {}};
  for (const plan::BuildPlan& build : plan.builds) start.builds.push_back({build.name, build.type});
  for (const plan::Step& step : plan.steps) {
    event::StepInfo info{step.id, step.kind, step.label, step.parents, {}};
    for (const std::size_t b : step.builds) info.builds.push_back(plan.builds[b].name);
    start.steps.push_back(std::move(info));
  }
  return start;
}

/// What the plan leaves out, and options that only make sense with a machine, once a build.
void note_unneeded(const plan::Plan& plan, event::EventSink& events) {
  for (const std::string& text : plan.warnings) events.on(event::stamped(event::Warning{{}, {}, text}));
  for (const plan::BuildPlan& build : plan.builds) {
    if (build.notes.empty()) continue;
    events.on(event::stamped(event::Warning{{}, build.name, "not needed by kiln: " + join(build.notes, ", ")}));
  }
}

/// -on-error=ask needs somebody to ask.
void add_question(engine::Options& options, const Args& args, const event::SecretMask& mask, event::EventSink& events,
                  const Cancel& cancel) {
  if (args.on_error != "ask") return;
  if (::isatty(STDIN_FILENO) == 1) {
    options.on_error = ask_on_terminal(STDIN_FILENO, STDOUT_FILENO, mask, cancel);
  } else {
    events.on(event::stamped(
        event::Warning{{}, {}, "-on-error=ask: standard input is no terminal, so failed steps are cleaned up"}));
  }
}

const char* failure_of(const engine::RunReport& report) {
  if (report.interrupted) return "interrupted";
  return report.failed_builds > 0 ? "step" : "";
}

}  // namespace

Result<int> build(const Args& args, const Environment& environment, const Cancel& cancel) {
  const auto started = Clock::now();
  auto planned = TRY(plan_template(args, environment, cancel));
  if (!planned) return kFailed;
  auto& [from, store, settings, plan] = *planned;
  TRY(steps::check_publishing(plan, settings));

  // Every fact passes the mask before any reader sees it.
  const Log log = TRY(open_log(store, settings.run_id));
  const report::Wishes wishes = wishes_of(args, environment);
  const auto screen = report::make_report(report::style_for(wishes), STDOUT_FILENO, report::options_for(wishes));
  const auto log_writer = report::make_event_log(log.fd.get());
  const Fd second = TRY(second_log(environment));
  const auto second_writer = report::make_event_log(second.get());
  std::vector<event::EventSink*> sinks = {screen.get(), log_writer.get()};
  if (second) sinks.push_back(second_writer.get());
  event::TeeSink readers(std::move(sinks));
  const event::SecretMask mask(from.secrets);
  event::MaskingSink masked(mask, readers);
  event::LockedSink events(masked);

  events.on(event::stamped(opening(plan, settings.run_id)));
  note_unneeded(plan, events);
  const auto runner = steps::make_runner(store, plan, settings, events);
  engine::Options options = engine_options(args, settings);
  add_question(options, args, mask, events, cancel);
  auto report = engine::run(plan, store, *runner, options, events, cancel);
  if (!report) {
    events.on(event::stamped(event::RunFinished{event::Outcome::failed, ms_since(started), "environment"}));
    return std::move(report).error();
  }
  if (report->outcome != event::Outcome::cached) {
    TRY(store.make_durable());
    link_log(log.path, settings.output_dir);
  }
  events.on(event::stamped(event::RunFinished{report->outcome, ms_since(started), failure_of(*report)}));
  TRY(store.flush());
  return report->failed_builds == 0 && !report->interrupted ? kOk : kFailed;
}

}  // namespace kiln::cli
