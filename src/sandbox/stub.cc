#include "sandbox/stub.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>

#include "base/file.h"
#include "base/text.h"
#include "tree/tree.h"

namespace kiln::sandbox {

namespace {

using Kind = StubEntry::Kind;

bool lies_below(const std::string& path, std::string_view dir) {
  return path.compare(0, dir.size(), dir) == 0 && (path.size() == dir.size() || path[dir.size()] == '/');
}

Result<> add_mount_points(const tree::Merged& tree, std::vector<StubEntry>& entries) {
  for (const char* name : {"proc", "sys", "dev", "run"}) {
    const auto found = TRY(tree.find(tree.root(), name));
    if (!found || !S_ISDIR(found->st.st_mode)) entries.push_back({name, Kind::dir, {}, 0755});
  }
  const auto tmp = TRY(tree.find(tree.root(), "tmp"));
  if (!tmp) entries.push_back({"tmp", Kind::dir, {}, 01777});
  return {};
}

/// A generated file goes where its path leads inside the tree: to /run when it leads there (resolv.conf of an image
/// that runs a resolver), else into the layer; a path that leads nowhere is replaced by the file.
Result<> add_file(const tree::Merged& tree, const StubFile& stub, StubPlan& plan) {
  auto resolved = tree.resolve(stub.path, true);
  const bool lost = !resolved || lies_below(resolved->path, "proc") || lies_below(resolved->path, "sys") ||
                    lies_below(resolved->path, "dev") || (resolved->found && !S_ISREG(resolved->found->st.st_mode));
  if (lost) resolved = tree.resolve(stub.path, false);
  if (!resolved) return std::move(resolved).error();
  const std::string& path = resolved->path;
  if (resolved->found && S_ISDIR(resolved->found->st.st_mode)) {
    return error(Errc::usage, "{}: the image has a directory where a file has to be", stub.path);
  }
  if (lies_below(path, "run")) {
    plan.places.run_files.push_back({path, stub.content, stub.mode});
  } else {
    plan.entries.push_back({path, Kind::file, stub.content, stub.mode});
  }
  return {};
}

Result<> add_commands(const tree::Merged& tree, std::vector<StubEntry>& entries) {
  const auto dir = TRY(tree.resolve("usr/sbin", true));
  for (const char* name : {"halt", "poweroff", "reboot", "shutdown"}) {
    entries.push_back({tree::Merged::join(dir.path, name), Kind::symlink, "/run/kiln/init", 0777});
  }
  // Trees without merged /usr have these commands in /sbin, which is searched when /usr/sbin has none of the name only.
  const auto old = TRY(tree.resolve("sbin", true));
  if (old.path == dir.path || !old.found) return {};
  for (const char* name : {"halt", "poweroff", "reboot", "shutdown"}) {
    entries.push_back({tree::Merged::join(old.path, name), Kind::symlink, "/run/kiln/init", 0777});
  }
  return {};
}

/// Where a mount goes, and its mount point when the tree has none.
Result<std::string> mount_place(const tree::Merged& tree, const std::string& target, bool directory, StubPlan& plan) {
  const auto resolved = TRY(tree.resolve(target, true).context("mount at {}", target));
  if (resolved.path.empty()) return error(Errc::usage, "mount at {}: this is the root", target);
  if (resolved.found && S_ISDIR(resolved.found->st.st_mode) != directory) {
    return error(Errc::usage, "mount at {}: the image has {} there", target, directory ? "a file" : "a directory");
  }
  const bool made_by_init = lies_below(resolved.path, "run") || lies_below(resolved.path, "dev");
  if (!resolved.found && !made_by_init) {
    plan.entries.push_back({resolved.path, directory ? Kind::dir : Kind::file, {}, directory ? 0755U : 0644U});
  }
  return resolved.path;
}

void sort_entries(std::vector<StubEntry>& entries) {
  std::stable_sort(entries.begin(), entries.end(), [](const auto& a, const auto& b) { return a.path < b.path; });
  const auto same = [](const auto& a, const auto& b) { return a.path == b.path; };
  entries.erase(std::unique(entries.begin(), entries.end(), same), entries.end());
}

}  // namespace

Result<StubPlan> plan_stubs(const tree::Merged& tree, const RunSpec& spec) {
  StubPlan plan;
  TRY(add_mount_points(tree, plan.entries));
  for (const StubFile& stub : spec.stubs) {
    if (!stub.path.starts_with("/run/kiln/")) TRY(add_file(tree, stub, plan));
  }
  TRY(add_commands(tree, plan.entries));
  for (const CacheMount& cache : spec.caches) {
    plan.places.caches.push_back(TRY(mount_place(tree, cache.target, true, plan)));
  }
  for (const Bind& bind : spec.binds) {
    struct stat st {};
    if (::stat(bind.source.c_str(), &st) != 0) return sys_error("bind {}", bind.source);
    plan.places.binds.push_back(TRY(mount_place(tree, bind.target, S_ISDIR(st.st_mode), plan)));
  }
  sort_entries(plan.entries);
  return plan;
}

Result<> copy_metadata(const std::string& from, const struct stat& st, int to) {
  if (::fchown(to, st.st_uid, st.st_gid) != 0 || ::fchmod(to, st.st_mode & 07777) != 0) return sys_error("chown");
  for (const auto& [name, value] : TRY(tree::attributes_of(from))) {
    if (!tree::is_kept_attribute(name)) continue;
    if (::fsetxattr(to, name.c_str(), value.data(), value.size(), 0) != 0) return sys_error("set attribute {}", name);
  }
  const timespec times[2] = {st.st_mtim, st.st_mtim};
  if (::futimens(to, times) != 0) return sys_error("set times");
  return {};
}

namespace {

std::vector<std::string> parents_of(const std::vector<StubEntry>& entries) {
  std::set<std::string> all = {""};
  for (const StubEntry& entry : entries) {
    for (std::size_t slash = entry.path.rfind('/'); slash != std::string::npos;
         slash = slash == 0 ? std::string::npos : entry.path.rfind('/', slash - 1)) {
      all.insert(entry.path.substr(0, slash));
    }
  }
  return {all.begin(), all.end()};
}

Result<> make_entry(int layer, const StubEntry& entry) {
  const char* path = entry.path.c_str();
  if (entry.kind == Kind::dir) {
    if (::mkdirat(layer, path, entry.mode) != 0 && errno != EEXIST) return sys_error("make stub {}", entry.path);
    const Fd dir(::openat(layer, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (!dir || ::fchmod(dir.get(), entry.mode) != 0) return sys_error("make stub {}", entry.path);
    return {};
  }
  if (entry.kind == Kind::symlink) {
    if (::symlinkat(entry.content.c_str(), layer, path) != 0) return sys_error("make stub {}", entry.path);
    return {};
  }
  const Fd file(::openat(layer, path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!file || ::fchmod(file.get(), entry.mode) != 0) return sys_error("make stub {}", entry.path);
  return write_full(file.get(), entry.content).context("make stub {}", entry.path);
}

Result<> set_time(int layer, const std::string& path, std::int64_t clock) {
  const timespec time{static_cast<time_t>(clock), 0};
  const timespec times[2] = {time, time};
  if (::utimensat(layer, path.c_str(), times, AT_SYMLINK_NOFOLLOW) != 0) return sys_error("set times of stub {}", path);
  return {};
}

/// The directory as the tree has it; one that the tree lacks is plain.
Result<> dress(const tree::Merged& tree, int layer, const std::string& path, std::int64_t clock) {
  const Fd dir(::openat(layer, path.empty() ? "." : path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!dir) return sys_error("open stub {}", path);
  const auto resolved = TRY(tree.resolve(path, false));
  if (!resolved.found || !S_ISDIR(resolved.found->st.st_mode)) {
    if (::fchmod(dir.get(), 0755) != 0) return sys_error("make stub {}", path);
    return path.empty() ? Result<>() : set_time(layer, path, clock);
  }
  const std::string from =
      fmt::format("/proc/self/fd/{}/{}", tree.layer_fd(resolved.found->layer), resolved.found->dir.path);
  return copy_metadata(from, resolved.found->st, dir.get()).context("make stub {}", path);
}

}  // namespace

Result<> make_stub_layer(const tree::Merged& tree, const std::vector<StubEntry>& entries, const fs::path& dir,
                         std::int64_t clock) {
  if (::mkdir(dir.c_str(), 0755) != 0) return sys_error("make {}", dir);
  const Fd layer = TRY(open_dir(dir));
  const auto parents = parents_of(entries);
  for (const std::string& parent : parents) {
    if (!parent.empty() && ::mkdirat(layer.get(), parent.c_str(), 0755) != 0) return sys_error("make stub {}", parent);
  }
  for (const StubEntry& entry : entries) TRY(make_entry(layer.get(), entry));
  for (const StubEntry& entry : entries) TRY(set_time(layer.get(), entry.path, clock));
  for (auto parent = parents.rbegin(); parent != parents.rend(); ++parent)
    TRY(dress(tree, layer.get(), *parent, clock));
  return {};
}

namespace {

/// Everything that decides what make_stub_layer makes.
Result<Digest> stub_digest(const tree::Merged& tree, const std::vector<StubEntry>& entries, std::int64_t clock) {
  std::string text = std::to_string(clock);
  const auto add = [&text](std::string_view part) { text += fmt::format("{}:{}", part.size(), part); };
  for (const StubEntry& entry : entries) {
    add(entry.path);
    add(fmt::format("{} {:o}", static_cast<int>(entry.kind), entry.mode));
    add(entry.content);
  }
  for (const std::string& parent : parents_of(entries)) {
    const auto resolved = TRY(tree.resolve(parent, false));
    add(parent);
    if (!resolved.found || !S_ISDIR(resolved.found->st.st_mode)) continue;
    const struct stat& st = resolved.found->st;
    add(fmt::format("{:o} {}:{} {}.{}", st.st_mode, st.st_uid, st.st_gid, st.st_mtim.tv_sec, st.st_mtim.tv_nsec));
    const std::string from =
        fmt::format("/proc/self/fd/{}/{}", tree.layer_fd(resolved.found->layer), resolved.found->dir.path);
    for (const auto& [name, value] : TRY(tree::attributes_of(from))) {
      add(name);
      add({reinterpret_cast<const char*>(value.data()), value.size()});
    }
  }
  return sha256(text);
}

}  // namespace

Result<> link_stub_layer(const tree::Merged& tree, const std::vector<StubEntry>& entries, const fs::path& home,
                         const fs::path& dir, std::int64_t clock) {
  const fs::path kept = home / TRY(stub_digest(tree, entries, clock)).hex();
  std::error_code ec;
  if (!fs::is_directory(kept, ec)) {
    const fs::path fresh = home / to_hex(random_bytes(8));
    TRY(make_stub_layer(tree, entries, fresh, clock));
    if (::rename(fresh.c_str(), kept.c_str()) != 0) {  // another run was faster
      TRY(remove_tree(fresh));
      if (!fs::is_directory(kept, ec)) return sys_error("make {}", kept);
    }
  }
  if (::symlink(kept.c_str(), dir.c_str()) != 0) return sys_error("make {}", dir);
  return {};
}

}  // namespace kiln::sandbox
