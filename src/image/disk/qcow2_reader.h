// Reads qcow2 disk images of versions 2 and 3: standard, zero and compressed (zlib, zstd) clusters of the active state.
// Format: docs/interop/qcow2 of QEMU; what is read and what is refused: docs/formats/disk-bases.md. Private to the
// room.
#pragma once

#include "image/disk/block_reader.h"

namespace kiln::image {

/// file_bytes: the size of the file. Errc::corrupt for damage; Errc::bad_template, with the remedy, for what needs
/// other files, a key, or a repair by QEMU first. Holds at most the first table and 16 MiB or four clusters.
Result<std::unique_ptr<BlockReader>> open_qcow2(Fd file, std::uint64_t file_bytes);

}  // namespace kiln::image
