// The types of components that kiln has.
#pragma once

#include <string>
#include <vector>

namespace kiln::plan {

// Sorted.
std::vector<std::string> builder_types();
std::vector<std::string> provisioner_types();
std::vector<std::string> post_processor_types();

}  // namespace kiln::plan
