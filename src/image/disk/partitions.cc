#include "image/disk/partitions.h"

#include <algorithm>
#include <cstddef>
#include <optional>

#include "image/disk/gpt_format.h"

namespace kiln::image {

namespace {

constexpr std::uint8_t kProtective = 0xee;
constexpr std::uint32_t kMaxEntries = 1024, kMaxEntryBytes = 4096;  // 128 entries of 128 bytes are what tools write
constexpr unsigned kFirstLogical = 5, kMaxLogical = 128;
constexpr std::uint64_t kLargeSector = 4096;

using Sector = std::array<std::byte, kSectorBytes>;
using MbrTable = std::array<MbrPartition, kMbrPartitions>;

bool is_extended(const MbrPartition& p) {
  return p.type == 0x05 || p.type == 0x0f || p.type == 0x85;
}

/// The four partitions of a boot sector, where it has its mark.
std::optional<MbrTable> mbr_of(const Sector& sector) {
  if (as_text(std::span(sector).last(2)) != "\x55\xaa") return std::nullopt;
  MbrTable table;
  std::copy_n(sector.data() + kMbrPartitionAt, sizeof table, reinterpret_cast<std::byte*>(table.data()));
  return table;
}

/// A file system's boot sector has the same mark, and code or text where a table would be.
bool is_plausible(const MbrTable& table) {
  const auto is_used = [](const MbrPartition& p) { return p.type != 0 && p.sectors != 0; };
  const auto is_fine = [](const MbrPartition& p) { return p.status == 0 || p.status == 0x80; };
  return std::all_of(table.begin(), table.end(), is_fine) && std::any_of(table.begin(), table.end(), is_used);
}

Result<FoundPartition> placed(const BlockReader& disk, FoundPartition p, std::uint64_t sector_bytes,
                              std::uint64_t first, std::uint64_t sectors) {
  const std::uint64_t disk_sectors = disk.bytes() / sector_bytes;
  if (first >= disk_sectors || sectors > disk_sectors - first) {
    return error(
        Errc::corrupt,
        "partition {} is said to be {} sectors from sector {} on, and the disk has {}: its file is cut off, or "
        "the table damaged",
        p.number, sectors, first, disk_sectors);
  }
  p.offset = first * sector_bytes;
  p.bytes = sectors * sector_bytes;
  return p;
}

// ---- MBR ----

/// Logical partitions: each boot sector of the chain has one partition, placed from there, and the next of the chain,
/// placed from where the extended partition begins.
Result<> read_logical(BlockReader& disk, const MbrPartition& extended, std::vector<FoundPartition>& found) {
  const std::uint64_t start = extended.first_sector, sectors = extended.sectors;
  std::uint64_t at = 0;
  for (unsigned i = 0; i <= kMaxLogical; ++i) {
    const auto table = mbr_of(TRY(read_struct<Sector>(disk, (start + at) * kSectorBytes)));
    if (!table) return error(Errc::corrupt, "sector {} should have a logical partition and has none", start + at);
    const MbrPartition& own = (*table)[0];
    if (own.type != 0 && own.sectors != 0 && !is_extended(own)) {
      FoundPartition p{.number = kFirstLogical + i, .type = fmt::format("{:#04x}", own.type)};
      found.push_back(TRY(placed(disk, std::move(p), kSectorBytes, start + at + own.first_sector, own.sectors)));
    }
    const MbrPartition& next = (*table)[1];
    if (!is_extended(next) || next.sectors == 0) return {};
    at = next.first_sector;
    if (at >= sectors) return error(Errc::corrupt, "the chain of logical partitions leads out of the extended one");
  }
  return error(Errc::corrupt, "more than {} logical partitions, or a circle of them", kMaxLogical);
}

Result<std::vector<FoundPartition>> read_mbr(BlockReader& disk, const MbrTable& table) {
  std::vector<FoundPartition> found, logical;
  bool has_extended = false;
  for (unsigned i = 0; i < kMbrPartitions; ++i) {
    const MbrPartition& p = table[i];
    if (p.type == 0 || p.sectors == 0) continue;
    if (is_extended(p)) {
      if (std::exchange(has_extended, true)) return error(Errc::corrupt, "more than one extended partition");
      TRY(read_logical(disk, p, logical));
      continue;
    }
    FoundPartition named{.number = i + 1, .type = fmt::format("{:#04x}", p.type)};
    found.push_back(TRY(placed(disk, std::move(named), kSectorBytes, p.first_sector, p.sectors)));
  }
  std::move(logical.begin(), logical.end(), std::back_inserter(found));
  return found;
}

// ---- GPT ----

struct Gpt {
  std::uint64_t sector_bytes = kSectorBytes;
  GptHeader header;
  std::vector<std::byte> entries;
};

bool has_signature(const GptHeader& header) {
  return std::string_view(header.signature, sizeof header.signature) == "EFI PART";
}

/// The header that stands at a sector, with its checksum right.
Result<GptHeader> read_header(BlockReader& disk, std::uint64_t sector_bytes, std::uint64_t sector) {
  std::vector<std::byte> bytes(sector_bytes);
  TRY(disk.read(sector * sector_bytes, bytes));
  GptHeader header;
  std::copy_n(bytes.data(), sizeof header, reinterpret_cast<std::byte*>(&header));
  if (!has_signature(header)) return error(Errc::corrupt, "no header");
  if (header.header_bytes < sizeof header || header.header_bytes > sector_bytes) {
    return error(Errc::corrupt, "a header of {} bytes", std::uint32_t{header.header_bytes});
  }
  std::fill_n(bytes.begin() + offsetof(GptHeader, header_crc), sizeof header.header_crc, std::byte{0});
  if (gpt_crc(std::span(bytes).first(header.header_bytes)) != header.header_crc) {
    return error(Errc::corrupt, "the header's checksum is wrong");
  }
  if (header.own_sector != sector) {
    return error(Errc::corrupt, "a header that belongs to sector {}", std::uint64_t{header.own_sector});
  }
  return header;
}

Result<Gpt> read_gpt_at(BlockReader& disk, std::uint64_t sector_bytes, std::uint64_t sector) {
  Gpt gpt{.sector_bytes = sector_bytes, .header = TRY(read_header(disk, sector_bytes, sector)), .entries = {}};
  const GptHeader& header = gpt.header;
  const std::uint32_t count = header.entry_count, each = header.entry_bytes;
  if (count > kMaxEntries || each < sizeof(GptEntry) || each > kMaxEntryBytes || each % 8 != 0) {
    return error(Errc::corrupt, "{} entries of {} bytes", count, each);
  }
  if (header.entries_sector > disk.bytes() / sector_bytes) {
    return error(Errc::corrupt, "its entries stand outside the disk");
  }
  gpt.entries.resize(std::size_t{count} * each);
  TRY(disk.read(header.entries_sector * sector_bytes, gpt.entries));
  if (gpt_crc(gpt.entries) != header.entries_crc) return error(Errc::corrupt, "the entries' checksum is wrong");
  return gpt;
}

/// The table behind the protective boot sector, or else its copy at the end of the disk. Sectors are of 512 bytes, or
/// of 4 KiB where a header stands as if they were.
Result<Gpt> read_gpt(BlockReader& disk, std::string& note) {
  const auto as_large = disk.bytes() >= 2 * kLargeSector ? read_struct<GptHeader>(disk, kLargeSector)
                                                         : Result<GptHeader>(GptHeader{.signature = {}});
  const auto as_small = read_struct<GptHeader>(disk, kSectorBytes);
  const bool is_large = as_large && has_signature(*as_large) && !(as_small && has_signature(*as_small));
  const std::uint64_t sector_bytes = is_large ? kLargeSector : kSectorBytes;
  auto primary = read_gpt_at(disk, sector_bytes, 1);
  if (primary) return primary;
  auto backup = read_gpt_at(disk, sector_bytes, disk.bytes() / sector_bytes - 1);
  if (!backup) {
    return error(Errc::corrupt,
                 "its GPT is damaged at the beginning ({}) and at the end ({}): repair it first, with gdisk for one",
                 primary.error().text(), backup.error().text());
  }
  note = fmt::format("its GPT is damaged at the beginning ({}): the copy at the end is used", primary.error().text());
  return backup;
}

std::string name_of(const GptEntry& entry) {
  std::string name;
  for (const std::uint16_t unit : entry.name) {
    if (unit == 0) break;
    name += unit >= ' ' && unit <= '~' ? static_cast<char>(unit) : '?';
  }
  return name;
}

Result<std::vector<FoundPartition>> partitions_of(const BlockReader& disk, const Gpt& gpt) {
  std::vector<FoundPartition> found;
  const std::uint32_t each = gpt.header.entry_bytes;
  for (std::uint32_t i = 0; i < gpt.header.entry_count; ++i) {
    GptEntry entry;
    std::copy_n(gpt.entries.data() + std::size_t{i} * each, sizeof entry, reinterpret_cast<std::byte*>(&entry));
    if (entry.type == decltype(entry.type){}) continue;
    const std::uint64_t first = entry.first_sector, last = entry.last_sector;
    if (first > last || last == ~std::uint64_t{0}) {
      return error(Errc::corrupt, "partition {} ends before it begins", i + 1);
    }
    FoundPartition p{.number = i + 1, .type = Uuid{mixed_endian(Uuid{entry.type})}.text(), .name = name_of(entry)};
    found.push_back(TRY(placed(disk, std::move(p), gpt.sector_bytes, first, last - first + 1)));
  }
  return found;
}

}  // namespace

Result<PartitionTable> read_partition_table(BlockReader& disk) {
  PartitionTable table;
  if (disk.bytes() < 2 * kSectorBytes) return error(Errc::corrupt, "a disk of {} bytes", disk.bytes());
  const auto mbr = mbr_of(TRY(read_struct<Sector>(disk, 0)));
  const auto is_protective = [](const MbrPartition& p) { return p.type == kProtective; };
  const bool is_protected = mbr && std::any_of(mbr->begin(), mbr->end(), is_protective);
  const bool has_mbr = mbr && is_plausible(*mbr);
  if (is_protected || (!has_mbr && read_gpt_at(disk, kSectorBytes, 1))) {
    const Gpt gpt = TRY(read_gpt(disk, table.note));
    table.partitions = TRY(partitions_of(disk, gpt));
  } else if (has_mbr) {
    table.partitions = TRY(read_mbr(disk, *mbr));
  } else {
    table.partitions.push_back({.number = 0, .offset = 0, .bytes = disk.bytes()});
  }
  return table;
}

}  // namespace kiln::image
