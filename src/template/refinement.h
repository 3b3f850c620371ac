// What is known of a value that is not known itself, as go-cty has it: that it is not null, how its text begins,
// between which numbers it lies, how many elements it has. Operators and functions answer by that where they can.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "template/number.h"

namespace kiln::tmpl {

struct Refinement {
  struct Bound {
    Number number;
    bool inclusive = true;
    bool operator==(const Bound&) const = default;
  };
  bool not_null = false;
  std::string prefix;                                  // of a string: NFC, and no text behind it changes it
  std::optional<Bound> least, most;                    // of a number, if it is not null
  std::size_t min_length = 0, max_length = INT64_MAX;  // of a collection, if it is not null
  bool operator==(const Refinement&) const = default;

  /// Bounds of a number that this one is certainly below, or certainly above.
  bool below(const Refinement& other) const;
  bool above(const Refinement& other) const { return other.below(*this); }
};

/// What holds where both hold.
Refinement both(const Refinement& a, const Refinement& b);

/// What holds where one of them holds, nobody knows which. Says nothing of prefixes, as in hashicorp/hcl.
Refinement either(const Refinement& a, const Refinement& b);

/// What is certain of the beginning of a text that begins with this one and goes on in an unknown way: without the last
/// characters where what follows may combine with them. At most 128 bytes, as in hashicorp/hcl.
std::string safe_prefix(std::string_view text);

}  // namespace kiln::tmpl
