// kiln inspect: what a template holds, as Packer prints it or as JSON. Needs no values and knows no components.
#include "cli/overview_text.h"
#include "cli/session.h"
#include "cli/speech.h"

namespace kiln::cli {

Result<int> inspect(const Args& args, const Environment& environment) {
  const auto overview = load_overview(args, environment);
  if (!overview) return kFailed;
  if (args.json) {
    say(args, render_json_pretty(overview_json(*overview)));
    return kOk;
  }
  say(args, "Packer Inspect: HCL2 mode\n");
  say(args, variables_text(*overview));
  say(args, builds_text(*overview));
  return kOk;
}

}  // namespace kiln::cli
