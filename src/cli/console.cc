// kiln console: tries expressions against a template. At a terminal with line editing; from a pipe every line is an
// expression and the last result is printed, as Packer has it; other input is answered line by line.
#include <fmt/core.h>
#include <sys/stat.h>
#include <unistd.h>

#include <iostream>

#include "base/text.h"
#include "cli/line_editor.h"
#include "cli/overview_text.h"
#include "cli/session.h"
#include "template/console.h"

namespace kiln::cli {

namespace {

constexpr const char* kHelp = R"(Type an expression to see its value, such as upper(var.name) or local.tags["a"].

  variables   the variables and locals of the template with their values
  help        this text
  exit        leave; so do ^C and ^D
)";

struct Answer {
  std::string text;
  bool leave = false, failed = false;
};

Answer answer_to(const tmpl::Overview& overview, const std::string& line) {
  const std::string expression(trim(line));
  if (expression.empty()) return {};
  if (expression == "exit") return {.leave = true};
  if (expression == "help") return {.text = kHelp};
  if (expression == "variables") return {.text = variables_text(overview)};
  tmpl::Diagnostics problems;
  tmpl::Sources texts;
  const auto value = overview.evaluate(expression, problems, texts);
  for (const tmpl::Diagnostic& d : problems) fmt::print("{}\n", tmpl::render(d, texts));
  return value ? Answer{.text = tmpl::console_text(*value)} : Answer{.failed = true};
}

bool is_pipe(int fd) {
  struct stat status {};
  return ::fstat(fd, &status) == 0 && S_ISFIFO(status.st_mode);
}

/// Every line, also behind "exit"; only the last result is printed.
int answer_piped(const tmpl::Overview& overview) {
  Answer last;
  bool failed = false;
  for (std::string line; std::getline(std::cin, line);) {
    last = answer_to(overview, line);
    failed = failed || last.failed;
  }
  fmt::print("{}\n", last.text);
  return failed ? kFailed : kOk;
}

template <class Next>
int answer_each(const tmpl::Overview& overview, const Next& next) {
  while (auto line = next()) {
    const Answer answer = answer_to(overview, *line);
    if (answer.leave) break;
    if (!answer.text.empty()) fmt::print("{}\n", answer.text);
    std::fflush(stdout);
  }
  return kOk;
}

}  // namespace

Result<int> console(const Args& args, const Environment& environment) {
  const auto overview = load_overview(args, environment);
  if (!overview) return kFailed;
  if (is_pipe(STDIN_FILENO)) return answer_piped(*overview);
  if (::isatty(STDIN_FILENO) == 1) {
    LineEditor editor("> ");
    return answer_each(*overview, [&] { return editor.read(); });
  }
  return answer_each(*overview, []() -> std::optional<std::string> {
    std::string line;
    return std::getline(std::cin, line) ? std::optional(line) : std::nullopt;
  });
}

}  // namespace kiln::cli
