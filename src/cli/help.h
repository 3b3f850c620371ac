// Help texts: what a command does, its flags, and examples to copy.
#pragma once

#include <string>

namespace kiln::cli {

/// The text for a command; the overview for an empty or unknown name.
std::string help_for(const std::string& command);

}  // namespace kiln::cli
