// Removes scratch directories behind the back of the build: deleting costs as much as making, and nobody waits for it.
#pragma once

#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>

#include "store/store.h"

namespace kiln::store {

/// One thread, started when first needed. What is left when the process dies is removed by the next one (sweep_dead):
/// a directory's lock is held until it is gone.
class Reaper {
 public:
  Reaper() = default;
  Reaper(const Reaper&) = delete;
  Reaper& operator=(const Reaper&) = delete;
  /// Returns when everything is removed.
  ~Reaper();

  void take(fs::path dir, LockFile lock);
  /// Waits until all that was taken is gone.
  void finish();

 private:
  struct Corpse {
    fs::path dir;
    LockFile lock;
  };
  void work();

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Corpse> left_;
  bool busy_ = false, no_more_ = false;
  std::thread thread_;
};

/// Removes a scratch directory and the name of its lock.
void remove_scratch(const fs::path& dir);

}  // namespace kiln::store
