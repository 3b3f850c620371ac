// kiln init: says what a template needs and whether kiln has it. Nothing is ever downloaded: components are built in.
#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/text.h"
#include "cli/overview_text.h"
#include "cli/session.h"
#include "cli/speech.h"
#include "plan/types.h"

namespace kiln::cli {

namespace {

using Names = std::set<std::string>;

/// "type.name" without the name.
std::string type_of(const std::string& title) {
  return title.substr(0, title.find('.'));
}

struct Needs {
  Names builders, provisioners, post_processors;
};

Needs needs_of(const tmpl::Overview& overview) {
  Needs needs;
  for (const tmpl::BuildOverview& build : overview.builds) {
    for (const std::string& source : build.sources) needs.builders.insert(type_of(source));
    for (const std::string& p : build.provisioners) needs.provisioners.insert(type_of(p));
    if (build.error_cleanup) needs.provisioners.insert(type_of(*build.error_cleanup));
    for (const auto& chain : build.chains) {
      for (const std::string& p : chain) needs.post_processors.insert(type_of(p));
    }
  }
  return needs;
}

/// One line a component; false when one is missing.
bool tell(const Args& args, const char* kind, const Names& needed, const std::vector<std::string>& known) {
  bool all = true;
  for (const std::string& name : needed) {
    const bool has = std::find(known.begin(), known.end(), name) != known.end();
    const std::string what = fmt::format("{} \"{}\"", kind, visible(name));
    if (has) {
      say(args, what + ": built in");
      continue;
    }
    all = false;
    const auto near = nearest(name, known);
    complain(args, what + ": kiln has none" + (near ? fmt::format("; did you mean \"{}\"?", *near) : "."));
  }
  return all;
}

}  // namespace

Result<int> init(const Args& args, const Environment& environment) {
  const auto overview = load_overview(args, environment);
  if (!overview) return kFailed;
  for (const tmpl::PluginWish& plugin : overview->plugins) {
    say(args, visible(fmt::format("required plugin {} ({} {}): not downloaded, what kiln has of it is built in",
                                  plugin.name, plugin.source, plugin.version)));
  }
  const Needs needs = needs_of(*overview);
  const bool builders = tell(args, "builder", needs.builders, plan::builder_types());
  const bool provisioners = tell(args, "provisioner", needs.provisioners, plan::provisioner_types());
  const bool posts = tell(args, "post-processor", needs.post_processors, plan::post_processor_types());
  return builders && provisioners && posts ? kOk : kFailed;
}

}  // namespace kiln::cli
