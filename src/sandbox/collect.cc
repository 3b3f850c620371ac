#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/file.h"
#include "sandbox/scan.h"
#include "sandbox/stub.h"
#include "sandbox/volatile.h"

namespace kiln::sandbox {

namespace {

Result<> set_time(int dir, const std::string& name, const timespec& time) {
  const timespec times[2] = {time, time};
  if (::utimensat(dir, name.c_str(), times, AT_SYMLINK_NOFOLLOW) != 0) return sys_error("set times of {}", name);
  return {};
}

Result<> clean_attributes(int dir, const Node& node) {
  if (!node.attributes) return {};
  const std::string path = fmt::format("/proc/self/fd/{}/{}", dir, node.name.empty() ? "." : node.name);
  return tree::set_attributes(path, *node.attributes, tree::canonical_attributes(*node.attributes));
}

/// A new empty file with the old one's owner and mode; its other names keep their content.
Result<> make_empty(int dir, const std::string& name) {
  const struct stat st = TRY(stat_at(dir, name));
  if (::unlinkat(dir, name.c_str(), 0) != 0) return sys_error("remove {}", name);
  const Fd file(::openat(dir, name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!file || ::fchown(file.get(), st.st_uid, st.st_gid) != 0 || ::fchmod(file.get(), st.st_mode & 07777) != 0) {
    return sys_error("empty {}", name);
  }
  return {};
}

Result<> apply_dir(int dir, const Node& node);

Result<> apply_entry(int dir, const Node& node) {
  switch (node.fate) {
    case Fate::drop:
      return remove_tree_at(dir, node.name);
    case Fate::whiteout:
      if (::mknodat(dir, node.name.c_str(), S_IFCHR, makedev(0, 0)) != 0) return sys_error("hide {}", node.name);
      break;
    case Fate::empty:
      TRY(make_empty(dir, node.name));
      break;
    case Fate::keep:
      TRY(clean_attributes(dir, node));
      break;
  }
  if (S_ISDIR(node.mode) && node.fate == Fate::keep) {
    const Fd sub(::openat(dir, node.name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (!sub) return sys_error("open {}", node.name);
    TRY(apply_dir(sub.get(), node).context("in {}", node.name));
  }
  return set_time(dir, node.name, node.time);
}

Result<> apply_dir(int dir, const Node& node) {
  for (const Node& child : node.children) TRY(apply_entry(dir, child));
  return {};
}

/// The stub layer that run() left beside the upper, or one made anew.
Result<fs::path> stub_layer(const CollectSpec& spec) {
  const fs::path dir = ScratchPaths(spec.upper.parent_path()).stub();
  if (fs::is_directory(dir)) return dir;
  if (spec.stubs.empty()) return fs::path();
  RunSpec run;
  run.lowers = spec.lowers;
  run.stubs = spec.stubs;
  const tree::Merged tree = TRY(tree::Merged::open(spec.lowers));
  const StubPlan plan = TRY(plan_stubs(tree, run));
  TRY(make_stub_layer(tree, plan.entries, dir, spec.clock));
  return dir;
}

/// The root of a layer says nothing: it is always the same.
Result<> plain_root(const fs::path& dir, std::int64_t clock) {
  if (::chmod(dir.c_str(), 0755) != 0 || ::lchown(dir.c_str(), ::geteuid(), ::getegid()) != 0) {
    return sys_error("set the mode of {}", dir);
  }
  return set_time(AT_FDCWD, dir.native(), {static_cast<time_t>(clock), 0});
}

/// Moves the entries that -keep names from /tmp of the volatile tree to the layer.
Result<bool> keep_from_tmp(const CollectSpec& spec) {
  bool any = false;
  for (const std::string& kept : spec.keep) {
    const fs::path path = fs::path(kept).relative_path().lexically_normal();
    if (!is_kept(path.native(), {"tmp"})) continue;
    const Fd from = TRY(open_dir(spec.volatile_tree));
    const auto parent = open_at(from.get(), path.parent_path().empty() ? "." : path.parent_path().native(), O_PATH,
                                Resolve::no_symlinks);
    struct stat st {};
    if (!parent || ::fstatat((*parent).get(), path.filename().c_str(), &st, AT_SYMLINK_NOFOLLOW) != 0) continue;
    TRY(make_dirs(spec.upper / path.parent_path()));
    if (::rename((spec.volatile_tree / path).c_str(), (spec.upper / path).c_str()) != 0) {
      return sys_error("keep {}", path);
    }
    any = true;
  }
  if (any && fs::is_directory(spec.upper / "tmp")) {
    if (::chmod((spec.upper / "tmp").c_str(), 01777) != 0) return sys_error("keep /tmp");
    TRY(set_time(AT_FDCWD, (spec.upper / "tmp").native(), {static_cast<time_t>(spec.clock), 0}));
  }
  return any;
}

/// A layer that brings /tmp itself, as a base does, keeps it as an empty directory: an image without it is of no use.
Result<> keep_tmp_itself(const CollectSpec& spec) {
  struct stat st {};
  if (::lstat((spec.volatile_tree / "tmp").c_str(), &st) != 0 || !S_ISDIR(st.st_mode)) return {};
  const fs::path tmp = spec.upper / "tmp";
  if (::mkdir(tmp.c_str(), 0700) != 0 && errno != EEXIST) return sys_error("make {}", tmp);
  if (::lchown(tmp.c_str(), st.st_uid, st.st_gid) != 0 || ::chmod(tmp.c_str(), st.st_mode & 07777) != 0) {
    return sys_error("set the mode of {}", tmp);
  }
  return set_time(AT_FDCWD, tmp.native(), {static_cast<time_t>(spec.clock), 0});
}

/// /tmp goes into a tree of its own.
Result<> split_tmp(const CollectSpec& spec, const Scan& scan, CollectReport& report) {
  if (::mkdir(spec.volatile_tree.c_str(), 0755) != 0) return sys_error("make {}", spec.volatile_tree);
  for (const Node& child : scan.root.children) {
    if (child.fate == Fate::drop) continue;
    if (child.name != "tmp") {
      report.empty = false;
      continue;
    }
    if (::rename((spec.upper / "tmp").c_str(), (spec.volatile_tree / "tmp").c_str()) != 0)
      return sys_error("move /tmp");
    report.volatile_empty = false;
  }
  if (!report.volatile_empty && TRY(keep_from_tmp(spec))) report.empty = false;
  if (!fs::exists(fs::symlink_status(spec.volatile_tree / "tmp"))) report.volatile_empty = true;
  return plain_root(spec.volatile_tree, spec.clock);
}

}  // namespace

Result<CollectReport> collect(const CollectSpec& given) {
  CollectSpec spec = given;
  if (!spec.upper.has_filename()) spec.upper = spec.upper.parent_path();  // "upper/" is "upper"
  const fs::path stub = TRY(stub_layer(spec).context("collecting {}", spec.upper));
  std::vector<fs::path> layers = spec.lowers;
  if (!stub.empty()) layers.push_back(stub);
  const tree::Merged below = TRY(tree::Merged::open(layers));
  const Fd upper = TRY(open_dir(spec.upper));
  const int stub_index = stub.empty() ? -1 : static_cast<int>(spec.lowers.size());
  const Scan scan =
      TRY(scan_upper(upper.get(), below, stub_index, spec.clock, spec.keep).context("collecting {}", spec.upper));
  TRY(clean_attributes(upper.get(), scan.root));
  TRY(apply_dir(upper.get(), scan.root).context("collecting {}", spec.upper));
  CollectReport report;
  report.dropped = scan.dropped;
  TRY(split_tmp(spec, scan, report).context("collecting {}", spec.upper));
  if (!report.volatile_empty && !TRY(below.find(below.root(), "tmp"))) {
    TRY(keep_tmp_itself(spec).context("collecting {}", spec.upper));
    report.empty = false;
  }
  TRY(plain_root(spec.upper, spec.clock));
  if (::rename(spec.upper.c_str(), spec.tree.c_str()) != 0) return sys_error("rename {} to {}", spec.upper, spec.tree);
  return report;
}

}  // namespace kiln::sandbox
