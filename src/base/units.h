// Sizes in bytes by their IEC names.
#pragma once

#include <cstdint>

namespace kiln {

inline constexpr std::uint64_t kKiB = 1 << 10;
inline constexpr std::uint64_t kMiB = 1 << 20;
inline constexpr std::uint64_t kGiB = std::uint64_t{1} << 30;

}  // namespace kiln
