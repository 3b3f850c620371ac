#include "tree/merged.h"

#include <fcntl.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

#include <algorithm>
#include <deque>

#include "base/text.h"

namespace kiln::tree {

namespace {

constexpr int kMaxLinks = 40;  // as Linux has it

/// Names below a layer's root that were found component by component, so none of them goes through a link.
std::optional<struct stat> stat_below(int root, const std::string& path) {
  struct stat st {};
  if (::fstatat(root, path.empty() ? "." : path.c_str(), &st, AT_SYMLINK_NOFOLLOW) != 0) return {};
  return st;
}

}  // namespace

bool is_whiteout(const struct stat& st) {
  return S_ISCHR(st.st_mode) && st.st_rdev == makedev(0, 0);
}

Result<Merged> Merged::open(const std::vector<fs::path>& layers) {
  Merged merged;
  for (const fs::path& layer : layers) merged.layers_.push_back(TRY(open_dir(layer).context("opening a layer")));
  for (std::size_t i = layers.size(); i-- > 0;) {
    merged.root_.layers.push_back(i);
    if (merged.is_opaque(i, "")) break;
  }
  return merged;
}

bool Merged::is_opaque(std::size_t layer, const std::string& path) const {
  const std::string full = fmt::format("/proc/self/fd/{}/{}", layers_[layer].get(), path);
  for (const char* name : {"trusted.overlay.opaque", "user.overlay.opaque"}) {
    char value = 0;
    if (::lgetxattr(full.c_str(), name, &value, 1) == 1 && value == 'y') return true;
  }
  return false;
}

Result<std::optional<Merged::Found>> Merged::find(const Dir& dir, const std::string& name) const {
  std::optional<Found> found;
  const std::string path = join(dir.path, name);
  for (const std::size_t layer : dir.layers) {
    const auto st = stat_below(layers_[layer].get(), path);
    if (!st) {
      if (errno == ENOENT || errno == ENOTDIR) continue;
      return sys_error("stat {} in a layer", path);
    }
    if (is_whiteout(*st)) break;
    if (found && !S_ISDIR(st->st_mode)) break;
    if (!found) found = Found{*st, layer, Dir{path, {}}};
    if (!S_ISDIR(st->st_mode)) break;
    found->dir.layers.push_back(layer);
    if (layer != dir.layers.back() && is_opaque(layer, path)) break;
  }
  return found;
}

Result<std::map<std::string, Merged::Found>> Merged::list(const Dir& dir) const {
  std::map<std::string, Found> visible;
  std::set<std::string> closed;  // nothing older shows through
  for (const std::size_t layer : dir.layers) {
    const Fd fd(::openat(layers_[layer].get(), dir.path.empty() ? "." : dir.path.c_str(),
                         O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (!fd) return sys_error("open {} in a layer", dir.path);
    for (const std::string& name : TRY(list_dir(fd.get()))) {
      if (closed.contains(name)) continue;
      const struct stat st = TRY(stat_at(fd.get(), name));
      const auto known = visible.find(name);
      const bool goes_on = S_ISDIR(st.st_mode);
      if (!goes_on) closed.insert(name);
      if (is_whiteout(st) || (known != visible.end() && !goes_on)) continue;
      const std::string path = join(dir.path, name);
      Found& found = known != visible.end() ? known->second : visible[name];
      if (known == visible.end()) found = {st, layer, Dir{path, {}}};
      if (!goes_on) continue;
      found.dir.layers.push_back(layer);
      if (layer != dir.layers.back() && is_opaque(layer, path)) closed.insert(name);
    }
  }
  return visible;
}

Result<Merged::Resolved> Merged::resolve(std::string_view path, bool follow_last) const {
  std::deque<std::string> todo;
  const auto push_front = [&](std::string_view text) {
    auto parts = split(text, '/');
    for (auto part = parts.rbegin(); part != parts.rend(); ++part) {
      if (!part->empty() && *part != ".") todo.push_front(*part);
    }
  };
  push_front(path);
  std::vector<Dir> stack = {root()};
  std::string missing;  // below the last existing directory
  std::optional<Found> last;
  int links = 0;
  while (!todo.empty()) {
    const std::string name = std::move(todo.front());
    todo.pop_front();
    if (name == "..") {
      if (!missing.empty()) return error(Errc::not_found, "{}: no such directory", path);
      if (stack.size() > 1) stack.pop_back();
      last.reset();
      continue;
    }
    if (!missing.empty()) {
      missing += "/" + name;
      continue;
    }
    last = TRY(find(stack.back(), name));
    if (!last) {
      missing = name;
    } else if (S_ISLNK(last->st.st_mode) && (follow_last || !todo.empty())) {
      if (++links > kMaxLinks) return error(Errc::corrupt, "{}: too many links", path);
      const std::string text = TRY(read_link_at(layers_[last->layer].get(), last->dir.path));
      if (text.starts_with('/')) stack.resize(1);
      push_front(text);
      last.reset();
    } else if (S_ISDIR(last->st.st_mode)) {
      stack.push_back(last->dir);
    } else if (!todo.empty()) {
      return error(Errc::not_found, "{}: {} is not a directory", path, last->dir.path);
    } else {
      return Resolved{last->dir.path, last};
    }
  }
  if (!missing.empty()) return Resolved{join(stack.back().path, missing), {}};
  const Dir& dir = stack.back();
  if (dir.layers.empty()) return Resolved{dir.path, {}};
  const auto st = stat_below(layers_[dir.layers.front()].get(), dir.path);
  if (!st) return sys_error("stat {} in a layer", dir.path);
  return Resolved{dir.path, Found{*st, dir.layers.front(), dir}};
}

namespace {

/// Opens the directory that holds an entry, in the entry's layer; keeps it for the next entry.
class ParentFd {
 public:
  ParentFd(const Merged& merged, const std::string& path) : merged_(merged), path_(path) {}
  Result<int> in(std::size_t layer) {
    if (!fd_ || layer != layer_) {
      fd_.reset(::openat(merged_.layer_fd(layer), path_.empty() ? "." : path_.c_str(),
                         O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
      layer_ = layer;
    }
    if (!fd_) return sys_error("open {} in a layer", path_);
    return fd_.get();
  }
  void forget() { fd_.reset(); }

 private:
  const Merged& merged_;
  const std::string& path_;
  Fd fd_;
  std::size_t layer_ = 0;
};

using Visit = std::function<Result<>(const TreeEntry&, int, const std::string&)>;

Result<> walk_dir(const Merged& merged, const Merged::Dir& dir, const Visit& visit, int depth) {
  if (depth > kMaxDepth) return error(Errc::corrupt, "{}: nested deeper than {}", dir.path, kMaxDepth);
  ParentFd parent(merged, dir.path);
  for (const auto& [name, found] : TRY(merged.list(dir))) {
    const int fd = TRY(parent.in(found.layer));
    TRY(visit(TreeEntry{found.dir.path, found.st, found.layer}, fd, name));
    if (!S_ISDIR(found.st.st_mode)) continue;
    parent.forget();  // few descriptors, however deep the tree
    TRY(walk_dir(merged, found.dir, visit, depth + 1));
  }
  return {};
}

}  // namespace

Result<> walk_merged(const std::vector<fs::path>& layers, const Visit& visit) {
  const Merged merged = TRY(Merged::open(layers));
  return walk_dir(merged, merged.root(), visit, 0);
}

Result<std::optional<std::string>> read_merged(const std::vector<fs::path>& layers, const std::string& path,
                                               std::uint64_t limit) {
  const Merged merged = TRY(Merged::open(layers));
  const auto resolved = merged.resolve(path, true);
  if (!resolved && resolved.error().code() == Errc::not_found) return std::optional<std::string>();
  if (!resolved) return resolved.error();
  const auto& found = (*resolved).found;
  if (!found) return std::optional<std::string>();
  if (!S_ISREG(found->st.st_mode)) return error(Errc::corrupt, "{}: not a regular file", path);
  if (static_cast<std::uint64_t>(found->st.st_size) > limit) {
    return error(Errc::corrupt, "{}: larger than {} bytes", path, limit);
  }
  const Fd fd(::openat(merged.layer_fd(found->layer), found->dir.path.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC));
  if (!fd) return sys_error("open {}", path);
  std::string text(static_cast<std::size_t>(found->st.st_size), '\0');
  text.resize(TRY(read_full(fd.get(), std::as_writable_bytes(std::span(text)))));
  return std::optional<std::string>(std::move(text));
}

}  // namespace kiln::tree
