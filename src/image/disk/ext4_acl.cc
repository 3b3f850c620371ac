#include "image/disk/ext4_acl.h"

#include <algorithm>
#include <cstddef>

#include "base/endian.h"
#include "base/fd.h"

namespace kiln::image {

namespace {

constexpr std::uint32_t kWireVersion = 2, kDiskVersion = 1, kNoId = 0xffffffff;
constexpr std::uint16_t kUser = 0x02, kGroup = 0x08;  // the tags that have an id on disk

struct Entry {
  le16 tag, permissions;
  le32 id;
};

}  // namespace

Result<std::string> acl_from_disk(std::string_view disk) {
  const le32 version = kDiskVersion, wire_version = kWireVersion;
  if (!disk.starts_with(as_text(bytes_of(version)))) return error(Errc::corrupt, "no ACL of version 1");
  disk.remove_prefix(sizeof version);
  std::string wire(as_text(bytes_of(wire_version)));
  while (!disk.empty()) {
    Entry entry{.tag = 0, .permissions = 0, .id = kNoId};
    const auto take = [&](std::size_t bytes) {
      std::copy_n(disk.data(), bytes, reinterpret_cast<char*>(&entry));
      disk.remove_prefix(bytes);
    };
    if (disk.size() < offsetof(Entry, id)) return error(Errc::corrupt, "an ACL that is cut off");
    le16 tag;
    std::copy_n(disk.data(), sizeof tag, reinterpret_cast<char*>(&tag));
    const bool has_id = tag == kUser || tag == kGroup;
    if (has_id && disk.size() < sizeof entry) return error(Errc::corrupt, "an ACL that is cut off");
    take(has_id ? sizeof entry : offsetof(Entry, id));
    wire += as_text(bytes_of(entry));
  }
  return wire;
}

}  // namespace kiln::image
