// Fields of tar headers as text and numbers: octal and base-256 numbers, pax records. Strict, and pure.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace kiln::image {

/// A numeric header field: octal digits between spaces and NULs, or GNU's base-256. Empty is 0.
Result<std::int64_t> parse_tar_number(std::string_view field);

/// A text field: up to its first NUL, or all of it.
std::string_view tar_text(std::string_view field);

/// Records of a pax header. Names of GNU's first sparse format come many times: their values are kept in order.
struct PaxRecords {
  std::map<std::string, std::string> values;
  std::vector<std::uint64_t> sparse_numbers;  // offset, bytes, offset, bytes ...
};
Result<PaxRecords> parse_pax(std::string_view text);

/// Decimal digits only.
Result<std::uint64_t> parse_decimal(std::string_view text);

/// A pax time, "12", "-3.25": whole seconds, rounded down.
Result<std::int64_t> parse_pax_time(std::string_view text);

}  // namespace kiln::image
