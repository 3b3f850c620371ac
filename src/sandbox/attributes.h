// Extended attributes: reading them by a path whose last part is not followed, and which of them belong to a layer.
// Private to the room.
#pragma once

#include <map>
#include <string>

#include "base/error.h"

namespace kiln::sandbox {

using Attributes = std::map<std::string, std::string>;

/// All of an entry's attributes. A path of the form /proc/self/fd/N/NAME keeps it below a descriptor.
Result<Attributes> attributes_of(const std::string& path);

/// user.* (not user.overlay.*), security.capability and POSIX ACLs belong to a layer; nothing else does.
bool is_kept_attribute(const std::string& name);

/// Attributes as a layer keeps them: only the kept ones, security.capability in its version-2 form.
Attributes canonical_attributes(const Attributes& attributes);

/// Makes an entry's attributes those wanted.
Result<> set_attributes(const std::string& path, const Attributes& now, const Attributes& wanted);

}  // namespace kiln::sandbox
