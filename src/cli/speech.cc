#include "cli/speech.h"

#include <fmt/core.h>
#include <unistd.h>

#include "event/sinks.h"
#include "report/report.h"

namespace kiln::cli {

namespace {

/// For programs through the reader that writes a build's lines for them.
void speak(const Args& args, const std::string& text, bool is_error) {
  if (!args.machine_readable) {
    fmt::print("{}\n", text);
    return;
  }
  std::fflush(stdout);
  const auto lines = report::make_report(report::Style::machine, STDOUT_FILENO, {});
  lines->on(event::stamped(event::BuildMessage{{}, text, is_error}));
}

}  // namespace

void say(const Args& args, const std::string& text) {
  speak(args, text, false);
}

void complain(const Args& args, const std::string& text) {
  speak(args, text, true);
}

void complain(const Args& args, const tmpl::Diagnostics& diagnostics, const tmpl::Sources& sources) {
  for (const tmpl::Diagnostic& d : diagnostics) complain(args, tmpl::render(d, sources));
}

}  // namespace kiln::cli
