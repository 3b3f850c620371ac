// kiln fix: prints an old JSON template with the keys of today.
#include "template/fix.h"

#include "base/file.h"
#include "cli/session.h"
#include "cli/speech.h"

namespace kiln::cli {

Result<int> fix(const Args& args, const Environment& environment) {
  const std::string old = TRY(read_file(args.template_path));
  const std::string fixed = TRY(tmpl::fixed_template(old).context("reading {}", args.template_path));
  say(args, fixed);
  if (!args.validate || parses(args, environment, fixed)) return kOk;
  complain(args, "Error! The fixed template cannot be read; mend the template and try again.");
  return kFailed;
}

}  // namespace kiln::cli
