#include "cli/cli.h"

#include <fmt/core.h>

#include "base/text.h"
#include "cli/hcldec.h"
#include "cli/speech.h"

#ifndef KILN_VERSION
#define KILN_VERSION "0.1.0"
#endif

namespace kiln::cli {

namespace {

int version(const Args& args) {
  if (args.machine_readable) {
    const std::int64_t now = unix_now();
    fmt::print("{0},,version,{1}\n{0},,version-prelease,\n{0},,version-commit,\n", now, KILN_VERSION);
  }
  say(args, fmt::format("kiln v{}", KILN_VERSION));
  return kOk;
}

Result<int> dispatch(const Args& args, const Environment& environment, const Cancel& cancel) {
  if (args.command == "build") return build(args, environment, cancel);
  if (args.command == "validate") return validate(args, environment, cancel);
  if (args.command == "fmt") return format(args);
  if (args.command == "fix") return fix(args, environment);
  if (args.command == "hcl2_upgrade") return hcl2_upgrade(args);
  if (args.command == "console") return console(args, environment);
  if (args.command == "inspect") return inspect(args, environment);
  if (args.command == "init") return init(args, environment);
  if (args.command == "plan") return show_plan(args, environment, cancel);
  if (args.command == "run") return run_inside(args, environment, cancel);
  if (args.command == "store") return store_command(args, environment, cancel);
  if (args.command == "version") return version(args);
  fmt::print("{}", args.help_text);
  return kNoCommand;
}

}  // namespace

int run_command_line(const std::vector<std::string>& argv, const Environment& environment, const Cancel& cancel) {
  if (!argv.empty() && argv[0] == "hcldec") return hcldec({argv.begin() + 1, argv.end()}, environment);
  auto args = parse_args(argv);
  if (!args) {
    fmt::print("{}\n", visible(args.error().text(), true));
    return kFailed;
  }
  if (args->help) {
    fmt::print("{}", args->help_text);
    return argv.empty() ? kNoCommand : kOk;
  }
  auto code = dispatch(*args, environment, cancel);
  if (code) return *code;
  complain(*args, "Error: " + visible(code.error().text(), true));
  return kFailed;
}

}  // namespace kiln::cli
