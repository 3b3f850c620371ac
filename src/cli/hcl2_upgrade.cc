// kiln hcl2_upgrade: writes an old JSON template as HCL2.
#include "base/file.h"
#include "cli/session.h"
#include "cli/speech.h"
#include "template/upgrade.h"

namespace kiln::cli {

Result<int> hcl2_upgrade(const Args& args) {
  const std::string old = TRY(read_file(args.template_path));
  const auto upgraded = tmpl::upgraded_template(args.template_path, old, args.annotations);
  complain(args, upgraded.diagnostics, upgraded.sources);
  if (tmpl::has_errors(upgraded.diagnostics)) return kFailed;
  const fs::path to = args.output_file.empty() ? args.template_path + ".pkr.hcl" : args.output_file;
  if (to.has_parent_path()) TRY(make_dirs(to.parent_path()));
  TRY(write_file_quick(to, upgraded.text).context("writing {}", to));
  say(args, "Successfully created " + to.native());
  return kOk;
}

}  // namespace kiln::cli
