#include "image/disk/frame.h"

#include <cassert>

#include "image/disk/gpt.h"
#include "image/disk/grub.h"
#include "tree/tree.h"

namespace kiln::image {

namespace {

// Places and numbers as Debian's cloud images have them, in sectors. The root is physically last, so that it can grow.
constexpr std::uint64_t kBiosFirst = 2048, kBiosSectors = 6144;
constexpr std::uint64_t kEfiFirst = 8192, kEfiSectors = 253'952;
constexpr std::uint64_t kRootFirst = 262'144;
constexpr std::uint64_t kRootStep = 8;  // whole 4 KiB
constexpr unsigned kRootNumber = 1, kBiosNumber = 14, kEfiNumber = 15;

constexpr std::string_view kGrubFolder = "boot/grub/i386-pc/";
constexpr std::uint64_t kMaxGrubFile = 4 << 20;

std::uint32_t volume_id(const Digest& seed) {
  const Uuid id = derive_uuid(seed, "efi volume");
  std::uint32_t number = 0;
  for (std::size_t i = 0; i < 4; ++i) number = (number << 8) | id.bytes[i];
  return number;
}

Result<std::string> grub_file(const DiskSpec& spec, std::string_view name) {
  const std::string path = std::string(kGrubFolder) + std::string(name);
  auto content = TRY(tree::read_merged(spec.layers, path, kMaxGrubFile).context("/{}", path));
  if (!content)
    return error(Errc::not_found, "/{} is not in the tree, so no BIOS machine could boot it; the package {} brings it",
                 path, "grub-pc-bin");
  return std::move(*content);
}

Result<DiskPartition> partition(const DiskSpec& spec, unsigned number, std::string name, std::string_view type,
                                std::uint64_t first, std::uint64_t sectors) {
  const Uuid type_id = TRY(parse_uuid(type));
  return DiskPartition{number, std::move(name), first, sectors, type_id, partition_uuid(spec.seed, number)};
}

Result<std::vector<DiskPartition>> partitions_of(const DiskSpec& spec, std::uint64_t disk_bytes) {
  std::vector<DiskPartition> all;
  if (spec.bios) all.push_back(TRY(partition(spec, kBiosNumber, "bios", kBiosBootType, kBiosFirst, kBiosSectors)));
  if (spec.efi) all.push_back(TRY(partition(spec, kEfiNumber, "efi", kEfiSystemType, kEfiFirst, kEfiSectors)));
  const std::uint64_t sectors = root_place(disk_bytes).bytes / kSectorBytes;
  all.push_back(TRY(partition(spec, kRootNumber, "root", kLinuxRootType, kRootFirst, sectors)));
  return all;
}

/// boot.img into the first sector of the tables, core.img as a part of its own.
Result<> add_grub(const DiskSpec& spec, std::string& tables, std::vector<ImagePart>& parts) {
  GrubFiles files;
  files.boot = TRY(grub_file(spec, "boot.img"));
  files.core = TRY(grub_file(spec, "core.img"));
  std::string sector0 = tables.substr(0, kSectorBytes);
  TRY(embed_boot_image(files, kBiosFirst, sector0).context("/{}boot.img", kGrubFolder));
  tables.replace(0, kSectorBytes, sector0);
  std::string core = TRY(placed_core_image(files, kBiosFirst, kBiosSectors).context("/{}core.img", kGrubFolder));
  parts.push_back({kBiosFirst * kSectorBytes, image_from(std::move(core))});
  return {};
}

Result<> add_efi(const DiskSpec& spec, std::vector<ImagePart>& parts) {
  const FatSpec fat{kEfiSectors * kSectorBytes, kEfiFirst, volume_id(spec.seed), "EFI", spec.clock};
  const auto files = TRY(efi_files(spec.layers));
  BlockImage image = TRY(lay_out_fat(fat, files).context("/boot/efi"));
  parts.push_back({kEfiFirst * kSectorBytes, std::move(image)});
  return {};
}

}  // namespace

Uuid partition_uuid(const Digest& seed, unsigned number) {
  return derive_uuid(seed, fmt::format("partition {}", number));
}

std::string efi_volume_id(const Digest& seed) {
  const std::uint32_t id = volume_id(seed);
  return fmt::format("{:04X}-{:04X}", id >> 16, id & 0xffff);
}

Extent root_place(std::uint64_t disk_bytes) {
  const std::uint64_t end = (disk_bytes / kSectorBytes - kGptSectors) / kRootStep * kRootStep;
  assert(end > kRootFirst);
  return {kRootFirst * kSectorBytes, (end - kRootFirst) * kSectorBytes};
}

Result<Disk> frame_disk(const DiskSpec& spec, std::uint64_t disk_bytes, BlockImage root) {
  Disk disk;
  disk.partitions = TRY(partitions_of(spec, disk_bytes));
  const GptSpec gpt{disk_bytes / kSectorBytes, derive_uuid(spec.seed, "disk"), disk.partitions};
  std::string tables = render_primary_gpt(gpt);
  std::vector<ImagePart> parts;
  if (spec.bios) TRY(add_grub(spec, tables, parts));
  if (spec.efi) TRY(add_efi(spec, parts));
  const Extent place = root_place(disk_bytes);
  assert(root.bytes <= place.bytes);
  parts.push_back({place.offset, std::move(root)});
  parts.push_back({0, image_from(std::move(tables))});
  parts.push_back({disk_bytes - kGptSectors * kSectorBytes, image_from(render_backup_gpt(gpt))});
  disk.image = compose(disk_bytes, std::move(parts));
  return disk;
}

}  // namespace kiln::image
