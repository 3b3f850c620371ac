// The merged tree of a disk's layers for formats that hold it without ext4. Private to the room.
#pragma once

#include "base/cancel.h"
#include "image/disk/ext4.h"

namespace kiln::image {

/// As scan_tree, without the directory lost+found that it adds.
Result<Ext4Tree> scan_plain_tree(const std::vector<fs::path>& layers, const std::vector<std::string>& left_out);

/// Hands on a regular file's content piece by piece. Errc::corrupt when the file became shorter since the scan.
Result<> read_content(const Ext4Tree& tree, const Ext4Node& node, const Cancel& cancel,
                      const std::function<Result<>(std::span<const std::byte>)>& take);

}  // namespace kiln::image
