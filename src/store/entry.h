// Small JSON files of the store, each sealed with the boot and the moment of its writing, and the rule by which they
// are trusted after a power cut: docs/formats/store.md, "Durability".
#pragma once

#include <atomic>
#include <mutex>

#include "store/home.h"
#include "store/store.h"

namespace kiln::store {

struct Entry {
  Json value;
  std::string boot;       // that wrote it
  std::int64_t used = 0;  // seconds since 1970
};

/// Whether reading an entry counts as use (moves its mtime when that is more than a minute old).
enum class Touch : std::uint8_t { yes, no };

class Entries {
 public:
  explicit Entries(const Home& home) : home_(home) {}

  /// Nothing when the file is absent, is no sealed JSON, or was written in an earlier boot and never became durable.
  /// name is relative to the store.
  Result<std::optional<Entry>> read(const std::string& name, Touch touch);
  /// Written beside and renamed; missing parents are made.
  Result<> put(const std::string& name, const Json& value);
  /// The text that put() writes: value with this boot and this moment. Everything that value tells of must have been
  /// written before.
  std::string seal(const Json& value);

  /// A path that nobody has, in this process's private directory.
  Result<fs::path> fresh_path();
  /// Replaces a file of the store (not sealed).
  Result<> replace(const std::string& name, std::string_view text);
  /// Renames into place, makes missing parents. flags as for renameat2.
  Result<> move_in(const fs::path& from, const std::string& name, unsigned flags = 0);
  /// Moves something of the store to trash/; a missing one is fine. Yields whether it was there.
  Result<bool> discard(const std::string& name);

  /// Store::make_durable.
  Result<> make_durable();

 private:
  std::uint64_t durable_until(const std::string& boot);
  Result<> mark_durable(std::uint64_t moment);

  const Home& home_;
  std::mutex mutex_;
  std::optional<Scratch> desk_;                 // made when first needed
  std::map<std::string, std::uint64_t> until_;  // durable/BOOT, as read
  std::atomic<std::uint64_t> counter_{0};
  std::atomic<bool> dirty_{false};
};

}  // namespace kiln::store
