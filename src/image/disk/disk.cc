// From a tree to a disk: how large it is, its root file system, and the frame around it.
#include "base/units.h"
#include "image/disk/ext4.h"
#include "image/disk/first_read.h"
#include "image/disk/frame.h"

namespace kiln::image {

namespace {

/// What a disk has besides its root file system: the partitions before it and the second table, rounded up.
constexpr std::uint64_t kFrameBytes = 129 * kMiB;

std::uint64_t whole_gib(std::uint64_t bytes) {
  return (bytes + kGiB - 1) / kGiB;
}

/// root_bytes: what the root file system needs at least.
Result<std::uint64_t> size_of(const DiskSpec& spec, std::uint64_t root_bytes) {
  if (spec.bytes == 0) return whole_gib(root_bytes + root_bytes / 4 + 256 * kMiB) * kGiB;
  if (spec.bytes % kMiB != 0) return error(Errc::usage, "a disk has whole MiB, not {} bytes", spec.bytes);
  if (spec.bytes >= root_bytes + kFrameBytes) return spec.bytes;
  return error(Errc::no_space, "the tree does not fit into a disk of {} MiB: it needs {} GiB", spec.bytes / kMiB,
               whole_gib(root_bytes + kFrameBytes));
}

}  // namespace

Result<Disk> lay_out_disk(const DiskSpec& spec) {
  const std::vector<std::string> left_out =
      spec.efi ? std::vector<std::string>{"boot/efi"} : std::vector<std::string>();
  const auto tree = std::make_shared<const Ext4Tree>(TRY(scan_tree(spec.layers, left_out)));
  const std::uint64_t bytes = TRY(size_of(spec, TRY(ext4_bytes_needed(*tree))));
  const Ext4Spec root_spec{.bytes = root_place(bytes).bytes,
                           .uuid = spec.root_uuid,
                           .hash_seed = derive_uuid(spec.seed, "directory hashes"),
                           .clock = spec.clock,
                           .earlier = spec.earlier,
                           .first_read = TRY(first_read_in(*tree))};
  Ext4Image root = TRY(lay_out_ext4(tree, root_spec).context("root file system"));
  Disk disk = TRY(frame_disk(spec, bytes, std::move(root.image)));
  disk.block_map = std::move(root.block_map);
  disk.layers = spec.layers;
  return disk;
}

}  // namespace kiln::image
