#include "image/disk/ext4_attributes.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <tuple>

#include "image/disk/ext4_hash.h"

namespace kiln::image::ext4 {

namespace {

constexpr std::uint32_t kXattrAclVersion = 2, kDiskAclVersion = 1;
constexpr std::uint16_t kAclUser = 0x02, kAclGroup = 0x08;  // the tags that have an id
constexpr std::size_t kEndMark = 4;                         // zero bytes after the last entry

struct AclEntry {
  le16 tag, permissions;
  le32 id;
};

struct Attribute {
  std::uint8_t index = 0;  // stands for the part of the name before the rest
  std::string_view name;
  std::string value;
  std::size_t entry_bytes() const { return sizeof(AttributeEntry) + (name.size() + 3) / 4 * 4; }
  std::size_t value_bytes() const { return (value.size() + 3) / 4 * 4; }
};

/// From the form of the system calls, where every entry has an id, to ext4's, where only named users and groups do.
Result<std::string> disk_acl(std::string_view wire) {
  le32 version;
  if (wire.size() < sizeof version) return error(Errc::corrupt, "an ACL of {} bytes", wire.size());
  std::memcpy(&version, wire.data(), sizeof version);
  wire.remove_prefix(sizeof version);
  if (version != kXattrAclVersion || wire.size() % sizeof(AclEntry) != 0) {
    return error(Errc::corrupt, "an ACL of version {} and {} bytes", std::uint32_t{version}, wire.size());
  }
  const le32 disk_version = kDiskAclVersion;
  std::string disk(as_text(bytes_of(disk_version)));
  for (; !wire.empty(); wire.remove_prefix(sizeof(AclEntry))) {
    AclEntry entry;
    std::memcpy(&entry, wire.data(), sizeof entry);
    const bool has_id = entry.tag == kAclUser || entry.tag == kAclGroup;
    disk += wire.substr(0, has_id ? sizeof entry : offsetof(AclEntry, id));
  }
  return disk;
}

Result<Attribute> attribute_of(std::string_view name, const std::string& value) {
  if (name == "system.posix_acl_access") return Attribute{2, "", TRY(disk_acl(value))};
  if (name == "system.posix_acl_default") return Attribute{3, "", TRY(disk_acl(value))};
  for (const auto& [prefix, index] : {std::pair{std::string_view("user."), 1}, {"security.", 6}}) {
    if (name.starts_with(prefix)) {
      return Attribute{static_cast<std::uint8_t>(index), name.substr(prefix.size()), value};
    }
  }
  return error(Errc::usage, "ext4 has no place for it");
}

std::uint32_t entry_hash(const Attribute& a) {
  std::uint32_t hash = 0;
  for (const char c : a.name) hash = std::rotl(hash, 5) ^ static_cast<unsigned char>(c);
  for (std::size_t at = 0; at < a.value.size(); at += sizeof(le32)) {
    le32 word;
    std::memcpy(&word, a.value.data() + at, std::min(sizeof word, a.value.size() - at));
    hash = std::rotl(hash, 16) ^ word;
  }
  return hash;
}

/// Entries from the front of an area and values from its back, as long as there is room.
class Area {
 public:
  /// origin: what value offsets count from, in bytes of the area.
  Area(std::size_t bytes, std::size_t header, std::size_t origin)
      : text_(bytes, '\0'), front_(header), back_(bytes), origin_(origin) {}
  bool add(const Attribute& a, std::uint32_t hash) {
    if (front_ + a.entry_bytes() + kEndMark + a.value_bytes() > back_) return false;
    back_ -= a.value_bytes();
    const auto offset = static_cast<std::uint16_t>(a.value.empty() ? 0 : back_ - origin_);
    put(AttributeEntry{static_cast<std::uint8_t>(a.name.size()), a.index, offset, 0,
                       static_cast<std::uint32_t>(a.value.size()), hash},
        front_);
    text_.replace(front_ + sizeof(AttributeEntry), a.name.size(), a.name);
    text_.replace(back_, a.value.size(), a.value);
    front_ += a.entry_bytes();
    ++count_;
    return true;
  }
  template <class Header>
  std::string finish(const Header& header) && {
    if (count_ == 0) return {};
    put(header, 0);
    return std::move(text_);
  }

 private:
  template <class T>
  void put(const T& value, std::size_t at) {
    text_.replace(at, sizeof value, as_text(bytes_of(value)));
  }
  std::string text_;
  std::size_t front_, back_, origin_, count_ = 0;
};

/// In the order that ext4 searches a block by.
Result<std::vector<Attribute>> sorted(const tree::Attributes& attributes) {
  std::vector<Attribute> all;
  for (const auto& [name, value] : attributes) {
    all.push_back(TRY(attribute_of(name, value).context("attribute {}", name)));
  }
  std::sort(all.begin(), all.end(), [](const Attribute& a, const Attribute& b) {
    return std::tuple(a.index, a.name.size(), a.name) < std::tuple(b.index, b.name.size(), b.name);
  });
  return all;
}

}  // namespace

Result<AttributeImage> attribute_image(const tree::Attributes& attributes) {
  const le32 magic = kAttributeMagic;
  Area inode(sizeof(Inode::attributes), sizeof magic, sizeof magic);
  Area block(kBlockBytes, sizeof(AttributeBlock), 0);
  std::uint32_t block_hash = 0;
  for (const Attribute& a : TRY(sorted(attributes))) {
    if (inode.add(a, 0)) continue;
    const std::uint32_t hash = entry_hash(a);
    if (!block.add(a, hash)) return error(Errc::usage, "its attributes take more than ext4 has room for");
    block_hash = std::rotl(block_hash, 16) ^ hash;
  }
  return AttributeImage{std::move(inode).finish(magic),
                        std::move(block).finish(AttributeBlock{kAttributeMagic, 1, 1, block_hash, 0, {}})};
}

std::string checked_block(const std::string& block, std::uint64_t place, std::uint32_t seed) {
  const le64 number = place;
  const le32 sum = crc32c(crc32c(seed, bytes_of(number)), as_bytes(block));
  std::string checked = block;
  checked.replace(offsetof(AttributeBlock, checksum), sizeof sum, as_text(bytes_of(sum)));
  return checked;
}

}  // namespace kiln::image::ext4
