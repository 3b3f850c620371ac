// The components of a template as steps: one table of builders, one of provisioners, one of post-processors.
#pragma once

#include "plan/plan.h"
#include "template/body_reader.h"

namespace kiln::plan {

/// A builder: where it starts and what comes out.
struct BuilderPlan {
  std::string base;              // reference; empty: nothing to start from (null, file)
  std::optional<BootStep> boot;  // a machine's
  std::optional<PackStep> pack;  // empty: nothing is kept
  std::vector<std::string> notes;
  std::vector<std::string> secrets;  // texts of its options that are marked sensitive
  tmpl::Range base_range;
};
std::optional<BuilderPlan> read_builder(const tmpl::Build& build, const Surroundings& world,
                                        tmpl::Diagnostics& diagnostics);

/// A provisioner: one step, or several (a shell provisioner with several scripts).
struct Part {
  What what;
  std::string label;
  std::vector<std::string> secrets;  // texts of its provisioner's options that are marked sensitive
};
/// What stands before a provisioner in its build.
struct Before {
  std::string uploaded_text;    // of uploads that ask which build this is
  bool host_may_write = false;  // a host step or a download: files here may change until the provisioner's turn
};
std::vector<Part> read_provisioner(const tmpl::Build& build, const tmpl::Provisioner& provisioner, const Before& before,
                                   const Surroundings& world, tmpl::Diagnostics& diagnostics);

/// What build.* is where no machine runs: the same in provisioners and post-processors.
tmpl::BuildValues build_values(const tmpl::Build& build, const Surroundings& world);
/// Reports options that wait for a value of build.* that kiln does not have.
void report_unknown(tmpl::BodyReader& options, const Surroundings& world);

std::optional<PostStep> read_post_processor(const tmpl::Build& build, const tmpl::PostProcessor& post,
                                            const Surroundings& world, tmpl::Diagnostics& diagnostics);

/// Follows the names that docker-tag and docker-import give along one chain: to the writer of the archive (pack's tags
/// are added to) and to docker-push. What stands at the wrong place is reported; places are those of the steps.
void name_images(std::vector<PostStep>& chain, const std::vector<tmpl::Range>& places, PackStep& pack,
                 tmpl::Diagnostics& diagnostics);

/// environment_vars ["K=V"] and env {K=V}; env wins; sorted by name.
std::vector<EnvVar> read_env(tmpl::BodyReader& options);
/// valid_exit_codes.
std::vector<int> read_exit_codes(tmpl::BodyReader& options);

/// shell-local, as provisioner and post-processor: what to run on this machine.
std::optional<HostStep> read_host_command(tmpl::BodyReader& options, const tmpl::Build& build,
                                          const Surroundings& world);

/// Whether an option read so far waits for values of build.*.
inline bool has_unknown(const tmpl::BodyReader& options) {
  return !options.unknown().empty();
}

/// Whether a script or file names the variables that differ from build to build.
bool mentions_build(std::string_view text);

}  // namespace kiln::plan
