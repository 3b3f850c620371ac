// -on-error=ask: a person decides what becomes of a provisioner that failed.
#pragma once

#include "engine/engine.h"
#include "event/mask.h"

namespace kiln::cli {

/// Asks on a terminal, one question at a time, until the answer is c, a or r, as Packer does; the end of the input
/// means c. What it says passes the mask. To be called from any thread.
std::function<engine::OnError(const plan::Step&, const Error&)> ask_on_terminal(int in, int out,
                                                                                const event::SecretMask& mask,
                                                                                const Cancel& cancel);

}  // namespace kiln::cli
