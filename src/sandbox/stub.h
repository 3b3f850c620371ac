// The stub layer: a generated lower directory above the tree that holds mount points, generated files and stub
// commands, so that nothing of ours lies over a path that a package may replace (layers-and-keys section 1). Private to
// the room.
#pragma once

#include "sandbox/setup.h"
#include "tree/merged.h"

namespace kiln::sandbox {

struct StubEntry {
  enum class Kind : std::uint8_t { dir, file, symlink };
  std::string path;  // resolved inside the tree, without leading "/"
  Kind kind = Kind::dir;
  std::string content;  // of a file, or the text of a link
  std::uint32_t mode = 0755;
  bool operator==(const StubEntry&) const = default;
};

struct StubPlan {
  std::vector<StubEntry> entries;  // sorted by path, without parents
  Places places;
};

/// What the stub layer of a run holds, and where binds and caches go.
Result<StubPlan> plan_stubs(const tree::Merged& tree, const RunSpec& spec);

/// Makes the layer. Parents take mode, owner, attributes and time of the tree's directories, so that they change
/// nothing; all else has the clock as its time. dir must not exist.
Result<> make_stub_layer(const tree::Merged& tree, const std::vector<StubEntry>& entries, const fs::path& dir,
                         std::int64_t clock);

/// The same as dir, but a link to a layer in home, which is made when no earlier run has made it. Lower layers are
/// never written to, so several runs may use one at a time.
Result<> link_stub_layer(const tree::Merged& tree, const std::vector<StubEntry>& entries, const fs::path& home,
                         const fs::path& dir, std::int64_t clock);

/// Gives a directory the owner, mode, attributes and times of another.
Result<> copy_metadata(const std::string& from, const struct stat& from_stat, int to);

}  // namespace kiln::sandbox
