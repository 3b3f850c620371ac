// Leases: what a living process uses and garbage collection must leave alone. Protocol: docs/formats/store.md,
// "Leases".
#pragma once

#include <mutex>
#include <set>

#include "store/home.h"
#include "store/store.h"

namespace kiln::store {

class Leases {
 public:
  explicit Leases(const Home& home) : home_(home) {}
  Leases(const Leases&) = delete;
  Leases& operator=(const Leases&) = delete;
  ~Leases();

  /// Store::lease. On return, no collection that started before can remove the thing later.
  Result<> add(const Digest& digest);

 private:
  Result<> start();
  Result<> append(const std::string& line);
  Result<> wait_for_collector();

  const Home& home_;
  std::mutex mutex_;
  std::set<std::string> held_;
  std::optional<LockFile> lock_;  // of the lease file, as long as we live
  fs::path path_;
  Fd file_, gate_;  // the lease file; locks/gc
  std::uint64_t size_ = 0;
  bool gate_shut_ = false;  // no room for a lease: we hold locks/gc shared instead
};

/// What living processes hold, as hex digests. Leases of dead ones are removed.
Result<std::set<std::string>> living_leases(const fs::path& root);

}  // namespace kiln::store
