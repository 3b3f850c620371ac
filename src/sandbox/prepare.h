// What happens on the host before a step starts: checks, the scratch directories, the stub layer, the account. Private
// to the room.
#pragma once

#include "sandbox/sandbox.h"

namespace kiln::sandbox {

/// Yields the description that kiln-init reads. terminal: the main process gets a pty.
Result<std::string> prepare(const RunSpec& spec, bool terminal);

}  // namespace kiln::sandbox
