#include "image/disk/gpt.h"

#include <zlib.h>

#include <algorithm>
#include <cassert>

#include "image/disk/gpt_format.h"

namespace kiln::image {

namespace {

constexpr std::size_t kEntries = 128;
constexpr std::uint64_t kFirstUsable = kGptSectors + 1;

std::string text_of(std::span<const std::byte> bytes) {
  return std::string(as_text(bytes));
}

std::uint32_t crc_of(std::string_view bytes) {
  return gpt_crc(as_bytes(bytes));
}

/// A disk of 2 TiB or more has the largest number there is.
std::string render_protective_mbr(std::uint64_t disk_sectors) {
  const std::uint64_t covered = std::min<std::uint64_t>(disk_sectors - 1, 0xffffffff);
  MbrPartition whole;
  whole.first_chs = {0x00, 0x02, 0x00};
  whole.type = 0xee;
  whole.last_chs = {0xff, 0xff, 0xff};
  whole.first_sector = 1;
  whole.sectors = static_cast<std::uint32_t>(covered);
  std::string mbr(kSectorBytes, '\0');
  mbr.replace(kMbrPartitionAt, sizeof whole, text_of(bytes_of(whole)));
  mbr.replace(kSectorBytes - 2, 2, "\x55\xaa");
  return mbr;
}

std::string render_entries(const GptSpec& spec) {
  std::array<GptEntry, kEntries> entries;
  for (const DiskPartition& p : spec.partitions) {
    assert(p.number >= 1 && p.number <= kEntries && p.sectors > 0);
    assert(p.first_sector >= kFirstUsable && p.first_sector + p.sectors <= spec.disk_sectors - kGptSectors);
    GptEntry& entry = entries[p.number - 1];
    entry.type = mixed_endian(p.type);
    entry.id = mixed_endian(p.id);
    entry.first_sector = p.first_sector;
    entry.last_sector = p.first_sector + p.sectors - 1;
    assert(p.name.size() <= entry.name.size());
    std::copy(p.name.begin(), p.name.end(), entry.name.begin());
  }
  return text_of(bytes_of(entries));
}

std::string render_header(const GptSpec& spec, std::string_view entries, bool is_backup) {
  const std::uint64_t last = spec.disk_sectors - 1;
  GptHeader header;
  header.own_sector = is_backup ? last : 1;
  header.other_sector = is_backup ? 1 : last;
  header.first_usable = kFirstUsable;
  header.last_usable = last - kGptSectors;
  header.disk_id = mixed_endian(spec.disk_id);
  header.entries_sector = is_backup ? spec.disk_sectors - kGptSectors : 2;
  header.entry_count = kEntries;
  header.entry_bytes = sizeof(GptEntry);
  header.entries_crc = crc_of(entries);
  header.header_crc = crc_of(as_text(bytes_of(header)));
  std::string sector = text_of(bytes_of(header));
  sector.resize(kSectorBytes, '\0');
  return sector;
}

}  // namespace

std::uint32_t gpt_crc(std::span<const std::byte> bytes) {
  return static_cast<std::uint32_t>(
      ::crc32(0, reinterpret_cast<const Bytef*>(bytes.data()), static_cast<uInt>(bytes.size())));
}

std::string render_primary_gpt(const GptSpec& spec) {
  const std::string entries = render_entries(spec);
  return render_protective_mbr(spec.disk_sectors) + render_header(spec, entries, false) + entries;
}

std::string render_backup_gpt(const GptSpec& spec) {
  const std::string entries = render_entries(spec);
  return entries + render_header(spec, entries, true);
}

}  // namespace kiln::image
