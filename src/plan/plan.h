// The plan: a graph of steps made of a Template, each with a key. Pure: what it must ask of the world (digests of
// files, pins of bases) comes in as functions. Rules: docs/step-keys.md.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <variant>

#include "base/hash.h"
#include "base/json.h"
#include "template/template.h"

namespace kiln::plan {

using StepId = std::uint32_t;  // dense, from 0

/// A value that reaches a step; a sensitive one enters keys and descriptions only as a keyed hash.
struct EnvVar {
  std::string name, value;
  bool sensitive = false;
  bool operator==(const EnvVar&) const = default;
};

/// Where a source starts: "bootstrap:debian/bookworm" is transport "bootstrap" and location "debian/bookworm".
struct BaseRef {
  std::string text;  // as written
  std::string transport, location;
};
/// Reads a reference as design section 4 lists them; a bare name is "docker". Errc::bad_template says what is wrong.
Result<BaseRef> parse_base(std::string_view text);

/// Digest of a file or of everything in a directory: names, contents, links, and of the modes the given bits.
Result<Digest> tree_digest(const fs::path& path, const std::function<Result<Digest>(const fs::path&)>& file_digest,
                           std::uint32_t mode_bits = 07777);

struct BaseStep {
  BaseRef ref;
  Json pin;  // what the floating name was resolved to: part of the key
};

struct RunStep {
  std::string script;           // content, line ends already LF
  std::string script_name;      // for people: "scripts/10-java.sh" or "inline"
  fs::path late_script;         // read when the step runs instead: a host step before it may write the file
  std::string remote_path;      // where it stands inside
  std::string execute_command;  // Packer's template text: {{.Vars}} {{.Path}} {{.EnvVarFile}}
  std::vector<EnvVar> env;      // sorted by name
  std::string env_var_format;   // of one variable in {{.Vars}} or its file; empty: as Packer writes them
  std::string user;             // who runs it; empty: the base's user
  std::vector<int> valid_exit_codes = {0};
  bool expect_disconnect = false, skip_clean = false, use_env_var_file = false;
  bool binary = false;  // line ends of late_script stay
  std::uint32_t max_retries = 0;
  Duration timeout{0};
};

struct CopyItem {
  fs::path source;  // on the host; empty when content is given
  std::string content;
  std::string destination;  // inside
  bool contents = false;    // source was written with a trailing "/"
  Digest digest;            // of the file or the whole directory; empty when late
  bool late = false;        // read when the step runs: a host step before it may write it
};
struct CopyStep {
  std::vector<CopyItem> items;
};
/// direction = "download": brings a path out of the tree.
struct FetchStep {
  std::string source;
  fs::path destination;
};

/// What shell-local runs: a file where it stands, or text that goes into a temporary one.
struct HostScript {
  fs::path written;  // the path as the template has it; empty: text
  std::string text;
};
/// Runs on this machine, never cached: shell-local, breakpoint, sleep.
struct HostStep {
  std::string type;
  std::vector<HostScript> scripts;   // shell-local: one after the other
  std::vector<std::string> execute;  // the command for each: {{.Vars}} {{.Script}} {{.Command}}
  std::string env_var_format;        // of one variable in {{.Vars}}: "%s='%s' "
  std::string temp_extension;        // of the temporary file
  std::vector<std::string> only_on;  // names of operating systems, as Go has them; empty: all
  std::vector<EnvVar> env;           // sorted by name
  std::vector<int> valid_exit_codes = {0};
  std::string note;       // breakpoint
  bool disabled = false;  // breakpoint
  Duration duration{0};   // sleep
  Duration pause_before{0};
  std::uint32_t max_retries = 0;
  Duration timeout{0};
};

/// Makes the tree of a machine bootable: a layer with fstab, boot loader and its configuration, made by a script of
/// kiln's with the tree's own tools. Stands between the last provisioner and the pack step; docs/boot-layer.md.
struct BootStep {
  std::string script;          // content
  std::string cloud;           // "ec2", "gce": who must find the machine's first boot prepared; empty: nobody
  std::string kernel_options;  // added where the tree's boot loader configuration does not set them
  bool bios = true, uefi = true;
};
/// The script of boot layers, src/plan/boot.sh.
std::string_view boot_script();

/// A file that a pack step of a disk writes.
struct DiskFile {
  std::string format;  // a name of Surroundings::disk_formats
  fs::path path;       // final name; not part of the key
};

struct PackStep {
  std::string format;                // a row of the table of writers: "docker", "docker-export", "ec2", "gce" ...
  fs::path output;                   // final name, of disks the first file's; not part of the key
  std::vector<std::string> changes;  // docker instructions, applied last
  std::vector<std::string> tags;     // repository:tag
  std::string author, message;
  std::uint64_t disk_bytes = 0;  // of a disk; 0: as its content needs
  std::vector<DiskFile> files;   // of a disk: at least one
};

struct PostStep {
  std::string name;  // for people; may be empty
  std::string type;  // "manifest", "docker-tag", "docker-save", "docker-push", "checksum", "shell-local" ...
  Json options;      // decoded, defaults filled in
  std::vector<EnvVar> secrets;
  std::vector<std::string> hidden;  // texts of the options that are marked sensitive
  std::optional<HostStep> host;     // shell-local
  bool keep_input = true;
};

using What = std::variant<BaseStep, RunStep, CopyStep, FetchStep, HostStep, BootStep, PackStep, PostStep>;

/// Whether a step reads files that are only there, or only final, once the host steps before it have run.
bool reads_late(const What& what);

/// The canonical text of a step: named fields in a fixed order. The key is its hash, and "why will this run" compares
/// two of them: never a second list (practice 15).
struct Description {
  std::vector<std::pair<std::string, std::string>> fields;
  void add(std::string name, std::string value) { fields.emplace_back(std::move(name), std::move(value)); }
  Digest hash() const;  // every name and value framed by its length
  Json to_json() const;
  static Description from_json(const Json& value);
};

/// What differs between two descriptions of a step, for people: "script 10-java.sh changed; env SPARK_VERSION changed".
std::string explain(const Description& before, const Description& now);

struct Step {
  StepId id = 0;
  std::string kind;   // base run copy fetch host boot pack post-process
  std::string label;  // "shell: scripts/10-java.sh"
  What what;
  std::vector<StepId> parents;      // the step whose tree or artifact it starts from: at most one
  std::vector<StepId> after;        // order only: host steps before it
  std::vector<std::size_t> builds;  // indexes into Plan::builds
  Description description;          // without parents
  Digest description_id;            // hash of that
  Digest key;                       // hash of description and the parents' keys
  bool late = false;                // reads_late: always runs
  bool follows_late = false;        // it or a step below it is late: its key does not say what it makes, its tree does
  std::string slot;                 // stable place in the template, for explanations: "docker.spark/provisioner 3"
};

struct BuildPlan {
  std::string name, type, source_name;
  std::vector<StepId> steps;  // in order
  std::optional<StepId> pack;
  std::vector<What> error_cleanup;  // run, fetch and host steps: the error-cleanup-provisioner, outside the graph
  std::vector<std::string> notes;   // options accepted and not needed
};

struct Plan {
  fs::path template_path;
  std::vector<Step> steps;  // topological: parents before children
  std::vector<BuildPlan> builds;
  std::vector<std::string> warnings;  // of the plan as a whole, for people
};

/// The kind of a step for its description and for people: base run copy fetch host boot pack post-process.
std::string_view kind_of(const What& what);
/// Whether steps of a kind make a layer: base, run, copy and boot.
bool makes_layer(std::string_view kind);

/// A disk format that can be written: its name, and the end of a file's name with its dot.
struct DiskFormat {
  std::string name, suffix;
};

/// What planning asks of the world.
struct Surroundings {
  std::function<Result<Digest>(const fs::path&)> file_digest;
  /// Given with the reference: its hash, which begins with "sealed:" where a secret stands in it.
  std::function<Result<Json>(const BaseRef&, const std::string& fingerprint)> pin_base;
  std::function<std::string(std::string_view)> seal;  // keyed hash for sensitive values
  std::vector<std::string> secrets;                   // what no description may hold; make_plan takes the template's
  fs::path cwd;                                       // relative script and source paths start here, as Packer's do
  fs::path output_dir;                                // where artifacts go
  std::string run_id;                                 // build.PackerRunUUID
  bool output_dir_given = false;  // -output or -local: manifests without a path of their own go there too
  bool local = false;             // -local: what publishes is left out
  std::string network = "host";
  bool strict = false;
  bool allow_privileged = false;
  std::vector<std::string> keep;  // -keep paths
  std::vector<DiskFormat> disk_formats;
};

/// Makes the plan; problems are added to diagnostics, and then there is no plan.
std::optional<Plan> make_plan(const tmpl::Template& from, const Surroundings& world, tmpl::Diagnostics& diagnostics);

/// Checks every component of every build (types, options, files) without asking for pins or digests: for validate.
void check(const tmpl::Template& from, const Surroundings& world, tmpl::Diagnostics& diagnostics);

/// The only place that decides what makes a step out of date. Raise kKeyVersion when the meaning of a step changes.
inline constexpr std::string_view kKeyVersion = "kiln.step.v2";
/// own: sensitive texts of the component that the step comes from. What holds one of them or of the world's secrets
/// enters sealed; a name of a field shows "<sensitive>" instead.
Description describe(const What& what, const Surroundings& world, std::span<const std::string> own = {});
/// key = hash of the description and the parents' keys.
Digest key_of(const Description& description, const std::vector<Digest>& parent_keys);

}  // namespace kiln::plan
