// Base64 (RFC 4648, section 4): for Basic credentials and for the auth field of Docker's config.json.
#pragma once

#include <string>
#include <string_view>

#include "base/error.h"

namespace kiln::cloud {

std::string base64(std::string_view bytes);

/// Strict but for missing padding, which some tools leave out; anything else wrong is Errc::corrupt.
Result<std::string> from_base64(std::string_view text);

}  // namespace kiln::cloud
