// Packer templates: text in, a Template value or diagnostics out. HCL2 native syntax; evaluation knows unknown values
// and sensitive marks. Nothing here runs anything. The language: docs of hashicorp/hcl v2 and go-cty; Packer's blocks.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>

#include "base/error.h"
#include "base/json.h"
#include "base/time.h"
#include "template/diagnostic.h"
#include "template/value.h"

namespace kiln::tmpl {

/// What stands at a path. Links are followed, but a link to a directory is told apart: a search does not go into it.
enum class FileKind : std::uint8_t { missing, file, directory, linked_directory, other };
Result<FileKind> kind_of_file(const fs::path& path);
/// The names in a directory, sorted.
Result<std::vector<std::string>> names_in_directory(const fs::path& path);

struct Outside;  // outside.h

constexpr std::uint64_t kMaxSteps = 10'000'000;  // nodes of a template evaluated, and what functions go through

/// What a template may ask of the world; the caller decides (tests give fakes).
struct World {
  std::function<Result<std::string>(const fs::path&)> read_file;
  std::map<std::string, std::string> env;                                     // for env() and PKR_VAR_*
  fs::path cwd;                                                               // path.cwd
  std::int64_t now = 0;                                                       // timestamp(), seconds since 1970
  std::function<Result<FileKind>(const fs::path&)> file_kind = kind_of_file;  // fileexists, fileset
  std::function<Result<std::vector<std::string>>(const fs::path&)> list_names = names_in_directory;  // fileset
  std::uint64_t max_steps = kMaxSteps;
  std::shared_ptr<const Outside> outside;  // who answers data sources; missing: their values are unknown
};

struct LoadOptions {
  fs::path path;                                          // a .pkr.hcl file or a directory of them
  std::vector<std::pair<std::string, std::string>> vars;  // -var, in order
  std::vector<fs::path> var_files;                        // -var-file, in order
  std::vector<std::string> only, except;                  // globs against build names
  bool warn_on_undeclared = false;                        // names in var files that no variable declares
  bool needs_builds = true;                               // no build left is an error
};

/// One evaluated option: its value (may be unknown in part, may be marked sensitive) and where it stands.
struct Option {
  Value value;
  Range range;       // of the expression
  Range name_range;  // of the name
};
struct Body;
struct NestedBlock {
  std::vector<std::string> labels;
  std::shared_ptr<const Body> body;
  Range range;
};
/// A decoded component body: attributes and nested blocks, no schema applied yet.
struct Body {
  std::map<std::string, Option> options;
  std::map<std::string, std::vector<NestedBlock>> blocks;
  Range range;
  bool weak = false;  // of an old JSON template: one value will do for a list, an object for a block
};

/// Values of build.* that are only known while building.
using BuildValues = std::map<std::string, std::string>;

/// A provisioner, post-processor or builder as it stands in the template. decode() may be called again with the real
/// build.* values just before it runs; without them they are unknown.
class Component {
 public:
  struct Source;
  std::string type, name;
  Range range;
  /// The evaluated body; problems are added to diagnostics and then the answer is empty.
  std::optional<Body> decode(Diagnostics& diagnostics, const BuildValues* values = nullptr) const;
  std::shared_ptr<const Source> source;
};

struct Provisioner : Component {
  std::optional<Duration> pause_before, timeout;
  std::uint32_t max_retries = 0;
  bool continue_on_error = false;
};
struct PostProcessor : Component {
  std::optional<bool> keep_input_artifact;
};

/// One build of one source, everything filtered (only, except) and merged (build-level source attributes, override).
struct Build {
  std::string name;         // [build.name.]type.sourcename
  std::string type;         // "docker"
  std::string source_name;  // "spark"
  Component builder;
  std::vector<Provisioner> provisioners;
  std::optional<Provisioner> error_cleanup;
  std::vector<std::vector<PostProcessor>> post_processors;  // chains
};

struct VariableInfo {
  std::string name, type, description;
  Value value;
  bool sensitive = false;
};

struct Template {
  fs::path path, root;  // as given; the directory it stands in
  std::vector<Build> builds;
  std::vector<VariableInfo> variables;
  std::vector<std::string> secrets;  // every string inside sensitive values, for masking
};

struct Loaded {
  std::optional<Template> result;  // empty when there is an error among the diagnostics
  Diagnostics diagnostics;         // errors and warnings, in order of position
  Sources sources;                 // the texts that diagnostics are about, for render()
};

/// Reads, parses and evaluates everything that can be before a build runs. Every component of the selected builds has
/// been decoded once, so that what is wrong with it is among the diagnostics.
Loaded load(const LoadOptions& options, const World& world);

}  // namespace kiln::tmpl
