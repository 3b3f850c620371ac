// The merged tree in memory: one walk over the layers.
#include <fcntl.h>

#include <algorithm>
#include <unordered_map>

#include "image/disk/ext4_format.h"
#include "image/disk/ext4_holes.h"

namespace kiln::image {

namespace {

struct FileId {
  std::size_t layer;
  ino_t inode;
  auto operator<=>(const FileId&) const = default;
};

class Scan {
 public:
  explicit Scan(const std::vector<std::string>& left_out) : left_out_(left_out) { attribute_ids_[{}] = 0; }

  Result<Ext4Tree> run(const std::vector<fs::path>& layers) {
    if (layers.empty()) return error(Errc::usage, "a file system needs at least one layer");
    for (const fs::path& layer : layers) tree_.layers.push_back(TRY(open_dir(layer).context("opening a layer")));
    TRY(add_root());
    TRY(tree::walk_merged(layers,
                          [this](const tree::TreeEntry& entry, int parent, const std::string& name) -> Result<> {
                            if (is_left_out(entry.path)) return {};
                            return add(entry, parent, name).context("{}", entry.path);
                          }));
    TRY(add_lost_and_found());
    return std::move(tree_);
  }

 private:
  bool is_left_out(const std::string& path) const {
    return std::any_of(left_out_.begin(), left_out_.end(), [&](const std::string& dir) {
      return path.size() > dir.size() && path.starts_with(dir) && path[dir.size()] == '/';
    });
  }

  Result<std::uint32_t> attributes_at(int parent, const std::string& name) {
    auto kept = tree::canonical_attributes(TRY(tree::attributes_of(fmt::format("/proc/self/fd/{}/{}", parent, name))));
    const auto [it, is_new] = attribute_ids_.emplace(kept, static_cast<std::uint32_t>(tree_.attributes.size()));
    if (is_new) tree_.attributes.push_back(std::move(kept));
    return it->second;
  }

  static Ext4Node described(const struct stat& st, std::size_t layer) {
    Ext4Node node;
    node.mode = st.st_mode;
    node.uid = st.st_uid;
    node.gid = st.st_gid;
    node.mtime = st.st_mtim.tv_sec;
    node.mtime_ns = static_cast<std::uint32_t>(st.st_mtim.tv_nsec);
    node.layer = static_cast<std::uint32_t>(layer);
    if (S_ISREG(st.st_mode)) node.bytes = static_cast<std::uint64_t>(st.st_size);
    if (S_ISCHR(st.st_mode) || S_ISBLK(st.st_mode)) node.rdev = st.st_rdev;
    return node;
  }

  /// "/" is that of the newest layer, as in an overlay.
  Result<> add_root() {
    const int dir = tree_.layers.back().get();
    Ext4Node root = described(TRY(stat_of(dir)), tree_.layers.size() - 1);
    root.attributes = TRY(attributes_at(dir, "."));
    tree_.nodes.push_back(std::move(root));
    directories_.push_back(0);
    return {};
  }

  /// The directory that holds an entry: the walk goes depth first, so it is one of those we are in.
  std::uint32_t parent_of(const std::string& path) {
    const std::size_t cut = path.rfind('/');
    const std::string_view wanted = std::string_view(path).substr(0, cut == std::string::npos ? 0 : cut);
    while (tree_.nodes[directories_.back()].path != wanted) directories_.pop_back();
    return directories_.back();
  }

  Result<> add(const tree::TreeEntry& entry, int parent, const std::string& name) {
    const std::uint32_t dir = parent_of(entry.path);
    const auto next = static_cast<std::uint32_t>(tree_.nodes.size());
    const bool is_dir = S_ISDIR(entry.st.st_mode);
    if (!is_dir && entry.st.st_nlink > 1) {
      const auto [it, is_new] = several_names_.emplace(FileId{entry.layer, entry.st.st_ino}, next);
      if (!is_new) {
        ++tree_.nodes[it->second].names;
        tree_.nodes[dir].entries.push_back({name, it->second});
        return {};
      }
    }
    Ext4Node node = described(entry.st, entry.layer);
    node.path = entry.path;
    node.attributes = TRY(attributes_at(parent, name));
    if (S_ISLNK(node.mode)) node.text = TRY(read_link_at(parent, name));
    if (S_ISREG(node.mode) && node.bytes >= ext4::kSparseFileBytes) TRY(add_holes(parent, name, next, node.bytes));
    tree_.nodes[dir].entries.push_back({name, next});
    tree_.nodes.push_back(std::move(node));
    if (is_dir) directories_.push_back(next);
    return {};
  }

  Result<> add_holes(int parent, const std::string& name, std::uint32_t node, std::uint64_t bytes) {
    const Fd fd = TRY(open_at(parent, name, O_RDONLY | O_NOFOLLOW, Resolve::no_symlinks));
    auto stored = TRY(ext4::find_holes(fd.get(), bytes));
    if (stored) tree_.stored[node] = std::move(*stored);
    return {};
  }

  /// Where e2fsck puts what it finds. A tree that came from a disk may bring its own.
  Result<> add_lost_and_found() {
    std::vector<Ext4Name>& entries = tree_.nodes[0].entries;
    const auto place = std::lower_bound(entries.begin(), entries.end(), ext4::kLostAndFound,
                                        [](const Ext4Name& e, std::string_view name) { return e.name < name; });
    if (place != entries.end() && place->name == ext4::kLostAndFound) return {};
    Ext4Node node;
    node.path = ext4::kLostAndFound;
    node.mode = S_IFDIR | 0700;
    entries.insert(place, {node.path, static_cast<std::uint32_t>(tree_.nodes.size())});
    tree_.nodes.push_back(std::move(node));
    return {};
  }

  const std::vector<std::string>& left_out_;
  Ext4Tree tree_;
  std::map<tree::Attributes, std::uint32_t> attribute_ids_;
  std::map<FileId, std::uint32_t> several_names_;
  std::vector<std::uint32_t> directories_;  // from the root to where the walk is
};

}  // namespace

std::uint64_t Ext4Tree::content_bytes() const {
  std::uint64_t blocks = 0;
  for (std::uint32_t i = 0; i < nodes.size(); ++i) {
    const auto holes = stored.find(i);
    if (holes == stored.end()) {
      blocks += ext4::blocks_for(nodes[i].bytes);
    } else {
      for (const Extent& e : holes->second) blocks += e.bytes / kExt4BlockBytes;
    }
  }
  return blocks * kExt4BlockBytes;
}

Result<Ext4Tree> scan_tree(const std::vector<fs::path>& layers, const std::vector<std::string>& left_out) {
  return Scan(left_out).run(layers);
}

}  // namespace kiln::image
