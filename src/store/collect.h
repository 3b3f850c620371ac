// Garbage collection in two halves: seeing what there is and choosing what goes (no effect), and removing it under the
// collector's lock. Rules: docs/formats/store.md, "Collection".
#pragma once

#include <set>

#include "store/entry.h"

namespace kiln::store {

/// One thing that is kept or removed whole.
struct Item {
  enum class Kind : std::uint8_t { layer, blob, small };
  Kind kind = Kind::small;
  std::string what;                // for people: "layer 0123456789ab (label)"
  std::string hex;                 // what a lease names; empty for small files
  std::vector<std::string> files;  // relative to the store, in the order of removal; the first bears the time of use
  std::string meta;                // the entry that makes a layer or blob trusted
  std::string boot, label;
  std::uint64_t bytes = 0;
  std::int64_t used = 0;
  bool stale = false;  // not trusted any more: goes whatever its age
};

/// Whether trees are walked to learn their size on disk.
enum class Measure : std::uint8_t { yes, no };

/// Layers and blobs, by name.
Result<std::vector<Item>> see_layers(const Home& home, Entries& entries, Measure measure);
Result<std::vector<Item>> see_blobs(const Home& home, Entries& entries);
/// Results, aliases and records.
Result<std::vector<Item>> see_small(const Home& home);

/// Which of items go, as indices, the longest unused first.
std::vector<std::size_t> choose(const std::vector<Item>& items, const std::set<std::string>& leased,
                                const GcOptions& options, std::int64_t now);

/// Moves items to trash/ unless they were used or renewed since they were seen. Call with locks/gc held exclusively.
Result<std::vector<std::size_t>> discard(Entries& entries, const Home& home, const std::vector<Item>& items,
                                         const std::vector<std::size_t>& chosen);

/// On the first opening in a boot: drops layers and blobs that an earlier boot did not make durable.
Result<> drop_stale_once(const Home& home, Entries& entries);

/// Bytes that a tree takes on disk; a file with several names counts once.
Result<std::uint64_t> disk_bytes(const fs::path& tree);

}  // namespace kiln::store
