#include "image/disk/plain_tree.h"

#include <fcntl.h>

#include <algorithm>

namespace kiln::image {

Result<Ext4Tree> scan_plain_tree(const std::vector<fs::path>& layers, const std::vector<std::string>& left_out) {
  Ext4Tree tree = TRY(scan_tree(layers, left_out));
  std::erase_if(tree.nodes.front().entries, [](const Ext4Name& entry) { return entry.name == "lost+found"; });
  return tree;
}

Result<> read_content(const Ext4Tree& tree, const Ext4Node& node, const Cancel& cancel,
                      const std::function<Result<>(std::span<const std::byte>)>& take) {
  constexpr std::uint64_t kPiece = 256 << 10;  // bytes
  const int layer = tree.layers[node.layer].get();
  const Fd fd = TRY(open_at(layer, node.path, O_RDONLY | O_NOFOLLOW, Resolve::no_symlinks));
  std::vector<std::byte> buffer(std::min(node.bytes, kPiece));
  for (std::uint64_t left = node.bytes; left > 0;) {
    TRY(cancel.check());
    const auto want = std::span(buffer).first(std::min<std::uint64_t>(left, buffer.size()));
    if (TRY(read_full(fd.get(), want)) != want.size()) return error(Errc::corrupt, "became shorter while it was read");
    TRY(take(want));
    left -= want.size();
  }
  return {};
}

}  // namespace kiln::image
