#include "steps/docker.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>

#include "tree/tree.h"

namespace kiln::steps {

namespace {

/// Owner, mode, attributes of a directory from another; times come at the end.
Result<> copy_directory_facts(int from, int to, const struct stat& st) {
  if (::fchown(to, st.st_uid, st.st_gid) != 0 || ::fchmod(to, st.st_mode & 07777) != 0) return sys_error("chown");
  std::string names(64 << 10, '\0');
  const ssize_t size = ::flistxattr(from, names.data(), names.size());
  if (size <= 0) return {};
  std::string value(64 << 10, '\0');
  for (const char* name = names.data(); name < names.data() + size; name += std::strlen(name) + 1) {
    if (std::string_view(name).starts_with("trusted.overlay.")) continue;
    const ssize_t n = ::fgetxattr(from, name, value.data(), value.size());
    if (n >= 0 && ::fsetxattr(to, name, value.data(), static_cast<std::size_t>(n), 0) != 0)
      return sys_error("setxattr {}", name);
  }
  return {};
}

}  // namespace

Result<> merge_layers(const std::vector<fs::path>& layers, const fs::path& into) {
  TRY(make_dirs(into));
  const Fd root = TRY(open_dir(into));
  std::vector<std::pair<std::string, struct stat>> directories;
  const auto visit = [&](const tree::TreeEntry& e, int parent, const std::string& name) -> Result<> {
    if (!S_ISDIR(e.st.st_mode)) {
      if (::linkat(parent, name.c_str(), root.get(), e.path.c_str(), 0) != 0) return sys_error("link {}", e.path);
      return {};
    }
    if (::mkdirat(root.get(), e.path.c_str(), 0700) != 0) return sys_error("mkdir {}", e.path);
    const Fd from = TRY(open_at(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, Resolve::no_symlinks));
    const Fd to = TRY(open_at(root.get(), e.path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, Resolve::no_symlinks));
    TRY(copy_directory_facts(from.get(), to.get(), e.st).context("merging {}", e.path));
    directories.emplace_back(e.path, e.st);
    return {};
  };
  TRY(tree::walk_merged(layers, visit));
  for (auto it = directories.rbegin(); it != directories.rend(); ++it) {
    const timespec times[2] = {it->second.st_mtim, it->second.st_mtim};
    if (::utimensat(root.get(), it->first.c_str(), times, AT_SYMLINK_NOFOLLOW) != 0)
      return sys_error("utime {}", it->first);
  }
  return {};
}

Result<Digest> merge_oldest(const Job& job, const std::vector<Digest>& layers) {
  store::Store& store = job.context.store;
  std::string text;
  for (const Digest& id : layers) text += id.hex();
  const std::string name = sha256(text).hex();
  if (const auto record = TRY(store.read_record("merged", name))) {
    const Digest id = Digest::from_hex(json_string(*record, "layer"));
    TRY(store.lease(id));
    if (TRY(store.find_layer(id))) return id;
  }
  engine::Tree oldest;
  oldest.layers = layers;
  const store::Scratch scratch = TRY(store.scratch("merge"));
  const fs::path tree = scratch.path() / "tree";
  const auto paths = TRY(layer_paths(store, oldest));
  TRY(merge_layers(paths, tree).context("merging {} layers", layers.size()));
  const Digest id = TRY(keep_layer(job.context, tree, job.step.label)).layer;
  TRY(store.write_record("merged", name, {{"layer", id.hex()}}));
  return id;
}

std::vector<image::HistoryEntry> merge_history(const std::vector<image::HistoryEntry>& history, std::size_t layers) {
  std::vector<image::HistoryEntry> merged = {{fmt::format("{} older layers in one", layers), false}};
  for (const image::HistoryEntry& entry : history) {
    if (layers == 0) merged.push_back(entry);
    if (layers > 0 && !entry.empty_layer) --layers;
  }
  return merged;
}

}  // namespace kiln::steps
