#include "image/tar_records.h"

#include <algorithm>
#include <charconv>

#include "base/text.h"

namespace kiln::image {

namespace {

constexpr std::size_t kMaxRecords = 1000;           // hardening section 15
constexpr std::size_t kMaxSparseNumbers = 200'000;  // two for each of 100,000 extents

Result<std::int64_t> parse_base256(std::string_view field) {
  const bool negative = static_cast<unsigned char>(field[0]) == 0xff;
  std::uint64_t value = negative ? ~std::uint64_t{0} : 0;
  const std::uint64_t fill = negative ? 0xff : 0;
  for (std::size_t i = 1; i < field.size(); ++i) {
    const auto byte = static_cast<unsigned char>(field[i]);
    const bool is_high = field.size() - i > sizeof value;
    if (is_high && byte != fill) return error(Errc::corrupt, "number out of range");
    value = (value << 8) | byte;
  }
  if (negative != (value >> 63 != 0)) return error(Errc::corrupt, "number out of range");
  return static_cast<std::int64_t>(value);
}

bool is_sparse_number(std::string_view key) {
  return key == "GNU.sparse.offset" || key == "GNU.sparse.numbytes";
}

}  // namespace

std::string_view tar_text(std::string_view field) {
  return field.substr(0, field.find('\0'));
}

Result<std::int64_t> parse_tar_number(std::string_view field) {
  const auto first = static_cast<unsigned char>(field[0]);
  if (first == 0x80 || first == 0xff) return parse_base256(field);
  const auto is_filler = [](char c) { return c == ' ' || c == '\0'; };
  while (!field.empty() && field.front() == ' ') field.remove_prefix(1);
  while (!field.empty() && is_filler(field.back())) field.remove_suffix(1);
  std::int64_t value = 0;
  for (const char c : field) {
    if (c < '0' || c > '7') return error(Errc::corrupt, "'{}' is not an octal number", visible(field));
    value = value * 8 + (c - '0');
  }
  return value;  // at most 12 digits: no overflow
}

Result<std::uint64_t> parse_decimal(std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || problem != std::errc() || end != text.data() + text.size()) {
    return error(Errc::corrupt, "'{}' is not a number", visible(text.substr(0, 40)));
  }
  return value;
}

Result<std::int64_t> parse_pax_time(std::string_view text) {
  const std::string_view whole = text.substr(0, text.find('.'));
  const std::string_view fraction = whole.size() < text.size() ? text.substr(whole.size() + 1) : std::string_view("0");
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  std::int64_t seconds = 0;
  const auto [end, problem] = std::from_chars(whole.data(), whole.data() + whole.size(), seconds);
  if (whole.empty() || problem != std::errc() || end != whole.data() + whole.size() ||
      !std::all_of(fraction.begin(), fraction.end(), is_digit)) {
    return error(Errc::corrupt, "'{}' is not a time", visible(text.substr(0, 40)));
  }
  const bool has_fraction = fraction.find_first_not_of('0') != std::string_view::npos;
  return whole.starts_with('-') && has_fraction ? seconds - (seconds > INT64_MIN ? 1 : 0) : seconds;
}

Result<PaxRecords> parse_pax(std::string_view text) {
  PaxRecords records;
  std::size_t count = 0;
  while (!text.empty()) {
    const std::size_t space = text.find(' ');
    if (space > 7) return error(Errc::corrupt, "extended header without a length");
    const std::uint64_t length = TRY(parse_decimal(text.substr(0, space)));
    if (length <= space + 1 || length > text.size() || text[length - 1] != '\n') {
      return error(Errc::corrupt, "extended header with a wrong length");
    }
    const std::string_view record = text.substr(space + 1, length - space - 2);
    text.remove_prefix(length);
    const std::size_t equals = record.find('=');
    if (equals == std::string_view::npos || equals == 0) return error(Errc::corrupt, "extended header without a name");
    const std::string key(record.substr(0, equals));
    const std::string_view value = record.substr(equals + 1);
    if (key.find('\0') != std::string::npos) return error(Errc::corrupt, "extended header with a NUL in a name");
    if (is_sparse_number(key)) {
      records.sparse_numbers.push_back(TRY(parse_decimal(value)));
    } else {
      if (++count > kMaxRecords) return error(Errc::corrupt, "more than {} extended header records", kMaxRecords);
      records.values[key] = value;
    }
    if (records.sparse_numbers.size() > kMaxSparseNumbers) return error(Errc::corrupt, "too many sparse extents");
  }
  return records;
}

}  // namespace kiln::image
