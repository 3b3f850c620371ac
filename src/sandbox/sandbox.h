// Runs one command of a step in namespaces of its own over an overlay of layers, and makes canonical what it changed.
// Knows nothing of templates, stores or images. What a script may rely on: docs/sandbox.md.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <set>

#include "base/cancel.h"
#include "base/fd.h"
#include "base/hash.h"

namespace kiln::sandbox {

enum class Network : std::uint8_t { host, none };

/// A file or directory of the host that a step can see.
struct Bind {
  fs::path source;
  std::string target;  // absolute, inside; its mount point is made in the stub layer or below /run/kiln
  bool read_only = true;
};

/// A shared cache (package archives): an overlay with the shared directory as lower and a private upper; after success
/// new files move into the shared directory by rename, deletions are not carried back.
struct CacheMount {
  fs::path shared;
  std::string target;
};

/// A generated file. Those below /run/kiln are on a tmpfs; others are part of the stub layer: a lower above the tree,
/// so that nothing of ours lies over a path that a package may replace.
struct StubFile {
  std::string path;
  std::string content;
  std::uint32_t mode = 0644;
};

/// What the main process is to do: exec a program, or let kiln's own init copy files (no program of the image needed).
struct Exec {
  std::vector<std::string> argv;
  std::string cwd = "/";
  std::string user;  // as in an image's config: "", "185", "name", "name:group"; resolved in the tree's passwd as data
};
/// A copy belongs to root, has SOURCE_DATE_EPOCH of env as its time and the source's permission bits & 0755; so a step
/// key needs of a source its content, links, and mode & 0755.
struct Upload {
  fs::path source;          // on the host: a file or a directory
  std::string destination;  // inside; existing directory or trailing "/": below it by basename
  bool contents = false;    // directory source written with a trailing "/": its contents, not itself
};
struct Download {
  std::string source;
  fs::path destination;  // a directory on the host, made by the caller
};

struct RunSpec {
  std::vector<fs::path> lowers;  // oldest first; may be empty for a step over nothing
  fs::path scratch;              // a private directory on a file system that can hold an overlay upper
  fs::path stub_home;            // where stub layers are kept for runs to come; empty: made anew in scratch
  std::variant<Exec, std::vector<Upload>, std::vector<Download>> action;
  std::map<std::string, std::string> env;  // complete
  std::string hostname = "kiln";
  std::vector<StubFile> stubs;
  std::vector<StubFile> scripts;  // put at their path (in /tmp as a rule) before the action and removed after it
  std::vector<Bind> binds;
  std::vector<CacheMount> caches;
  Network network = Network::host;
  bool strict = false;  // no_new_privs
  Duration timeout{0};  // 0: none
  Duration grace{10'000};
  std::uint32_t max_processes = 4096;
  std::function<void(std::string_view line, bool is_stderr)> on_line;  // called from the calling thread
};

struct RunResult {
  int exit_code = 0;          // 128 + signal when killed by one
  bool disconnected = false;  // a stub such as reboot ended the step
  bool timed_out = false;
  std::vector<std::string> notes;  // what was ignored: "systemctl start ssh: no running system" ...
};

/// Runs the action to its end: every process of the step is dead when this returns, no mount is left, and only
/// scratch/upper and scratch/work (and the caches' uppers) hold what it did. Cancelled: SIGTERM, grace, kill, and
/// Errc::interrupted. The calling thread must live until this returns: the step dies with it.
Result<RunResult> run(const RunSpec& spec, const Cancel& cancel);

/// Moves what the caches' uppers gained into the shared directories.
Result<> keep_caches(const RunSpec& spec);

/// Interactive: the same sandbox with the caller's terminal; changes are thrown away. Returns the exit code.
Result<int> shell(const RunSpec& spec, const Cancel& cancel);

struct CollectSpec {
  fs::path upper;                 // scratch/upper of the run
  std::vector<fs::path> lowers;   // the same as in RunSpec, oldest first
  std::vector<StubFile> stubs;    // the same; needed only when scratch/stub of the run is gone
  std::int64_t clock = 0;         // SOURCE_DATE_EPOCH: later times become this
  std::vector<std::string> keep;  // volatile paths that stay (-keep)
  fs::path tree;                  // the canonical layer is made here by rename (same file system as upper)
  fs::path volatile_tree;         // what the step left in /tmp, same form
};
struct CollectReport {
  bool empty = true, volatile_empty = true;  // nothing changed
  std::vector<std::string> dropped;          // paths (no leading "/") removed as volatile; docs/sandbox.md has the list
};

/// Makes an upper directory canonical: drops what equals the lower, turns opaque directories into explicit whiteouts,
/// strips overlay attributes, clamps times, removes what is volatile. Idempotent on its result. layers-and-keys
/// section 3.
Result<CollectReport> collect(const CollectSpec& spec);

}  // namespace kiln::sandbox
