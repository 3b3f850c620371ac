// One file per kind of step. The only room that knows plan, engine, sandbox, image, cloud and publish together: it
// makes layers of base, run, copy and boot steps and artifacts of pack and post-process steps.
#pragma once

#include <memory>

#include "engine/engine.h"
#include "plan/plan.h"
#include "store/store.h"

namespace kiln::steps {

/// What a step borrows of this machine for the time of its run, so that it reaches the package registries as the
/// machine does. Never part of a key, never in a layer.
struct Machine {
  std::map<std::string, std::string> env;  // proxy and index variables
  std::string ca_bundle;                   // PEM text; empty: none
  std::string resolv_conf;
};
/// Picks the borrowed variables of an environment (cli reads it once) and reads the machine's resolver and CA bundle.
Machine borrow_machine(const std::map<std::string, std::string>& environment);

struct Settings {
  Machine machine;
  std::map<std::string, std::string> environment;  // of kiln itself, for host steps and helper programs
  fs::path cwd, output_dir;
  fs::path downloads;  // shared cache of downloads, outside store and tree
  bool local = false;  // stop before publishing
  bool force = false;  // -force
  bool check = false;  // run each step twice and compare
  bool strict = false;
  bool no_earlier_disks = false;  // -no-cache, -fresh-disks: disks come out as if they were the first
  bool refresh = false;           // resolve floating names again
  bool no_network = false;        // -network=none
  std::vector<std::string> keep;  // -keep
  unsigned threads = 2;
  std::string run_id;       // PACKER_RUN_UUID
  fs::path lock_file;       // kiln.lock.json beside the template
  bool write_lock = false;  // -lock
};

/// Resolves what a base reference floats on (a tag, an archive's date); remembered in the lock file, or in the store
/// under its fingerprint (see plan::Surroundings). A reference that holds a secret stands in no lock file; -lock
/// refuses it.
Result<Json> pin_base(const plan::BaseRef& ref, const std::string& fingerprint, store::Store& store,
                      const Settings& settings, const Cancel& cancel);

/// Says before any work starts which builds would have to be published and cannot be.
Result<> check_publishing(const plan::Plan& plan, const Settings& settings);

std::unique_ptr<engine::StepRunner> make_runner(store::Store& store, const plan::Plan& plan, const Settings& settings,
                                                event::EventSink& events);

/// `kiln run`: a command or a shell in the tree; changes are thrown away. failed adds what the failed step left.
Result<int> enter(store::Store& store, const engine::Tree& tree, const std::optional<fs::path>& failed_upper,
                  const Settings& settings, const std::vector<std::string>& argv, const Cancel& cancel);

/// Where the upper directory of a step that failed is kept, if it is there.
Result<std::optional<fs::path>> failed_upper(store::Store& store, const Digest& key);

}  // namespace kiln::steps
