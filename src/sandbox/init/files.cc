// The operations of the set-up that make files, directories and links below the new root, at paths that mean what they
// mean to the step.
#include <sys/sendfile.h>

#include "sandbox/init/sys.h"

namespace kiln::sandbox::init {

namespace {

/// Opens the parent directory of a path as the step itself would find it; the rest of the path is *name.
int parent_of(const State& state, const char* path, const char** name) {
  const char* slash = std::strrchr(path, '/');
  *name = slash == nullptr ? path : slash + 1;
  if (slash == nullptr) return open_below(state.root, ".", O_PATH | O_DIRECTORY, RESOLVE_IN_ROOT);
  char parent[4096];
  const auto n = static_cast<std::size_t>(slash - path);
  if (n >= sizeof parent) fail_with(ENAMETOOLONG, {path});
  std::memcpy(parent, path, n);
  parent[n] = '\0';
  return open_below(state.root, parent, O_PATH | O_DIRECTORY, RESOLVE_IN_ROOT);
}

/// Removes what is at the path and makes a new file of it; yields its descriptor.
int new_file(int dir, const char* name, mode_t mode, const char* path) {
  if (dir < 0) fail({"open the directory of /", path});
  if (::unlinkat(dir, name, 0) != 0 && errno != ENOENT) fail({"replace /", path});
  const int file = ::openat(dir, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
  if (file < 0 || ::fchmod(file, mode) != 0) fail({"make file /", path});
  return file;
}

}  // namespace

void make_dir(State& state, Reader& in) {
  const char* path = in.text();
  const auto mode = static_cast<mode_t>(in.number());
  const char* name = nullptr;
  const int dir = parent_of(state, path, &name);
  if (dir < 0 || (::mkdirat(dir, name, mode) != 0 && errno != EEXIST)) fail({"make directory /", path});
  ::close(dir);
}

void write_file(State& state, Reader& in, bool is_script) {
  const char* path = in.text();
  const auto mode = static_cast<mode_t>(in.number());
  std::size_t size = 0;
  const char* content = in.text(&size);
  const char* name = nullptr;
  const int dir = parent_of(state, path, &name);
  const int file = new_file(dir, name, mode, path);
  if (!write_all(file, content, size)) fail({"write /", path});
  if (is_script) {
    struct stat st {};
    constexpr unsigned kMost = sizeof state.scripts / sizeof state.scripts[0];
    if (state.script_count == kMost || ::fstat(file, &st) != 0) fail_with(E2BIG, {"too many scripts: ", path});
    state.scripts[state.script_count++] = {path, st.st_dev, st.st_ino};
  }
  ::close(file);
  ::close(dir);
}

void symlink(State& state, Reader& in) {
  const char* text = in.text();
  const char* path = in.text();
  const char* name = nullptr;
  const int dir = parent_of(state, path, &name);
  if (dir < 0 || ::symlinkat(text, dir, name) != 0) fail({"make link /", path});
  ::close(dir);
}

void own_copy(State& state, Reader& in) {
  const char* path = in.text();
  const char* name = nullptr;
  const int dir = parent_of(state, path, &name);
  const int file = new_file(dir, name, 0555, path);
  off_t at = 0;
  ssize_t n = 0;
  while ((n = ::sendfile(file, wire::kProgramFd, &at, 1 << 30)) > 0) {
  }
  if (n < 0) fail({"write /", path});
  ::close(file);
  ::close(dir);
}

}  // namespace kiln::sandbox::init
