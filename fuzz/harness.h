// What the harnesses share. Each one feeds bytes to one reader of what comes from outside; the property is always the
// same: it answers, with a value or an error, within its limits. Sanitizers and libFuzzer watch.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "base/file.h"

namespace kiln::fuzz {

inline std::string_view text_of(const std::uint8_t* data, std::size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}

/// A directory in memory that all inputs of one process share.
inline const fs::path& place() {
  static const TempDir dir = TempDir::create("/dev/shm", "kiln-fuzz").take();
  return dir.path();
}

/// A promise of the code that the input has broken.
inline void must(bool holds) {
  if (!holds) std::abort();
}

}  // namespace kiln::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);
