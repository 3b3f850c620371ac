// kiln console: tries expressions against a template. At a terminal with line editing; from a pipe every line is an
// expression and the last result is printed, as Packer has it; other input is answered line by line.
#include <fmt/core.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <optional>

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

/// The next line of standard input; nothing at its end. left: bytes that it may still have.
Result<std::optional<std::string>> next_line(std::uint64_t& left) {
  std::string line;
  for (int c = std::getc(stdin); c != EOF; c = std::getc(stdin)) {
    if (left-- == 0) return error(Errc::usage, "standard input: more than 16 MiB");
    if (c == '\n') return std::optional(std::move(line));
    line += static_cast<char>(c);
  }
  return line.empty() ? std::optional<std::string>() : std::optional(std::move(line));
}

/// Every line, also behind "exit"; only the last result is printed.
Result<int> answer_piped(const tmpl::Overview& overview) {
  Answer last;
  bool failed = false;
  std::uint64_t left = kMaxStdinBytes;
  for (;;) {
    const std::optional<std::string> line = TRY(next_line(left));
    if (!line) break;
    last = answer_to(overview, *line);
    failed = failed || last.failed;
  }
  fmt::print("{}\n", last.text);
  return failed ? kFailed : kOk;
}

template <class Next>
Result<int> answer_each(const tmpl::Overview& overview, const Next& next) {
  for (;;) {
    const std::optional<std::string> line = TRY(next());
    if (!line) break;
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
    return answer_each(*overview, [&]() -> Result<std::optional<std::string>> { return editor.read(); });
  }
  return answer_each(*overview, [] {
    std::uint64_t left = kMaxStdinBytes;
    return next_line(left);
  });
}

}  // namespace kiln::cli
