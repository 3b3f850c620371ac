#include "image/disk/ext4_directory.h"

#include <sys/stat.h>

#include <algorithm>
#include <cassert>
#include <cstring>

namespace kiln::image::ext4 {

namespace {

constexpr std::size_t kLeafBytes = kBlockBytes - sizeof(DirectoryTail);
constexpr std::size_t kLeafFill = kLeafBytes * 4 / 5;  // of an indexed directory: a new name rarely splits a leaf
constexpr std::size_t kDotBytes = 12;                  // of each of "." and ".."
constexpr std::size_t kRootAt = 2 * kDotBytes + sizeof(IndexInfo), kNodeAt = sizeof(DirectoryEntry);
constexpr std::size_t kRootLimit = (kBlockBytes - kRootAt - sizeof(IndexTail)) / sizeof(IndexEntry);
constexpr std::size_t kNodeLimit = (kBlockBytes - kNodeAt - sizeof(IndexTail)) / sizeof(IndexEntry);
constexpr std::size_t kNodeFill = kNodeLimit * 4 / 5;
constexpr std::uint32_t kLastingBlocks = 4;
constexpr std::uint8_t kDirectoryType = 2;

std::size_t entry_bytes(std::string_view name) {
  return (sizeof(DirectoryEntry) + name.size() + 3) / 4 * 4;
}

struct Hashed {
  NameHash hash;
  std::uint32_t item;
  auto operator<=>(const Hashed&) const = default;
};

/// Names in the order of their hashes, and where each leaf begins among them.
struct Leaves {
  std::vector<Hashed> order;
  std::vector<std::uint32_t> starts;
  std::uint32_t nodes() const {  // index blocks below the root
    if (starts.size() <= kRootLimit) return 0;
    return static_cast<std::uint32_t>((starts.size() + kNodeFill - 1) / kNodeFill);
  }
};

template <class Named>
Leaves spread(const std::vector<Named>& named, const Uuid& seed) {
  Leaves leaves;
  leaves.order.reserve(named.size());
  for (const Named& n : named) {
    leaves.order.push_back({hash_name(n.name, seed), static_cast<std::uint32_t>(leaves.order.size())});
  }
  std::sort(leaves.order.begin(), leaves.order.end());
  std::size_t used = kLeafBytes;
  for (std::uint32_t i = 0; i < leaves.order.size(); ++i) {
    const std::size_t bytes = entry_bytes(named[leaves.order[i].item].name);
    if (used + bytes > kLeafFill) {
      leaves.starts.push_back(i);
      used = 0;
    }
    used += bytes;
  }
  return leaves;
}

/// How many plain blocks entries take, "." and ".." with them.
std::uint32_t plain_blocks(const std::vector<Ext4Name>& entries) {
  std::uint32_t blocks = 1;
  std::size_t used = 2 * kDotBytes;
  for (const Ext4Name& e : entries) {
    const std::size_t bytes = entry_bytes(e.name);
    if (used + bytes > kLeafBytes) {
      ++blocks;
      used = 0;
    }
    used += bytes;
  }
  return blocks;
}

/// One block of entries being filled. The last entry's length reaches to the tail.
class Block {
 public:
  explicit Block(char* bytes) : bytes_(bytes) {}
  bool has_room(std::string_view name) const { return used_ + entry_bytes(name) <= kLeafBytes; }
  void add(std::uint32_t inode, std::string_view name, std::uint8_t type) {
    last_ = used_;
    used_ += entry_bytes(name);
    put(DirectoryEntry{inode, static_cast<std::uint16_t>(used_ - last_), static_cast<std::uint8_t>(name.size()), type},
        last_);
    std::memcpy(bytes_ + last_ + sizeof(DirectoryEntry), name.data(), name.size());
  }
  void finish(std::uint32_t seed) {
    const le16 length = static_cast<std::uint16_t>(kLeafBytes - last_);
    std::memcpy(bytes_ + last_ + offsetof(DirectoryEntry, bytes), &length, sizeof length);
    const std::span<const char> covered(bytes_, kLeafBytes);
    put(DirectoryTail{0, sizeof(DirectoryTail), 0, kTailType, crc32c(seed, std::as_bytes(covered))}, kLeafBytes);
  }

 private:
  template <class T>
  void put(const T& value, std::size_t at) {
    std::memcpy(bytes_ + at, &value, sizeof value);
  }
  char* bytes_;
  std::size_t used_ = 0, last_ = 0;
};

/// One block of the index: from `at` on, entries that each say where names from a hash on are.
void render_index(char* block, std::size_t at, std::size_t limit, const std::vector<IndexEntry>& entries,
                  std::uint32_t seed) {
  std::memcpy(block + at, entries.data(), entries.size() * sizeof(IndexEntry));
  const IndexLimit head{static_cast<std::uint16_t>(limit), static_cast<std::uint16_t>(entries.size())};
  std::memcpy(block + at, &head, sizeof head);
  const std::span<const char> covered(block, at + entries.size() * sizeof(IndexEntry));
  IndexTail tail{};
  tail.checksum = crc32c(crc32c(seed, std::as_bytes(covered)), bytes_of(tail));
  std::memcpy(block + at + limit * sizeof(IndexEntry), &tail, sizeof tail);
}

class IndexedDirectory {
 public:
  IndexedDirectory(const std::vector<DirectoryItem>& items, const DirectoryPlace& place)
      : items_(items), place_(place), leaves_(spread(items, place.hash_seed)) {}

  std::string render() {
    const std::uint32_t nodes = leaves_.nodes();
    blocks_.assign((1 + nodes + leaves_.starts.size()) * kBlockBytes, '\0');
    std::vector<IndexEntry> entries;
    for (std::uint32_t leaf = 0; leaf < leaves_.starts.size(); ++leaf) {
      render_leaf(leaf, 1 + nodes + leaf);
      entries.push_back({leaf_hash(leaf), 1 + nodes + leaf});
    }
    if (nodes != 0) entries = render_nodes(entries);
    render_root(entries, nodes != 0 ? 1 : 0);
    return std::move(blocks_);
  }

 private:
  char* block(std::uint32_t n) { return blocks_.data() + n * kBlockBytes; }
  std::uint32_t leaf_end(std::uint32_t leaf) const {
    return leaf + 1 < leaves_.starts.size() ? leaves_.starts[leaf + 1] : static_cast<std::uint32_t>(items_.size());
  }

  void render_leaf(std::uint32_t leaf, std::uint32_t at) {
    Block out(block(at));
    for (std::uint32_t i = leaves_.starts[leaf]; i < leaf_end(leaf); ++i) {
      const DirectoryItem& item = items_[leaves_.order[i].item];
      out.add(item.inode, item.name, item.type);
    }
    out.finish(place_.checksum_seed);
  }

  /// A leaf's first hash; odd when names of that hash began in the leaf before.
  std::uint32_t leaf_hash(std::uint32_t leaf) const {
    const std::uint32_t first = leaves_.starts[leaf];
    const std::uint32_t hash = leaves_.order[first].hash.major;
    return first > 0 && leaves_.order[first - 1].hash.major == hash ? hash + 1 : hash;
  }

  /// The index blocks between root and leaves; the entries that the root has for them.
  std::vector<IndexEntry> render_nodes(const std::vector<IndexEntry>& leaves) {
    std::vector<IndexEntry> upper;
    for (std::size_t from = 0; from < leaves.size(); from += kNodeFill) {
      const std::size_t end = std::min(from + kNodeFill, leaves.size());
      const auto at = static_cast<std::uint32_t>(1 + upper.size());
      const DirectoryEntry empty{0, static_cast<std::uint16_t>(kBlockBytes), 0, 0};
      std::memcpy(block(at), &empty, sizeof empty);
      const auto first = leaves.begin() + static_cast<std::ptrdiff_t>(from);
      render_index(block(at), kNodeAt, kNodeLimit, {first, first + static_cast<std::ptrdiff_t>(end - from)},
                   place_.checksum_seed);
      upper.push_back({leaves[from].hash, at});
    }
    return upper;
  }

  void render_root(const std::vector<IndexEntry>& entries, std::uint8_t levels) {
    Block dots(block(0));
    dots.add(place_.self, ".", kDirectoryType);
    dots.add(place_.parent, "..", kDirectoryType);
    const le16 rest = static_cast<std::uint16_t>(kBlockBytes - kDotBytes);
    std::memcpy(block(0) + kDotBytes + offsetof(DirectoryEntry, bytes), &rest, sizeof rest);
    const IndexInfo info{0, kHashHalfMd4, sizeof(IndexInfo), levels, 0};
    std::memcpy(block(0) + 2 * kDotBytes, &info, sizeof info);
    render_index(block(0), kRootAt, kRootLimit, entries, place_.checksum_seed);
  }

  const std::vector<DirectoryItem>& items_;
  const DirectoryPlace& place_;
  Leaves leaves_;
  std::string blocks_;
};

std::string render_plain(const std::vector<DirectoryItem>& items, const DirectoryPlace& place) {
  std::string blocks(place.shape.blocks * kBlockBytes, '\0');
  Block out(blocks.data());
  out.add(place.self, ".", kDirectoryType);
  out.add(place.parent, "..", kDirectoryType);
  std::uint32_t at = 0;
  const auto next_block = [&] {
    out.finish(place.checksum_seed);
    out = Block(blocks.data() + ++at * kBlockBytes);
  };
  for (const DirectoryItem& item : items) {
    if (!out.has_room(item.name)) next_block();
    out.add(item.inode, item.name, item.type);
  }
  while (at + 1 < place.shape.blocks) next_block();
  out.finish(place.checksum_seed);
  return blocks;
}

}  // namespace

Result<DirectoryShape> directory_shape(const std::vector<Ext4Name>& entries, const Uuid& hash_seed, bool lasting) {
  const std::uint32_t plain = plain_blocks(entries);
  if (lasting) return DirectoryShape{std::max(plain, kLastingBlocks), false};
  if (plain == 1) return DirectoryShape{1, false};
  const Leaves leaves = spread(entries, hash_seed);
  if (leaves.nodes() > kRootLimit)
    return error(Errc::usage, "ext4 cannot hold {} names in one directory", entries.size());
  return DirectoryShape{static_cast<std::uint32_t>(1 + leaves.nodes() + leaves.starts.size()), true};
}

std::uint8_t entry_type(std::uint32_t mode) {
  switch (mode & S_IFMT) {
    case S_IFREG:
      return 1;
    case S_IFDIR:
      return kDirectoryType;
    case S_IFCHR:
      return 3;
    case S_IFBLK:
      return 4;
    case S_IFIFO:
      return 5;
    case S_IFSOCK:
      return 6;
    case S_IFLNK:
      return 7;
    default:
      return 0;
  }
}

std::string render_directory(const std::vector<DirectoryItem>& items, const DirectoryPlace& place) {
  std::string blocks = place.shape.indexed ? IndexedDirectory(items, place).render() : render_plain(items, place);
  assert(blocks.size() == place.shape.blocks * kBlockBytes);
  return blocks;
}

}  // namespace kiln::image::ext4
