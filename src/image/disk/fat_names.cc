#include "image/disk/fat_names.h"

#include <algorithm>

#include "base/text.h"

namespace kiln::image {

namespace {

constexpr std::size_t kMaxUnits = 255;      // UTF-16 units of a long name
constexpr std::size_t kUnitsPerEntry = 13;  // of them in one long-name entry
constexpr std::uint8_t kLastEntry = 0x40;   // in the order of the entry that comes first
constexpr std::string_view kNever = "\"*/:<>?\\|";
constexpr std::string_view kNotInAlias = "+,;=[] .";  // allowed in a long name only
constexpr std::size_t kBase = 8, kExtension = 3;

bool is_control(char c) {
  return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
}

/// Well-formed UTF-8 as UTF-16.
std::vector<std::uint16_t> utf16(std::string_view text) {
  std::vector<std::uint16_t> units;
  for (std::size_t i = 0; i < text.size();) {
    const auto lead = static_cast<unsigned char>(text[i]);
    const std::size_t length = lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
    std::uint32_t point = length == 1 ? lead : lead & (0x7fU >> length);
    for (std::size_t k = 1; k < length; ++k) point = (point << 6) | (static_cast<unsigned char>(text[i + k]) & 0x3fU);
    i += length;
    if (point < 0x10000) {
      units.push_back(static_cast<std::uint16_t>(point));
    } else {
      units.push_back(static_cast<std::uint16_t>(0xd800 + ((point - 0x10000) >> 10)));
      units.push_back(static_cast<std::uint16_t>(0xdc00 + ((point - 0x10000) & 0x3ff)));
    }
  }
  return units;
}

std::string upper(std::string_view text) {
  std::string result(text);
  for (char& c : result) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  return result;
}

struct Parts {
  std::string base, extension;
  bool is_all = true;  // of the name but for its case
};

/// A part of a name in the characters of an alias.
std::string alias_part(std::string_view text, std::size_t most, bool& is_all) {
  std::string part;
  for (const char c : upper(text)) {
    const bool dropped = c == ' ' || c == '.';
    const bool fits = static_cast<unsigned char>(c) < 0x80 && kNotInAlias.find(c) == std::string_view::npos;
    is_all = is_all && fits;
    if (!dropped) part += fits ? c : '_';
  }
  is_all = is_all && part.size() <= most;
  return part.substr(0, most);
}

Parts parts_of(std::string_view name) {
  Parts parts;
  const std::size_t lead = name.find_first_not_of('.');
  const std::size_t dot = name.rfind('.');
  const bool has_extension = dot != std::string_view::npos && dot > lead;
  parts.base = alias_part(name.substr(0, has_extension ? dot : name.size()), kBase, parts.is_all);
  if (has_extension) parts.extension = alias_part(name.substr(dot + 1), kExtension, parts.is_all);
  return parts;
}

std::string padded(const std::string& base, const std::string& extension) {
  return fmt::format("{:<8}{:<3}", base, extension);
}

/// "BOOTX64 EFI" as people write it.
std::string shown(const std::string& alias) {
  const std::string base(trim(std::string_view(alias).substr(0, kBase)));
  const std::string extension(trim(std::string_view(alias).substr(kBase)));
  return extension.empty() ? base : base + "." + extension;
}

std::uint8_t checksum_of(const std::string& alias) {
  std::uint8_t sum = 0;
  for (const char c : alias)
    sum = static_cast<std::uint8_t>(((sum & 1) << 7) + (sum >> 1) + static_cast<unsigned char>(c));
  return sum;
}

/// The name is followed by one zero and filled up with ones.
FatLongEntry long_entry(const std::vector<std::uint16_t>& units, std::size_t index, std::uint8_t checksum) {
  FatLongEntry entry;
  const auto unit = [&](std::size_t i) -> le16 {
    const std::size_t at = index * kUnitsPerEntry + i;
    return at < units.size() ? units[at] : static_cast<std::uint16_t>(at == units.size() ? 0 : 0xffff);
  };
  for (std::size_t i = 0; i < 5; ++i) entry.first[i] = unit(i);
  for (std::size_t i = 0; i < 6; ++i) entry.second[i] = unit(5 + i);
  for (std::size_t i = 0; i < 2; ++i) entry.third[i] = unit(11 + i);
  entry.order = static_cast<std::uint8_t>(index + 1);
  entry.checksum = checksum;
  return entry;
}

Result<> check_name(std::string_view name, std::size_t units) {
  const auto refused = [](char c) { return is_control(c) || kNever.find(c) != std::string_view::npos; };
  if (!is_utf8(name) || std::any_of(name.begin(), name.end(), refused) || name.ends_with('.') || name.ends_with(' '))
    return error(Errc::corrupt, "a FAT file system cannot hold a file named '{}'", visible(name));
  if (units > kMaxUnits) return error(Errc::corrupt, "the name '{}' is too long for FAT", visible(name));
  return {};
}

}  // namespace

std::string FatNames::free_alias(std::string_view name) const {
  const Parts parts = parts_of(name);
  std::string plain = padded(parts.base, parts.extension);
  if (parts.is_all && !parts.base.empty() && !aliases_.contains(plain)) return plain;
  for (std::size_t n = 1;; ++n) {
    const std::string tail = fmt::format("~{}", n);
    std::string alias = padded(parts.base.substr(0, kBase - tail.size()) + tail, parts.extension);
    if (!aliases_.contains(alias)) return alias;
  }
}

Result<FatNames::Name> FatNames::add(std::string_view name) {
  const bool good = is_utf8(name);
  const auto units = good ? utf16(name) : std::vector<std::uint16_t>();
  TRY(check_name(name, units.size()));
  if (!folded_.insert(upper(name)).second)
    return error(Errc::corrupt, "FAT knows no case: '{}' is there in another spelling", visible(name));
  Name made{free_alias(name), {}};
  aliases_.insert(made.alias);
  if (shown(made.alias) == name) return made;
  const std::size_t count = (units.size() + kUnitsPerEntry - 1) / kUnitsPerEntry;
  for (std::size_t i = count; i-- > 0;) made.rest.push_back(long_entry(units, i, checksum_of(made.alias)));
  made.rest.front().order |= kLastEntry;
  return made;
}

}  // namespace kiln::image
