#include "sandbox/scan.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>

#include "sandbox/volatile.h"

namespace kiln::sandbox {

namespace {

std::string attribute_path(int dir, const std::string& name) {
  return fmt::format("/proc/self/fd/{}/{}", dir, name);
}

/// Times of a layer: whole seconds (a tar has no more), none later than the clock.
timespec canonical_time(const timespec& time, std::int64_t clock) {
  return {std::min<time_t>(time.tv_sec, static_cast<time_t>(clock)), 0};
}

bool is_opaque(const tree::Attributes& attributes) {
  for (const char* name : {"trusted.overlay.opaque", "user.overlay.opaque"}) {
    const auto found = attributes.find(name);
    if (found != attributes.end() && found->second == "y") return true;
  }
  return false;
}

Result<Fd> open_file(int dir, const std::string& path) {
  Fd fd(::openat(dir, path.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  if (!fd) return sys_error("open {}", path);
  if (!S_ISREG(TRY(stat_of(fd.get())).st_mode)) return error(Errc::corrupt, "open {}: not a regular file", path);
  return fd;
}

Result<bool> same_content(int a, int b) {
  constexpr std::size_t kChunk = 128 << 10;
  std::vector<std::byte> left(kChunk), right(kChunk);
  for (;;) {
    const std::size_t n = TRY(read_full(a, left));
    const std::size_t m = TRY(read_full(b, right));
    if (n != m || !std::equal(left.begin(), left.begin() + static_cast<std::ptrdiff_t>(n), right.begin())) return false;
    if (n < kChunk) return true;
  }
}

/// Names of one upper inode. They are dropped together or not at all: else a link made by the step would be lost.
struct LinkGroup {
  nlink_t links = 0, seen = 0;
  bool all_equal = true;
  std::pair<std::size_t, ino_t> below;  // layer and inode that the first name equals
};

class Scanner {
 public:
  Scanner(const tree::Merged& below, std::int64_t clock, const std::vector<std::string>& keep)
      : below_(below), clock_(clock), keep_(keep) {}

  struct Place {
    tree::Merged::Dir lower, stub;  // without layers where there is no such directory
    std::string path;
    bool opaque = false;
  };

  Result<> scan_dir(int fd, const Place& place, int depth, Node& dir);
  void decide(Node& dir);
  std::vector<std::string> dropped;

 private:
  using Found = std::optional<tree::Merged::Found>;
  Result<Node> scan_entry(int fd, const Place& place, const std::string& name, int depth);
  Result<> scan_subdir(int fd, const Place& place, const struct stat& st, const Found& found, int depth, Node& node);
  Result<> add_hidden(const Place& place, Node& dir);
  Result<Found> in_stub(const Place& place, const std::string& name);
  Result<bool> is_equal(int fd, const Node& node, const struct stat& st, const Found& found);
  void join_group(const struct stat& st, const Found& found, Node& node);
  Result<> empty_machine_id(const Place& place, const struct stat& st, const Found& found, Node& node);

  const tree::Merged& below_;
  std::int64_t clock_;
  const std::vector<std::string>& keep_;
  std::vector<LinkGroup> groups_;
  std::map<std::pair<dev_t, ino_t>, int> group_of_;
};

Result<Scanner::Found> Scanner::in_stub(const Place& place, const std::string& name) {
  if (place.stub.layers.empty()) return Found();
  return below_.find(place.stub, name);
}

/// Type, mode, owner, attributes, and content or target; times do not count, links are the group's matter.
Result<bool> Scanner::is_equal(int fd, const Node& node, const struct stat& st, const Found& found) {
  if (!found) return false;
  const struct stat& other = found->st;
  if (st.st_mode != other.st_mode || st.st_uid != other.st_uid || st.st_gid != other.st_gid) return false;
  if (S_ISREG(st.st_mode) && st.st_size != other.st_size) return false;
  if ((S_ISCHR(st.st_mode) || S_ISBLK(st.st_mode)) && st.st_rdev != other.st_rdev) return false;
  const int layer = below_.layer_fd(found->layer);
  const auto theirs = TRY(tree::attributes_of(attribute_path(layer, found->dir.path)));
  const tree::Attributes ours = node.attributes ? tree::canonical_attributes(*node.attributes) : tree::Attributes();
  if (ours != tree::canonical_attributes(theirs)) return false;
  if (S_ISLNK(st.st_mode)) {
    const std::string text = TRY(read_link_at(fd, node.name));
    return text == TRY(read_link_at(layer, found->dir.path));
  }
  if (!S_ISREG(st.st_mode)) return true;
  const Fd upper = TRY(open_file(fd, node.name));
  const Fd lower = TRY(open_file(layer, found->dir.path));
  return same_content(upper.get(), lower.get());
}

void Scanner::join_group(const struct stat& st, const Found& found, Node& node) {
  const auto [entry, made] = group_of_.emplace(std::pair(st.st_dev, st.st_ino), static_cast<int>(groups_.size()));
  if (made) groups_.push_back({.links = st.st_nlink});
  node.group = entry->second;
  LinkGroup& group = groups_[static_cast<std::size_t>(node.group)];
  const auto below = found ? std::pair(found->layer, found->st.st_ino) : std::pair<std::size_t, ino_t>();
  if (made) group.below = below;
  ++group.seen;
  group.all_equal = group.all_equal && node.equal && group.below == below;
}

Result<> Scanner::empty_machine_id(const Place& place, const struct stat& st, const Found& found, Node& node) {
  const std::string path = tree::Merged::join(place.path, node.name);
  if (path != kMachineId || !S_ISREG(st.st_mode) || st.st_size == 0 || is_kept(path, keep_)) return {};
  dropped.push_back(path);
  node.fate = Fate::empty;
  node.time = {static_cast<time_t>(clock_), 0};
  const bool empty_below = found && S_ISREG(found->st.st_mode) && found->st.st_size == 0 &&
                           found->st.st_mode == st.st_mode && found->st.st_uid == st.st_uid &&
                           found->st.st_gid == st.st_gid;
  if (empty_below) node.fate = Fate::drop;
  return {};
}

Result<> Scanner::scan_subdir(int fd, const Place& place, const struct stat& st, const Found& found, int depth,
                              Node& node) {
  Place inner{.path = tree::Merged::join(place.path, node.name)};
  inner.opaque = place.opaque || (node.attributes && is_opaque(*node.attributes));
  if (found && S_ISDIR(found->st.st_mode)) inner.lower = found->dir;
  const Found stub = TRY(in_stub(place, node.name));
  if (stub && S_ISDIR(stub->st.st_mode)) inner.stub = stub->dir;
  node.equal = TRY(is_equal(fd, node, st, found ? found : stub));
  if (node.equal) node.time = canonical_time((found ? found : stub)->st.st_mtim, clock_);
  const Fd sub(::openat(fd, node.name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!sub) return sys_error("open {}", inner.path);
  return scan_dir(sub.get(), inner, depth + 1, node);
}

Result<Node> Scanner::scan_entry(int fd, const Place& place, const std::string& name, int depth) {
  const struct stat st = TRY(stat_at(fd, name));
  Node node{.name = name, .mode = st.st_mode, .time = canonical_time(st.st_mtim, clock_)};
  const Found found = TRY(below_.find(place.lower, name));
  if (tree::is_whiteout(st)) {
    if (!found) node.fate = Fate::drop;  // it hid a stub only
    return node;
  }
  const std::string path = tree::Merged::join(place.path, name);
  if (is_volatile(path, st.st_mode, st.st_size) && !is_kept(path, keep_)) {
    dropped.push_back(path);
    node.fate = Fate::drop;
    return node;
  }
  auto attributes = TRY(tree::attributes_of(attribute_path(fd, name)));
  if (!attributes.empty()) node.attributes = std::make_unique<tree::Attributes>(std::move(attributes));
  if (S_ISDIR(st.st_mode)) {
    TRY(scan_subdir(fd, place, st, found, depth, node));
    return node;
  }
  node.equal = TRY(is_equal(fd, node, st, found));
  if (!node.equal) {
    const Found stub = TRY(in_stub(place, name));
    node.equal = TRY(is_equal(fd, node, st, stub));
  }
  if (!node.equal) TRY(empty_machine_id(place, st, found, node));
  if (st.st_nlink > 1) join_group(st, found, node);
  return node;
}

/// What an opaque directory hid and the step did not make again.
Result<> Scanner::add_hidden(const Place& place, Node& dir) {
  if (!place.opaque || place.lower.layers.empty()) return {};
  std::set<std::string> here;
  for (const Node& child : dir.children) here.insert(child.name);
  for (const auto& [name, found] : TRY(below_.list(place.lower))) {
    if (here.contains(name)) continue;
    dir.children.push_back({.name = name, .fate = Fate::whiteout, .time = {static_cast<time_t>(clock_), 0}});
  }
  std::sort(dir.children.begin(), dir.children.end(), [](const Node& a, const Node& b) { return a.name < b.name; });
  return {};
}

Result<> Scanner::scan_dir(int fd, const Place& place, int depth, Node& dir) {
  if (depth > tree::kMaxDepth) return error(Errc::corrupt, "{}: nested deeper than {}", place.path, tree::kMaxDepth);
  for (const std::string& name : TRY(list_dir(fd))) dir.children.push_back(TRY(scan_entry(fd, place, name, depth)));
  return add_hidden(place, dir);
}

void Scanner::decide(Node& dir) {
  bool any = false;
  for (Node& child : dir.children) {
    if (S_ISDIR(child.mode) && child.fate == Fate::keep) {
      decide(child);
    } else if (child.group >= 0 && child.fate == Fate::keep) {
      const LinkGroup& group = groups_[static_cast<std::size_t>(child.group)];
      if (group.all_equal && group.seen == group.links) child.fate = Fate::drop;
    } else if (child.equal && child.fate == Fate::keep) {
      child.fate = Fate::drop;
    }
    any = any || child.fate != Fate::drop;
  }
  if (dir.equal && !any) dir.fate = Fate::drop;
}

}  // namespace

Result<Scan> scan_upper(int upper, const tree::Merged& below, int stub, std::int64_t clock,
                        const std::vector<std::string>& keep) {
  Scanner scanner(below, clock, keep);
  Scanner::Place place{.lower = below.root()};
  if (stub >= 0) {
    const auto index = static_cast<std::size_t>(stub);
    place.stub.layers = {index};
    std::erase(place.lower.layers, index);
  }
  Scan scan;
  scan.root.mode = S_IFDIR;
  auto attributes = TRY(tree::attributes_of(attribute_path(upper, ".")));
  scan.root.attributes = std::make_unique<tree::Attributes>(std::move(attributes));
  place.opaque = is_opaque(*scan.root.attributes);
  TRY(scanner.scan_dir(upper, place, 0, scan.root));
  scanner.decide(scan.root);
  scan.dropped = std::move(scanner.dropped);
  return scan;
}

}  // namespace kiln::sandbox
