#include "image/tar_header.h"

#include <sys/stat.h>

#include <algorithm>
#include <cassert>
#include <cstddef>
#include <cstring>

namespace kiln::image {

namespace {

constexpr std::uint64_t kMaxSize = 077777777777;  // 11 octal digits: 8 GiB - 1
constexpr std::uint32_t kMaxId = 07777777;        // 7 octal digits

/// Octal digits filling a field but for its last byte, which stays NUL.
template <std::size_t N>
void put_octal(char (&field)[N], std::uint64_t value) {
  for (std::size_t i = N - 1; i-- > 0; value >>= 3) field[i] = static_cast<char>('0' + (value & 7));
  assert(value == 0);
}

template <std::size_t N>
void put_text(char (&field)[N], std::string_view text) {
  std::memcpy(field, text.data(), std::min(N, text.size()));
}

/// Puts a path into name and prefix; false when it does not fit. The prefix is the longest that does.
bool put_path(UstarHeader& header, std::string_view path) {
  if (path.size() <= sizeof header.name) {
    put_text(header.name, path);
    return true;
  }
  const std::size_t cut = path.rfind('/', std::min(sizeof header.prefix, path.size() - 2));
  if (cut == std::string_view::npos || cut == 0 || path.size() - cut - 1 > sizeof header.name) return false;
  put_text(header.prefix, path.substr(0, cut));
  put_text(header.name, path.substr(cut + 1));
  return true;
}

void seal(UstarHeader& header) {
  std::memcpy(header.magic, "ustar", 6);
  std::memcpy(header.version, "00", 2);
  const std::string sum = fmt::format("{:06o}", tar_checksum(header));
  std::memcpy(header.checksum, sum.data(), 6);
  header.checksum[6] = '\0';
  header.checksum[7] = ' ';
}

std::string text_of(const UstarHeader& header) {
  return {reinterpret_cast<const char*>(&header), sizeof header};
}

/// "LENGTH KEY=VALUE\n", where LENGTH counts its own digits.
std::string render_record(std::string_view key, std::string_view value) {
  const std::size_t rest = key.size() + value.size() + 3;
  std::size_t total = rest + 1;
  while (total != rest + std::to_string(total).size()) total = rest + std::to_string(total).size();
  return fmt::format("{} {}={}\n", total, key, value);
}

/// The extended header of a member: its own header block, the records, padding.
std::string render_extended(std::string_view path, const std::map<std::string, std::string>& records) {
  std::string body;
  for (const auto& [key, value] : records) body += render_record(key, value);
  UstarHeader header{};
  if (path.ends_with('/')) path.remove_suffix(1);
  put_text(header.name, fmt::format("PaxHeaders/{}", path.substr(path.rfind('/') + 1)).substr(0, sizeof header.name));
  put_octal(header.mode, 0644);
  put_octal(header.uid, 0);
  put_octal(header.gid, 0);
  put_octal(header.size, body.size());
  put_octal(header.mtime, 0);
  put_octal(header.dev_major, 0);
  put_octal(header.dev_minor, 0);
  header.type = 'x';
  seal(header);
  const std::size_t padding = tar_padding(body.size());
  return text_of(header) + body + std::string(padding, '\0');
}

}  // namespace

TarType tar_type_of(std::uint32_t mode) {
  switch (mode & S_IFMT) {
    case S_IFDIR:
      return TarType::directory;
    case S_IFLNK:
      return TarType::symlink;
    case S_IFCHR:
      return TarType::char_device;
    case S_IFBLK:
      return TarType::block_device;
    case S_IFIFO:
      return TarType::fifo;
    default:
      return TarType::file;
  }
}

bool is_layer_xattr(std::string_view name) {
  if (name.starts_with("user.")) return !name.starts_with("user.overlay.");
  return name == "security.capability" || name == "system.posix_acl_access" || name == "system.posix_acl_default";
}

std::size_t tar_padding(std::uint64_t size) {
  return static_cast<std::size_t>((kTarBlock - size % kTarBlock) % kTarBlock);
}

std::uint32_t tar_checksum(const UstarHeader& header) {
  const auto* bytes = reinterpret_cast<const unsigned char*>(&header);
  std::uint32_t sum = 0;
  for (std::size_t i = 0; i < sizeof header; ++i) {
    const bool own = i >= offsetof(UstarHeader, checksum) && i < offsetof(UstarHeader, type);
    sum += own ? ' ' : bytes[i];
  }
  return sum;
}

std::string render_tar_header(const TarMember& member) {
  assert(!member.sparse);
  std::map<std::string, std::string> records;
  UstarHeader header{};
  const bool is_dir = member.type == TarType::directory;
  const std::string path = member.path.empty() ? "./" : is_dir ? member.path + "/" : member.path;
  if (!put_path(header, path)) {
    records["path"] = path;
    put_text(header.name, path);
  }
  put_text(header.link, member.link);
  if (member.link.size() > sizeof header.link) records["linkpath"] = member.link;
  const auto put_number = [&](auto& field, const char* key, std::int64_t value, std::int64_t most) {
    const bool fits = value >= 0 && value <= most;
    put_octal(field, fits ? static_cast<std::uint64_t>(value) : 0);
    if (!fits) records[key] = std::to_string(value);
  };
  put_number(header.uid, "uid", member.uid, kMaxId);
  put_number(header.gid, "gid", member.gid, kMaxId);
  put_number(header.size, "size", static_cast<std::int64_t>(member.size), kMaxSize);
  put_number(header.mtime, "mtime", member.mtime, kMaxSize);
  put_octal(header.mode, member.mode & 07777);
  put_octal(header.dev_major, member.dev_major);
  put_octal(header.dev_minor, member.dev_minor);
  for (const auto& [name, value] : member.xattrs) records["SCHILY.xattr." + name] = value;
  header.type = static_cast<char>(member.type);
  seal(header);
  return (records.empty() ? std::string() : render_extended(path, records)) + text_of(header);
}

}  // namespace kiln::image
