// Advisory locks that die with their owner (open file description locks): no pid files, nothing to clean up.
#pragma once

#include <functional>
#include <optional>

#include "base/cancel.h"

namespace kiln {

enum class LockKind : std::uint8_t { shared, exclusive };

/// Holds a lock on a file; released when destroyed or when the process dies. The file stays.
class LockFile {
 public:
  /// Takes the lock at once, or yields nothing when somebody else holds it.
  static Result<std::optional<LockFile>> try_lock(const fs::path& path, LockKind kind);
  /// Waits for it; on_wait is called at first and then every 10 s with the holder's note (advisory text).
  static Result<LockFile> lock(const fs::path& path, LockKind kind, const Cancel& cancel,
                               const std::function<void(const std::string& holder)>& on_wait = {});
  /// Writes who holds it, for others to print.
  Result<> note(std::string_view text);

 private:
  explicit LockFile(Fd fd) : fd_(std::move(fd)) {}
  Fd fd_;
};

}  // namespace kiln
