// kiln validate: parses, evaluates and checks every component; runs nothing and opens no store.
#include "cli/session.h"
#include "cli/speech.h"

namespace kiln::cli {

Result<int> validate(const Args& args, const Environment& environment, const Cancel& cancel) {
  if (args.syntax_only) {
    if (!parses(args, environment)) return kFailed;
    say(args, "Syntax-only check passed. Everything looks okay.");
    return kOk;
  }
  const auto from = load_template(args, environment, cancel);
  if (!from) return kFailed;
  plan::Surroundings world;
  world.seal = [](std::string_view) { return std::string(); };
  world.cwd = environment.cwd;
  world.output_dir = environment.cwd / "out";
  world.allow_privileged = args.allow_privileged;
  world.disk_formats = disk_formats();
  tmpl::Diagnostics diagnostics;
  plan::check(*from, world, diagnostics);
  print(args, diagnostics, *from);
  if (tmpl::has_errors(diagnostics)) return kFailed;
  say(args, "The configuration is valid.");
  return kOk;
}

}  // namespace kiln::cli
