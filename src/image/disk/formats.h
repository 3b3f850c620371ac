// The writers of disk formats, one file each; their table is formats.cc. Each makes its writer, or says why a disk
// cannot be in that format (Errc::usage), and writes nothing yet. All that is passed must outlive the writer.
// Private to the room.
#pragma once

#include <memory>

#include "image/disk/disk_writer.h"

namespace kiln::image {

/// The disk as it is; what is zero becomes holes.
Result<std::unique_ptr<DiskWriter>> start_raw(const Disk& disk, DiskOutput& out, const DiskWriting& how);

/// Compute Engine's archive. Errc::usage for a disk that is no whole number of GiB or over 2048 GiB.
Result<std::unique_ptr<DiskWriter>> start_gce(const Disk& disk, DiskOutput& out, const DiskWriting& how);

/// VHD: fixed, as Azure takes it, and dynamic. Errc::usage for a disk over 2040 GiB.
Result<std::unique_ptr<DiskWriter>> start_vhd(const Disk& disk, DiskOutput& out, const DiskWriting& how);
Result<std::unique_ptr<DiskWriter>> start_vhd_dynamic(const Disk& disk, DiskOutput& out, const DiskWriting& how);

/// VMDK's streamOptimized form, and an OVA that holds it. Errc::usage for a disk over 2 TiB.
Result<std::unique_ptr<DiskWriter>> start_vmdk(const Disk& disk, DiskOutput& out, const DiskWriting& how);
Result<std::unique_ptr<DiskWriter>> start_ova(const Disk& disk, DiskOutput& out, const DiskWriting& how);

/// VHDX that grows. Errc::usage for a disk over 64 TiB.
Result<std::unique_ptr<DiskWriter>> start_vhdx(const Disk& disk, DiskOutput& out, const DiskWriting& how);

/// qcow2 version 3: plain, and with its clusters compressed.
Result<std::unique_ptr<DiskWriter>> start_qcow2(const Disk& disk, DiskOutput& out, const DiskWriting& how);
Result<std::unique_ptr<DiskWriter>> start_qcow2_zlib(const Disk& disk, DiskOutput& out, const DiskWriting& how);
Result<std::unique_ptr<DiskWriter>> start_qcow2_zstd(const Disk& disk, DiskOutput& out, const DiskWriting& how);

/// A tar of the tree for WSL. Errc::usage for a disk that has no tree.
Result<std::unique_ptr<DiskWriter>> start_wsl(const Disk& disk, DiskOutput& out, const DiskWriting& how);

/// A squashfs file system of the whole tree. Errc::usage for a disk that has no tree.
Result<std::unique_ptr<DiskWriter>> start_squashfs(const Disk& disk, DiskOutput& out, const DiskWriting& how);

}  // namespace kiln::image
