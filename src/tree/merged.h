// The merged view of layers as overlayfs would show it, without a mount: lookup, listing and link following inside the
// tree. Layers are private directories that nobody changes meanwhile. For those who look up paths; walking and reading
// is in tree/tree.h.
#pragma once

#include "tree/tree.h"

namespace kiln::tree {

bool is_whiteout(const struct stat& st);

class Merged {
 public:
  /// A directory of the view: its path and the layers that have it, newest first.
  struct Dir {
    std::string path;  // "" is the root
    std::vector<std::size_t> layers;
  };
  struct Found {
    struct stat st {};
    std::size_t layer = 0;
    Dir dir;  // when it is a directory
  };
  struct Resolved {
    std::string path;            // without links, without leading "/"
    std::optional<Found> found;  // empty: does not exist
  };

  /// Layers oldest first; descriptors of the layers stay open.
  static Result<Merged> open(const std::vector<fs::path>& layers);

  const Dir& root() const { return root_; }
  bool empty() const { return layers_.empty(); }
  int layer_fd(std::size_t layer) const { return layers_[layer].get(); }
  Result<std::optional<Found>> find(const Dir& dir, const std::string& name) const;
  /// The visible names and where each is found, sorted bytewise.
  Result<std::map<std::string, Found>> list(const Dir& dir) const;
  /// Follows links inside the view as a process in it would; the last one only when asked to. A loop is Errc::corrupt.
  Result<Resolved> resolve(std::string_view path, bool follow_last) const;

  static std::string join(const std::string& dir, const std::string& name) {
    return dir.empty() ? name : dir + "/" + name;
  }

 private:
  bool is_opaque(std::size_t layer, const std::string& path) const;
  std::vector<Fd> layers_;  // oldest first
  Dir root_;
};

}  // namespace kiln::tree
