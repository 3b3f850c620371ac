// The system call filter and the capabilities of a step: hardening section 5. Private to the room.
#pragma once

#include "base/error.h"

namespace kiln::sandbox {

/// Capabilities that stay in the bounding set, as a bit set.
std::uint64_t step_capabilities();

/// The filter as an array of struct sock_filter; made once per process.
Result<std::string> step_filter();

}  // namespace kiln::sandbox
