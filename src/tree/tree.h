// Layers as one file system: the merged view that overlayfs would show, walked and read without a mount. A layer is a
// private directory in overlay form (whiteouts are character devices 0:0) that nobody changes meanwhile.
#pragma once

#include <sys/stat.h>

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/fd.h"

namespace kiln::tree {

/// Directories in directories that are followed, read and written: hostile trees go deeper (hardening section 15).
inline constexpr int kMaxDepth = 256;

/// One entry of a merged view of layers.
struct TreeEntry {
  std::string path;  // without leading "/", no trailing "/"
  struct stat st {};
  std::size_t layer = 0;  // index into the layers
};

/// Visits the merged tree of layers (oldest first), sorted bytewise by path components, parents before children.
Result<> walk_merged(const std::vector<fs::path>& layers,
                     const std::function<Result<>(const TreeEntry&, int parent_fd, const std::string& name)>& visit);

/// Reads a small regular file of the merged tree, following links inside it; not found is an empty optional.
Result<std::optional<std::string>> read_merged(const std::vector<fs::path>& layers, const std::string& path,
                                               std::uint64_t limit = std::uint64_t{1} << 20);

// ---- Extended attributes ----

using Attributes = std::map<std::string, std::string>;

/// All of an entry's attributes. A path of the form /proc/self/fd/N/NAME keeps it below a descriptor; its last part is
/// not followed.
Result<Attributes> attributes_of(const std::string& path);

/// user.* (not user.overlay.*), security.capability and POSIX ACLs belong to a layer; nothing else does.
bool is_kept_attribute(const std::string& name);

/// Attributes as a layer keeps them: only the kept ones, security.capability in its version-2 form.
Attributes canonical_attributes(const Attributes& attributes);

/// Makes an entry's attributes those wanted.
Result<> set_attributes(const std::string& path, const Attributes& now, const Attributes& wanted);

}  // namespace kiln::tree
