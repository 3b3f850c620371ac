// Removal of what dead processes left: scratch directories, leases, trash. A directory tmp/NAME belongs to whoever
// holds the lock of tmp/NAME.lock; the lock is taken before the directory is made and goes after it.
#pragma once

#include "store/store.h"

namespace kiln::store {

/// Removes directories of tmp/ and leases that nobody holds. What cannot be removed now is left for the next time.
Result<> sweep_dead(const fs::path& root);

/// Deletes what lies in trash/, unless another process is at it.
Result<> sweep_trash(const fs::path& root);

}  // namespace kiln::store
