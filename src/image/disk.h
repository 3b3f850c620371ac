// Disk images: the door to image/disk/. From the layers of a tree to a GPT disk that boots under BIOS and UEFI, and the
// writers of the disk formats. No root, no loop device, no merged directory; the image is never in memory. Everything
// is a function of the layers and the spec: two runs give equal bytes. Layout: docs/formats/disk.md.
#pragma once

#include <memory>

#include "image/disk/block_image.h"
#include "image/disk/uuid.h"

namespace kiln::image {

// ---- The disk ----

struct DiskSpec {
  /// Oldest first, in overlay form; they stay unchanged as long as the Disk lives. The newest one holds what makes the
  /// tree boot: /etc/fstab, /boot/grub/grub.cfg, for BIOS /boot/grub/i386-pc/{boot,core}.img, for UEFI the files of
  /// /boot/efi, which become the EFI system partition.
  std::vector<fs::path> layers;
  std::uint64_t bytes = 0;  // 0: what the tree needs x 1.25 + 256 MiB, rounded up to a GiB; else whole MiB
  Uuid root_uuid;           // of the root file system; what fstab, grub.cfg and core.img say
  Digest seed;              // all other ids of the disk come from it
  std::int64_t clock = 0;   // seconds since 1970: when the file systems were made (SOURCE_DATE_EPOCH)
  bool bios = true, efi = true;
  std::string earlier;  // Disk::block_map of an earlier disk of the same thing, most of whose blocks stay as they were
};

struct DiskPartition {
  unsigned number = 0;  // as in /dev/sda1
  std::string name;
  std::uint64_t first_sector = 0, sectors = 0;  // of 512 bytes
  Uuid type, id;
  bool operator==(const DiskPartition&) const = default;
};

/// A disk that is decided and not yet written. Copies share what they read from; several writers may use one at once.
struct Disk {
  BlockImage image;
  std::vector<DiskPartition> partitions;  // by place on the disk
  std::vector<fs::path> layers;           // of the spec: what formats of the tree itself read
  std::string block_map;                  // for DiskSpec::earlier of the next one
  std::uint64_t data_bytes() const;       // what a writer reads: the total that progress is told of
};

/// Errors: Errc::no_space when the tree does not fit (says how many GiB it needs) or an EFI file is too much for its
/// partition; Errc::not_found for a boot file that is missing (names it and the Debian package that brings it);
/// Errc::corrupt for a boot file that is not what it should be; Errc::usage for a size that is no whole MiB.
Result<Disk> lay_out_disk(const DiskSpec& spec);

/// What fstab may name before there is a disk: the ids that partitions of a disk with this seed have.
Uuid partition_uuid(const Digest& seed, unsigned number);  // PARTUUID= of 1 (root), 14 (BIOS boot), 15 (EFI)
std::string efi_volume_id(const Digest& seed);             // UUID= of the EFI system partition: "1A2B-3C4D"

// ---- Formats ----

/// What a writer writes to: front to back, and at the end it may replace bytes that it wrote before.
class DiskOutput : public Sink {
 public:
  virtual Result<> patch(std::uint64_t offset, std::span<const std::byte> bytes) = 0;
};

struct DiskWriting {
  unsigned threads = 1;  // that compress, where the format does
  const Cancel& cancel;
  std::function<void(std::uint64_t done_bytes)> progress = {};  // of Disk::data_bytes(); from the calling thread
};

class DiskWriter;

struct DiskFormat {
  std::string_view name;    // "raw", "qcow2" ...
  std::string_view suffix;  // of the file, with its dot; no two formats have the same
  Result<std::unique_ptr<DiskWriter>> (*start)(const Disk& disk, DiskOutput& out, const DiskWriting& how);
  enum class Of : std::uint8_t { disk, tree } of = Of::disk;  // what the file holds
};

/// All of them; one line each in disk/formats.cc.
std::span<const DiskFormat> disk_formats();

/// Errc::usage names the formats there are.
Result<const DiskFormat*> find_disk_format(std::string_view name);

/// Writes a disk in one format. Errc::usage, and nothing written, when the format cannot hold a disk of that size.
Result<> write_disk(const Disk& disk, const DiskFormat& format, DiskOutput& out, const DiskWriting& how);

struct DiskTarget {
  const DiskFormat* format = nullptr;
  fs::path path;
};

/// Writes a disk as files, all in one pass over it, each on a thread of its own; what several formats have in common is
/// compressed once. Each file's bytes are those that it has when written alone. The files get their final names when
/// all are whole; an error leaves none of them. Returns their apparent sizes in bytes.
Result<std::vector<std::uint64_t>> write_disk_files(const Disk& disk, std::span<const DiskTarget> targets,
                                                    const DiskWriting& how);

}  // namespace kiln::image
