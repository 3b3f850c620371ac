// Which paths of a step are volatile: they differ from run to run, and no image needs them. The list is printed in
// docs/sandbox.md. Private to the room.
#pragma once

#include <sys/stat.h>

#include <string>
#include <string_view>
#include <vector>

namespace kiln::sandbox {

/// Whether path is one of `names` (with or without a leading "/") or lies below one.
bool is_kept(std::string_view path, const std::vector<std::string>& names);

/// Whether an entry (path without leading "/") is dropped: logs with content, caches of ldconfig and apt, dpkg's old
/// copies, /run, sockets.
bool is_volatile(std::string_view path, mode_t mode, off_t size);

constexpr std::string_view kMachineId = "etc/machine-id";  // emptied, not dropped

}  // namespace kiln::sandbox
