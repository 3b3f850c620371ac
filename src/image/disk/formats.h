// The writers of disk formats, one file each; their table is formats.cc. Private to the room.
#pragma once

#include "image/disk.h"

namespace kiln::image {

/// The disk as it is; what is zero becomes holes.
Result<> write_raw(const Disk& disk, DiskOutput& out, const DiskWriting& how);

/// Compute Engine's archive. Errc::usage for a disk that is no whole number of GiB or over 2048 GiB.
Result<> write_gce(const Disk& disk, DiskOutput& out, const DiskWriting& how);

/// qcow2 version 3: plain, and with its clusters compressed.
Result<> write_qcow2(const Disk& disk, DiskOutput& out, const DiskWriting& how);
Result<> write_qcow2_zlib(const Disk& disk, DiskOutput& out, const DiskWriting& how);
Result<> write_qcow2_zstd(const Disk& disk, DiskOutput& out, const DiskWriting& how);

}  // namespace kiln::image
