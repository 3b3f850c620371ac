// Who answers the data sources of a template: servers, by the cloud room.
#pragma once

#include <memory>

#include "cli/cli.h"
#include "template/outside.h"

namespace kiln::cli {

/// Proxy, certificates and credentials are those of the environment. cancel must outlive what is answered.
std::shared_ptr<const tmpl::Outside> make_outside(const Environment& environment, const Cancel& cancel);

}  // namespace kiln::cli
