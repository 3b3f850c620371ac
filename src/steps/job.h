// What every kind of step gets to work with, and the making of layers that base, run, copy and boot steps share.
#pragma once

#include <mutex>

#include "sandbox/sandbox.h"
#include "steps/steps.h"

namespace kiln::steps {

/// Made once a run. Artifacts of pack steps are kept for the post-processors after them.
struct Context {
  store::Store& store;
  const plan::Plan& plan;
  const Settings& settings;
  event::EventSink& events;
  std::mutex mutex;  // guards artifacts and stubs
  std::map<plan::StepId, std::vector<event::Artifact>> artifacts;
  std::optional<store::Scratch> stubs;  // stub layers that steps share; made when first needed
  std::mutex manifest_mutex;            // one writer of a manifest at a time
};

/// One step being run.
struct Job {
  Context& context;
  const plan::Step& step;
  const engine::Tree& from;
  const Cancel& cancel;

  void line(std::string_view text, bool is_stderr = false) const;
  void progress(std::string what, std::uint64_t done, std::uint64_t total) const;
  void warn(std::string text) const;
};

/// SOURCE_DATE_EPOCH of a tree: fixed by its base.
std::int64_t clock_of(const engine::Tree& tree);

/// Directories of the layers that lie over each other in a tree, oldest first.
Result<std::vector<fs::path>> overlay_paths(store::Store& store, const engine::Tree& tree);
/// The same of the layers that an image is made of.
Result<std::vector<fs::path>> layer_paths(store::Store& store, const engine::Tree& tree);

/// Environment, stubs, binds and caches that every sandboxed step gets.
Result<sandbox::RunSpec> sandbox_spec(Context& context, const engine::Tree& from, const fs::path& scratch);

/// Runs the spec's action in a fresh scratch directory and keeps what it changed as a layer. judge turns the exit into
/// an error where it is one; what a failed action left is kept for `kiln run`.
Result<engine::Outcome> make_layer(const Job& job, const std::function<void(sandbox::RunSpec&)>& fill,
                                   const std::function<Result<>(const sandbox::RunResult&)>& judge);

/// Puts a canonical tree into the store.
Result<store::StepResult> keep_layer(Context& context, const fs::path& tree, std::string_view label);

// One a kind, each in the file of its name.
Result<engine::Outcome> run_base(const Job& job, const plan::BaseStep& what);
Result<engine::Outcome> run_script(const Job& job, const plan::RunStep& what);
Result<engine::Outcome> run_copy(const Job& job, const plan::CopyStep& what);
/// over: what lies above the tree (a failed step's changes), oldest first.
Result<engine::Outcome> run_fetch(const Job& job, const plan::FetchStep& what, const std::vector<fs::path>& over = {});
Result<engine::Outcome> run_host(const Job& job, const plan::HostStep& what);
Result<engine::Outcome> run_boot(const Job& job, const plan::BootStep& what);
Result<bool> accepts_boot(Context& context, const plan::Step& step, const engine::Tree& from,
                          const store::StepResult& known);
Result<engine::Outcome> run_pack(const Job& job, const plan::PackStep& what);
Result<std::optional<engine::Outcome>> current_pack(Context& context, const plan::Step& step, const engine::Tree& from);
Result<engine::Outcome> run_post(const Job& job, const plan::PostStep& what);
Result<std::optional<engine::Outcome>> current_post(Context& context, const plan::Step& step, const engine::Tree& from);

/// A regular file under another name, whole or not at all; mode 0644 less the umask.
Result<> copy_whole(const fs::path& from, const fs::path& to);

/// A step whose script a host step may have written, with that script as it is now.
Result<plan::RunStep> with_script(plan::RunStep what);
/// What a run step's script, environment and command are in the sandbox.
void fill_script(const Job& job, const plan::RunStep& what, sandbox::RunSpec& spec);

/// The error-cleanup-provisioner of a build, in what the failed step left; what goes wrong there is a warning.
void run_cleanup(const Job& job, const std::vector<plan::What>& parts);

/// mmdebstrap of "debian/bookworm" into a directory.
Result<Json> pin_bootstrap(const std::string& location, const Settings& settings, const Cancel& cancel);
Result<engine::Outcome> run_bootstrap(const Job& job, const plan::BaseStep& what);

}  // namespace kiln::steps
