#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/sink.h"
#include "sandbox/setup.h"
#include "tree/merged.h"
#include "tree/tree.h"

namespace kiln::sandbox {

namespace {

/// What package managers keep beside finished files: locks and downloads that did not end.
bool is_unfinished(const std::string& name) {
  return name == "lock" || name == "partial" || name.ends_with(".partial") || name.ends_with(".part") ||
         name.ends_with(".lock");
}

/// Another file system: a copy under a name that nobody takes for finished, then a rename.
Result<> copy_over(int from, int to, const std::string& name) {
  const std::string partial = fmt::format(".{}.partial", to_hex(random_bytes(8)));
  const Fd in(::openat(from, name.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  if (!in) return sys_error("open {}", name);
  const struct stat st = TRY(stat_of(in.get()));
  if (!S_ISREG(st.st_mode)) return {};
  const Fd out(::openat(to, partial.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!out) return sys_error("make {}", partial);
  FdSource source(in.get());
  FdSink sink(out.get());
  Result<> done;
  if (auto copied = copy_all(source, sink); !copied) done = std::move(copied).error();
  if (done && (::fchown(out.get(), st.st_uid, st.st_gid) != 0 || ::fchmod(out.get(), st.st_mode & 0777) != 0 ||
               ::renameat(to, partial.c_str(), to, name.c_str()) != 0)) {
    done = sys_error("rename {}", name);
  }
  if (!done) (void)::unlinkat(to, partial.c_str(), 0);
  return done;
}

Result<> keep_file(int from, int to, const std::string& name, mode_t mode) {
  const std::string path = fmt::format("/proc/self/fd/{}/{}", from, name);
  const auto attributes = TRY(tree::attributes_of(path));
  TRY(tree::set_attributes(path, attributes, {}));
  if ((mode & 07000) != 0) {
    const Fd fd(::openat(from, name.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
    if (!fd || ::fchmod(fd.get(), mode & 0777) != 0) return sys_error("chmod {}", name);
  }
  if (::renameat(from, name.c_str(), to, name.c_str()) == 0 || errno == EISDIR) return {};
  if (errno == EXDEV) return copy_over(from, to, name);
  return sys_error("rename {}", name);
}

Result<> keep_contents(int from, int to, int depth);

Result<> keep_subdir(int from, int to, const std::string& name, const struct stat& st, int depth) {
  const bool made = ::mkdirat(to, name.c_str(), 0755) == 0;
  if (!made && errno != EEXIST) return sys_error("make {}", name);
  const Fd inner_to(::openat(to, name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!inner_to) return {};  // the cache has a file of that name: it stays
  if (made &&
      (::fchown(inner_to.get(), st.st_uid, st.st_gid) != 0 || ::fchmod(inner_to.get(), st.st_mode & 0777) != 0)) {
    return sys_error("chown {}", name);
  }
  const Fd inner_from(::openat(from, name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!inner_from) return sys_error("open {}", name);
  return keep_contents(inner_from.get(), inner_to.get(), depth + 1).context("in {}", name);
}

Result<> keep_contents(int from, int to, int depth) {
  if (depth > tree::kMaxDepth) return {};
  for (const std::string& name : TRY(list_dir(from))) {
    const struct stat st = TRY(stat_at(from, name));
    if (is_unfinished(name)) continue;
    if (S_ISDIR(st.st_mode)) TRY(keep_subdir(from, to, name, st, depth));
    if (S_ISREG(st.st_mode)) TRY(keep_file(from, to, name, st.st_mode));
  }
  return {};
}

}  // namespace

Result<> keep_caches(const RunSpec& spec) {
  for (std::size_t i = 0; i < spec.caches.size(); ++i) {
    const fs::path upper = ScratchPaths(spec.scratch).cache_upper(i);
    const Fd from = TRY(open_dir(upper));
    const Fd to = TRY(open_dir(spec.caches[i].shared));
    TRY(keep_contents(from.get(), to.get(), 0).context("keeping {}", spec.caches[i].shared));
  }
  return {};
}

}  // namespace kiln::sandbox
