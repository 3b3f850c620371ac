#include "image/disk/first_read.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>

#include "base/fd.h"

namespace kiln::image {

namespace {

constexpr std::uint64_t kMaxBytes = 1 << 20;  // some ten thousand paths

Result<std::string> text_of(const Ext4Tree& tree, const Ext4Node& node) {
  if (!S_ISREG(node.mode) || node.bytes > kMaxBytes) {
    return error(Errc::usage, "/{}: the list of files that are read first is a file of at most 1 MiB", node.path);
  }
  const Fd file =
      TRY(open_at(tree.layers[node.layer].get(), node.path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK, Resolve::no_symlinks));
  std::string text(node.bytes, '\0');
  text.resize(TRY(read_full(file.get(), std::as_writable_bytes(std::span(text)))));
  return text;
}

}  // namespace

Result<std::vector<std::string>> first_read_in(const Ext4Tree& tree) {
  const auto node =
      std::find_if(tree.nodes.begin(), tree.nodes.end(), [](const Ext4Node& n) { return n.path == kFirstReadList; });
  std::vector<std::string> paths;
  if (node == tree.nodes.end()) return paths;
  const std::string text = TRY(text_of(tree, *node));
  std::size_t number = 0;
  for (std::string_view rest = text; !rest.empty();) {
    const std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(line.size() + 1, rest.size()));
    ++number;
    if (line.empty() || line.front() == '#') continue;
    if (line.front() != '/')
      return error(Errc::usage, "/{}:{}: a path that begins with \"/\" is expected", node->path, number);
    paths.emplace_back(line.substr(1));
  }
  return paths;
}

}  // namespace kiln::image
