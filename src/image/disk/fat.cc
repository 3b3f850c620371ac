#include "image/disk/fat.h"

#include <algorithm>
#include <cassert>
#include <ctime>
#include <map>

#include "base/units.h"
#include "image/disk/fat_names.h"

namespace kiln::image {

namespace {

constexpr std::uint32_t kReservedSectors = 32;
constexpr std::uint32_t kTables = 2;
constexpr std::uint32_t kFirstCluster = 2;
constexpr std::uint32_t kMinClusters = 65'525 + 16;  // fewer would be FAT16; readers differ by a few
constexpr std::uint32_t kMaxClusters = 0x0ffffff5 - 16;
constexpr std::uint32_t kEndOfChain = 0x0fffffff;
constexpr std::uint8_t kLabelBit = 0x08, kDirBit = 0x10, kArchiveBit = 0x20;
constexpr std::size_t kInfoSector = 1, kBackupSector = 6, kBootSectors = 8;
constexpr std::uint64_t kMaxFileBytes = 0xffffffff;
constexpr std::int64_t kFirstTime = 315'532'800;   // 1980-01-01
constexpr std::int64_t kLastTime = 4'354'819'199;  // 2107-12-31 23:59:59

struct BootSector {
  std::array<std::uint8_t, 3> jump = {0xeb, 0x58, 0x90};
  char maker[8] = {'K', 'I', 'L', 'N', ' ', ' ', ' ', ' '};
  le16 sector_bytes = kSectorBytes;
  std::uint8_t cluster_sectors = 0;
  le16 reserved_sectors = kReservedSectors;
  std::uint8_t tables = kTables;
  le16 root_entries = 0, sectors16 = 0;
  std::uint8_t media = 0xf8;
  le16 table_sectors16 = 0, track_sectors = 63, heads = 255;
  le32 hidden_sectors = 0, sectors = 0, table_sectors = 0;
  le16 flags = 0, version = 0;
  le32 root_cluster = kFirstCluster;
  le16 info_sector = kInfoSector, backup_sector = kBackupSector;
  std::array<std::uint8_t, 12> unused{};
  std::uint8_t drive = 0x80, unused2 = 0, extended = 0x29;
  le32 volume_id = 0;
  char label[11];
  char kind[8] = {'F', 'A', 'T', '3', '2', ' ', ' ', ' '};
  std::array<std::uint8_t, 2> code = {0xeb, 0xfe};  // nobody boots it; whoever does waits
  std::array<std::uint8_t, 418> rest{};
  std::array<std::uint8_t, 2> signature = {0x55, 0xaa};
};
static_assert(sizeof(BootSector) == kSectorBytes);

struct InfoSector {
  le32 lead = 0x41615252;
  std::array<std::uint8_t, 480> unused{};
  le32 signature = 0x61417272, free_clusters = 0, next_free = 0;
  std::array<std::uint8_t, 12> unused2{};
  le32 tail = 0xaa550000;
};
static_assert(sizeof(InfoSector) == kSectorBytes);

struct Geometry {
  std::uint32_t sectors = 0, cluster_sectors = 0, table_sectors = 0, clusters = 0;
  std::uint64_t cluster_bytes() const { return std::uint64_t{cluster_sectors} * kSectorBytes; }
  std::uint64_t offset_of(std::uint32_t cluster) const {
    return (kReservedSectors + std::uint64_t{kTables} * table_sectors) * kSectorBytes +
           (cluster - kFirstCluster) * cluster_bytes();
  }
};

/// How a volume of so many sectors is cut with clusters of a size: the smallest table that reaches them all.
Geometry cut(std::uint32_t sectors, std::uint32_t cluster_sectors) {
  Geometry g{sectors, cluster_sectors, 1, 0};
  for (;;) {
    g.clusters = (sectors - kReservedSectors - kTables * g.table_sectors) / cluster_sectors;
    const std::uint32_t needed = (g.clusters + kFirstCluster + 127) / 128;  // 4 bytes each
    if (needed <= g.table_sectors) return g;
    g.table_sectors = needed;
  }
}

/// The largest clusters up to 4 KiB with which it is still FAT32.
Result<Geometry> geometry_of(std::uint64_t bytes) {
  const std::uint64_t sectors = bytes / kSectorBytes;
  if (sectors < kMinClusters || sectors / 8 > kMaxClusters)
    return error(Errc::usage, "a FAT32 partition has from 34 MiB to 128 GiB, not {} bytes", bytes);
  Geometry g;
  for (std::uint32_t size = 8; size >= 1; size /= 2) {
    g = cut(static_cast<std::uint32_t>(sectors), size);
    if (g.clusters >= kMinClusters) return g;
  }
  return error(Errc::usage, "a FAT32 partition has at least 34 MiB, not {} bytes", bytes);
}

struct Node {
  const FatFile* file = nullptr;         // none for directories
  std::map<std::string, Node> children;  // sorted: the order on disk
  FatNames::Name name;
  std::uint32_t cluster = 0, clusters = 0;
  std::uint64_t bytes = 0;  // of a directory: of its entries
};

Result<> add_node(Node& root, const FatFile& file) {
  Node* at = &root;
  std::string_view left = file.path;
  while (!left.empty()) {
    const std::size_t cut_at = std::min(left.find('/'), left.size());
    at = &at->children[std::string(left.substr(0, cut_at))];
    left.remove_prefix(std::min(cut_at + 1, left.size()));
    if (at->file != nullptr) return error(Errc::corrupt, "{} is a file and a directory", file.path);
  }
  if (file.is_dir) return {};
  if (file.bytes > kMaxFileBytes) return error(Errc::corrupt, "{}: FAT holds files below 4 GiB", file.path);
  if (!at->children.empty()) return error(Errc::corrupt, "{} is a file and a directory", file.path);
  at->file = &file;
  at->bytes = file.bytes;
  return {};
}

/// Gives every node below one its alias, and directories their size. extra: entries that are no children.
Result<> name_children(Node& dir, std::size_t extra) {
  FatNames names;
  std::size_t entries = extra;
  for (auto& [name, child] : dir.children) {
    child.name = TRY(names.add(name));
    entries += child.name.entries();
    if (child.file == nullptr) TRY(name_children(child, 2).context("{}", name));
  }
  dir.bytes = entries * kFatEntryBytes;
  return {};
}

/// Clusters one after the other, a directory before what is in it.
void place(Node& node, const Geometry& g, std::uint64_t& next) {
  const std::uint64_t count = (node.bytes + g.cluster_bytes() - 1) / g.cluster_bytes();
  node.clusters = static_cast<std::uint32_t>(count);
  node.cluster = count == 0 ? 0 : static_cast<std::uint32_t>(next);
  next += count;
  for (auto& [name, child] : node.children) place(child, g, next);
}

struct Stamp {
  std::uint16_t date = 0, time = 0;
};

Stamp stamp_of(std::int64_t clock) {
  const std::time_t seconds = std::clamp(clock, kFirstTime, kLastTime);
  std::tm t{};
  ::gmtime_r(&seconds, &t);
  return {static_cast<std::uint16_t>(((t.tm_year - 80) << 9) | ((t.tm_mon + 1) << 5) | t.tm_mday),
          static_cast<std::uint16_t>((t.tm_hour << 11) | (t.tm_min << 5) | (t.tm_sec / 2))};
}

class FatWriter {
 public:
  FatWriter(const FatSpec& spec, const Geometry& geometry) : spec_(spec), g_(geometry), stamp_(stamp_of(spec.clock)) {}

  BlockImage image(const Node& root, std::uint32_t next) {
    add_boot_sectors(next);
    add_node_image(root, 0);
    const auto used = static_cast<std::size_t>(next);
    table_.resize(used);
    table_[0] = 0x0ffffff8;  // the media byte
    table_[1] = kEndOfChain;
    const std::string table(as_text(std::as_bytes(std::span(table_))));
    for (std::uint32_t i = 0; i < kTables; ++i) {
      parts_.push_back({(kReservedSectors + std::uint64_t{i} * g_.table_sectors) * kSectorBytes, image_from(table)});
    }
    return compose(spec_.bytes, std::move(parts_));
  }

 private:
  void add_boot_sectors(std::uint32_t next) {
    BootSector boot;
    boot.cluster_sectors = static_cast<std::uint8_t>(g_.cluster_sectors);
    boot.hidden_sectors = static_cast<std::uint32_t>(spec_.first_sector);
    boot.sectors = g_.sectors;
    boot.table_sectors = g_.table_sectors;
    boot.volume_id = spec_.volume_id;
    fmt::format("{:<11}", spec_.label).copy(boot.label, sizeof boot.label);
    InfoSector info;
    info.free_clusters = g_.clusters - (next - kFirstCluster);
    info.next_free = next;
    std::string sectors(kBootSectors * kSectorBytes, '\0');
    for (const std::size_t at : {std::size_t{0}, kBackupSector}) {
      sectors.replace(at * kSectorBytes, kSectorBytes, as_text(bytes_of(boot)));
      sectors.replace((at + kInfoSector) * kSectorBytes, kSectorBytes, as_text(bytes_of(info)));
    }
    parts_.push_back({0, image_from(std::move(sectors))});
  }

  /// The entry of what starts at a cluster.
  FatShortEntry entry(std::string_view alias, std::uint8_t attributes, std::uint32_t cluster, std::uint64_t bytes) {
    FatShortEntry e;
    alias.copy(e.name, sizeof e.name);
    e.attributes = attributes;
    e.created_date = e.accessed_date = e.date = stamp_.date;
    e.created_time = e.time = stamp_.time;
    e.cluster_high = static_cast<std::uint16_t>(cluster >> 16);
    e.cluster_low = static_cast<std::uint16_t>(cluster & 0xffff);
    e.bytes = static_cast<std::uint32_t>(bytes);
    return e;
  }

  std::string entries_of(const Node& dir, std::uint32_t parent) {
    std::string text;
    const auto put = [&text](const auto& e) { text += as_text(bytes_of(e)); };
    if (dir.cluster == kFirstCluster) {
      put(entry(fmt::format("{:<11}", spec_.label), kLabelBit, 0, 0));
    } else {
      put(entry(".          ", kDirBit, dir.cluster, 0));
      put(entry("..         ", kDirBit, parent == kFirstCluster ? 0 : parent, 0));
    }
    for (const auto& [name, child] : dir.children) {
      for (const FatLongEntry& part : child.name.rest) put(part);
      const bool is_dir = child.file == nullptr;
      put(entry(child.name.alias, is_dir ? kDirBit : kArchiveBit, child.cluster, is_dir ? 0 : child.bytes));
    }
    return text;
  }

  void add_node_image(const Node& node, std::uint32_t parent) {
    for (std::uint32_t i = 0; i < node.clusters; ++i) {
      table_.resize(node.cluster + i + 1);
      table_[node.cluster + i] = i + 1 == node.clusters ? kEndOfChain : node.cluster + i + 1;
    }
    if (node.clusters > 0)
      parts_.push_back({g_.offset_of(node.cluster),
                        node.file == nullptr ? image_from(entries_of(node, parent)) : content(*node.file)});
    for (const auto& [name, child] : node.children) add_node_image(child, node.cluster);
  }

  static BlockImage content(const FatFile& file) {
    BlockImage image{file.bytes, {{0, file.bytes}}, {}};
    image.pour = [open = file.open, path = file.path](Sink& out, const Cancel& cancel) -> Result<> {
      const auto source = TRY(open().context("{}", path));
      TRY(cancel.check());
      TRY(copy_all(*source, out).context("{}", path));
      return {};
    };
    return image;
  }

  const FatSpec& spec_;
  const Geometry g_;
  const Stamp stamp_;
  std::vector<le32> table_;
  std::vector<ImagePart> parts_;
};

}  // namespace

Result<BlockImage> lay_out_fat(const FatSpec& spec, const std::vector<FatFile>& files) {
  assert(spec.label.size() <= sizeof(FatShortEntry::name));
  const Geometry geometry = TRY(geometry_of(spec.bytes));
  Node root;
  for (const FatFile& file : files) TRY(add_node(root, file));
  TRY(name_children(root, 1));
  std::uint64_t next = kFirstCluster;
  place(root, geometry, next);
  const std::uint64_t used = next - kFirstCluster;
  if (used > geometry.clusters)
    return error(Errc::no_space, "{} MiB of files do not fit into a FAT file system of {} MiB",
                 (used * geometry.cluster_bytes() + kMiB - 1) / kMiB, spec.bytes / kMiB);
  return FatWriter(spec, geometry).image(root, static_cast<std::uint32_t>(next));
}

}  // namespace kiln::image
