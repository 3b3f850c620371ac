// What no ext4 can hold.
#include <sys/stat.h>

#include "base/text.h"
#include "image/disk/ext4_layout.h"

namespace kiln::image::ext4 {

namespace {

Result<> check_name(const std::string& name) {
  if (name.size() > kMaxName) {
    return error(Errc::usage, "the name {} has {} bytes; ext4 has {}", visible(name), name.size(), kMaxName);
  }
  if (name.empty() || name == "." || name == ".." || name.find_first_of(std::string_view("/\0", 2)) != name.npos) {
    return error(Errc::usage, "\"{}\" cannot be a name", visible(name));
  }
  return {};
}

Result<> check_node(const Ext4Node& node) {
  for (const Ext4Name& entry : node.entries) TRY(check_name(entry.name));
  if (node.names > kMaxLinks) return error(Errc::usage, "it has {} names; ext4 has {}", node.names, kMaxLinks);
  if (blocks_for(node.bytes) > kMaxFileBlocks) {
    return error(Errc::usage, "it has {} bytes; an ext4 file has less than 16 TiB", node.bytes);
  }
  if (S_ISLNK(node.mode) && (node.text.empty() || node.text.size() > kMaxLinkText)) {
    return error(Errc::usage, "a link to {} bytes; ext4 has 1 to {}", node.text.size(), kMaxLinkText);
  }
  if (entry_type(node.mode) == 0) return error(Errc::usage, "it is of no known type ({:o})", node.mode);
  return {};
}

bool is_directory(const Ext4Tree& tree, std::string_view name) {
  for (const Ext4Name& entry : tree.nodes[0].entries) {
    if (entry.name == name) return S_ISDIR(tree.nodes[entry.node].mode);
  }
  return false;
}

}  // namespace

Result<> check_tree(const Ext4Tree& tree) {
  if (tree.nodes.empty() || !S_ISDIR(tree.nodes[0].mode)) return error(Errc::usage, "the tree has no root");
  if (!is_directory(tree, kLostAndFound)) return error(Errc::usage, "/lost+found must be a directory");
  for (const Ext4Node& node : tree.nodes) TRY(check_node(node).context("/{}", visible(node.path)));
  return {};
}

}  // namespace kiln::image::ext4
