// kiln validate: parses, evaluates and checks every component; runs nothing and opens no store.
#include <fmt/core.h>

#include "cli/session.h"

namespace kiln::cli {

Result<int> validate(const Args& args, const Environment& environment) {
  const auto from = load_template(args, environment);
  if (!from) return kFailed;
  if (!args.syntax_only) {
    plan::Surroundings world;
    world.seal = [](std::string_view) { return std::string(); };
    world.cwd = environment.cwd;
    world.output_dir = environment.cwd / "out";
    world.allow_privileged = args.allow_privileged;
    world.disk_formats = disk_formats();
    tmpl::Diagnostics diagnostics;
    plan::check(*from, world, diagnostics);
    print(diagnostics, *from);
    if (tmpl::has_errors(diagnostics)) return kFailed;
  }
  fmt::print("The configuration is valid.\n");
  return kOk;
}

}  // namespace kiln::cli
