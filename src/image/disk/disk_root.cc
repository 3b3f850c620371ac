// Disks as bases: which part of a disk is the root file system, and its tree as a directory.
#include <algorithm>
#include <array>
#include <tuple>

#include "base/text.h"
#include "image/base_disk.h"
#include "image/disk/ext4_unpack.h"
#include "image/disk/partitions.h"

namespace kiln::image {

namespace {

struct Mark {
  std::uint64_t offset;
  std::string_view bytes, name;
  bool can_be_root;
};
constexpr std::string_view kExt4 = "ext4";
constexpr std::array<Mark, 11> kMarks = {{{0, "LUKS\xba\xbe", "LUKS", true},
                                          {0, "LABELONE", "LVM", true},
                                          {512, "LABELONE", "LVM", true},
                                          {1024, "LABELONE", "LVM", true},
                                          {1536, "LABELONE", "LVM", true},
                                          {0, "XFSB", "XFS", true},
                                          {0x10040, "_BHRfS_M", "btrfs", true},
                                          {0, "hsqs", "squashfs", true},
                                          {1024, "\x10\x20\xf5\xf2", "F2FS", true},
                                          {4086, "SWAPSPACE2", "swap", false},
                                          {1080, "\x53\xef", kExt4, true}}};

/// What is in a partition, by its first bytes; empty where nothing is known.
Result<std::string_view> content_of(BlockReader& part) {
  for (const Mark& mark : kMarks) {
    std::array<std::byte, 16> found{};
    const auto bytes = std::span(found).first(mark.bytes.size());
    if (mark.offset + bytes.size() > part.bytes()) continue;
    TRY(part.read(mark.offset, bytes));
    if (as_text(bytes) == mark.bytes) return mark.name;
  }
  return std::string_view();
}

std::string described(const FoundPartition& p, std::string_view content) {
  const std::string what = content.empty() ? std::string("unknown content") : std::string(content);
  if (p.number == 0) return fmt::format("the whole disk ({})", what);
  const std::string name = p.name.empty() ? std::string() : fmt::format(" '{}'", visible(p.name));
  return fmt::format("partition {}{} ({}, {})", p.number, name, what, human_bytes(p.bytes));
}

bool is_other_root(std::string_view content) {
  const auto has_name = [&](const Mark& m) { return m.name == content; };
  const auto at = std::find_if(kMarks.begin(), kMarks.end(), has_name);
  return at != kMarks.end() && at->can_be_root && content != kExt4;
}

struct Candidate {
  FoundPartition partition;
  bool has_system = false;  // it has /etc/os-release
};

bool is_system(BlockReader& part) {
  const auto reader = Ext4Reader::open(part);
  if (!reader) return false;  // said when it is the one
  const auto etc = (*reader)->find(Ext4Reader::kRoot, "etc");
  if (!etc || !*etc) return false;
  const auto release = (*reader)->find(**etc, "os-release");
  return release && *release;
}

/// Whether a is the better root: one with an operating system, then one of the type for roots, then the larger one.
bool is_better(const Candidate& a, const Candidate& b) {
  const auto rank = [](const Candidate& c) {
    const bool is_root_type = c.partition.type == kLinuxRootType;
    const bool is_linux_type = c.partition.type == kLinuxDataType || c.partition.type == "0x83";
    return std::tuple(c.has_system, is_root_type, is_root_type || is_linux_type, c.partition.bytes);
  };
  return rank(a) > rank(b);
}

struct Parts {
  std::vector<Candidate> roots;     // ext4, the best first
  std::vector<std::string> others;  // described: could be roots if they could be read
  std::vector<std::string> all;     // described
};

Result<Parts> look_at(BlockReader& disk, const PartitionTable& table) {
  Parts parts;
  for (const FoundPartition& p : table.partitions) {
    const auto part = part_of(disk, p.offset, p.bytes);
    const std::string_view content = TRY(content_of(*part));
    parts.all.push_back(described(p, content));
    if (content == kExt4) parts.roots.push_back({p, is_system(*part)});
    if (is_other_root(content)) parts.others.push_back(parts.all.back());
  }
  std::stable_sort(parts.roots.begin(), parts.roots.end(), is_better);
  return parts;
}

Result<FoundPartition> choose(const Parts& parts) {
  const bool has_system = !parts.roots.empty() && parts.roots.front().has_system;
  if (!has_system && !parts.others.empty()) {
    return error(Errc::bad_template, "its root may be {}, not supported yet: raw and qcow2 disks with an ext4 root are",
                 join(parts.others, " or "));
  }
  if (!parts.roots.empty()) return parts.roots.front().partition;
  return error(Errc::bad_template, "it has no ext4 file system, which its root must be: {}",
               parts.all.empty() ? "its partition table is empty" : join(parts.all, ", "));
}

/// Which root was taken, where another one could be meant.
std::vector<std::string> notes_of(const Parts& parts, const PartitionTable& table) {
  std::vector<std::string> notes, also;
  if (!table.note.empty()) notes.push_back(table.note);
  for (std::size_t i = 1; i < parts.roots.size(); ++i) {
    if (parts.roots[i].has_system == parts.roots[0].has_system)
      also.push_back(described(parts.roots[i].partition, kExt4));
  }
  const std::string taken = described(parts.roots[0].partition, kExt4);
  notes.push_back(also.empty() ? fmt::format("root: {}", taken)
                               : fmt::format("root: {}; not taken: {}", taken, join(also, ", ")));
  return notes;
}

}  // namespace

Result<DiskRoot> unpack_disk(const fs::path& file, const fs::path& tree, const Limits& limits, const Cancel& cancel) {
  constexpr std::uint64_t kRatio = 1000, kAlways = std::uint64_t{64} << 20;  // hardening section 3
  std::error_code ec;
  const std::uint64_t file_bytes = fs::file_size(file, ec);
  const auto disk = TRY(open_disk_file(file));
  const PartitionTable table = TRY(read_partition_table(*disk));
  const Parts parts = TRY(look_at(*disk, table));
  const FoundPartition root = TRY(choose(parts));
  const auto part = part_of(*disk, root.offset, root.bytes);
  const auto bomb = ec || file_bytes > limits.layer_bytes / kRatio ? limits.layer_bytes : file_bytes * kRatio;
  const auto unpack = [&]() -> Result<std::uint64_t> {
    const auto reader = TRY(Ext4Reader::open(*part));
    return unpack_ext4(*reader, tree, limits, std::max(bomb, kAlways), cancel);
  };
  const std::uint64_t entries = TRY(unpack().context("{}", described(root, kExt4)));
  return DiskRoot{entries, notes_of(parts, table)};
}

}  // namespace kiln::image
