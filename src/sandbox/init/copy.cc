// The actions that copy: files of the host into the step and back. Runs inside the new root with the step's
// capabilities, so every path means what it means to the step; the host's side is an open descriptor.
#include <dirent.h>
#include <fcntl.h>
#include <sys/sendfile.h>
#include <sys/stat.h>

#include "sandbox/init/sys.h"

namespace kiln::sandbox::init {

namespace {

constexpr int kMaxDepth = 256;  // of an image's paths, hardening section 2

struct Copy {
  std::int64_t clock;  // what copies get as time; negative: the source's own
  const char* what;    // for messages
};

void set_times(int dir, const char* name, const struct stat& st, const Copy& copy) {
  timespec times[2] = {{0, UTIME_OMIT}, st.st_mtim};
  if (copy.clock >= 0) times[1] = {static_cast<time_t>(copy.clock), 0};
  times[0] = times[1];
  if (::utimensat(dir, name, times, AT_SYMLINK_NOFOLLOW) != 0) fail({"set times of ", name, " in ", copy.what});
}

/// The bits of a source's mode that a copy gets: as under umask 022, so that the umask of a checkout does not matter.
mode_t copied_mode(const struct stat& st) {
  return st.st_mode & 0755;
}

void copy_bytes(int from, int to, const char* name, const Copy& copy) {
  for (;;) {
    const ssize_t n = ::sendfile(to, from, nullptr, 1 << 30);
    if (n == 0) return;
    if (n < 0 && errno != EINTR) fail({"copy ", name, " of ", copy.what});
  }
}

void copy_file(int from, int dir, const char* name, const struct stat& st, const Copy& copy) {
  if (::unlinkat(dir, name, 0) != 0 && errno != ENOENT) fail({"replace ", name, " for ", copy.what});
  const int to = ::openat(dir, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
  if (to < 0) fail({"make ", name, " for ", copy.what});
  copy_bytes(from, to, name, copy);
  if (::fchmod(to, copied_mode(st)) != 0) fail({"set the mode of ", name, " for ", copy.what});
  ::close(to);
  set_times(dir, name, st, copy);
}

void copy_link(int from_dir, const char* name, int dir, const struct stat& st, const Copy& copy) {
  char text[4096];
  const ssize_t n = ::readlinkat(from_dir, name, text, sizeof text - 1);
  if (n < 0) fail({"read link ", name, " of ", copy.what});
  text[n] = '\0';
  if (::unlinkat(dir, name, 0) != 0 && errno != ENOENT) fail({"replace ", name, " for ", copy.what});
  if (::symlinkat(text, dir, name) != 0) fail({"make link ", name, " for ", copy.what});
  set_times(dir, name, st, copy);
}

void copy_contents(int from, int to, int depth, const Copy& copy);

/// A directory's copy: an existing directory stays as it is and gains entries.
void copy_dir(int from, int dir, const char* name, const struct stat& st, int depth, const Copy& copy) {
  const bool made = ::mkdirat(dir, name, 0700) == 0;
  if (!made && errno != EEXIST) fail({"make directory ", name, " for ", copy.what});
  const int to = ::openat(dir, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (to < 0) fail({"open directory ", name, " for ", copy.what});
  copy_contents(from, to, depth, copy);
  if (made) {
    if (::fchmod(to, copied_mode(st) | 0700) != 0) fail({"set the mode of ", name, " for ", copy.what});
    set_times(dir, name, st, copy);
  }
  ::close(to);
}

void copy_entry(int from_dir, const char* name, int to, int depth, const Copy& copy) {
  struct stat st {};
  if (::fstatat(from_dir, name, &st, AT_SYMLINK_NOFOLLOW) != 0) fail({"stat ", name, " of ", copy.what});
  if (S_ISLNK(st.st_mode)) return copy_link(from_dir, name, to, st, copy);
  if (!S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode)) return;  // sockets, FIFOs, devices are not content
  const int directory = S_ISDIR(st.st_mode) ? O_DIRECTORY : O_NONBLOCK;
  const int from = ::openat(from_dir, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | directory);
  if (from < 0 || ::fstat(from, &st) != 0) fail({"open ", name, " of ", copy.what});
  if (S_ISDIR(st.st_mode)) {
    copy_dir(from, to, name, st, depth + 1, copy);
  } else if (S_ISREG(st.st_mode)) {
    copy_file(from, to, name, st, copy);
  }
  ::close(from);
}

void copy_contents(int from, int to, int depth, const Copy& copy) {
  if (depth > kMaxDepth) fail_with(ELOOP, {"directories nested too deeply in ", copy.what});
  const int listed = ::openat(from, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  DIR* stream = listed < 0 ? nullptr : ::fdopendir(listed);
  if (stream == nullptr) fail({"list a directory of ", copy.what});
  while (const dirent* entry = ::readdir(stream)) {
    const char* name = entry->d_name;
    if (std::strcmp(name, ".") == 0 || std::strcmp(name, "..") == 0) continue;
    copy_entry(from, name, to, depth, copy);
  }
  ::closedir(stream);
}

bool is_dir(const char* path) {
  struct stat st {};
  return ::stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

/// Splits a path at its last "/" into an open parent directory and a name.
struct Place {
  int dir;
  char parent[4096];
  char name[256];
};

void find_place(Place& place, const char* path) {
  std::size_t n = std::strlen(path);
  while (n > 1 && path[n - 1] == '/') --n;
  std::size_t slash = n;
  while (slash > 0 && path[slash - 1] != '/') --slash;
  if (n - slash >= sizeof place.name || slash >= sizeof place.parent || n == slash) fail_with(EINVAL, {path});
  std::memcpy(place.parent, path, slash);
  place.parent[slash] = '\0';
  std::memcpy(place.name, path + slash, n - slash);
  place.name[n - slash] = '\0';
  place.dir = ::open(slash == 0 ? "." : place.parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (place.dir < 0) fail({"the directory of ", path, " in the image"});
}

int reopen(int tree, bool directory) {
  if (directory) return ::openat(tree, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  return ::open(FdPath(tree).text, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
}

void upload_one(int tree, const char* destination, const char* base, bool contents, std::int64_t clock) {
  const Copy copy{clock, destination};
  struct stat st {};
  if (::fstat(tree, &st) != 0) fail({"stat the source of ", destination});
  const std::size_t length = std::strlen(destination);
  const bool below = is_dir(destination) || (length > 0 && destination[length - 1] == '/');
  const int from = reopen(tree, S_ISDIR(st.st_mode));
  if (from < 0) fail({"open the source of ", destination});
  if (std::strspn(destination, "/") == length && S_ISDIR(st.st_mode) && contents) {
    copy_contents(from, ::open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC), 0, copy);
    return;
  }
  char path[4096];
  const bool add_base = below && !(S_ISDIR(st.st_mode) && contents);
  if (length + std::strlen(base) + 2 > sizeof path) fail_with(ENAMETOOLONG, {destination});
  std::memcpy(path, destination, length + 1);
  if (add_base) {
    if (length == 0 || path[length - 1] != '/') std::strcat(path, "/");
    std::strcat(path, base);
  }
  Place place;
  find_place(place, path);
  if (S_ISDIR(st.st_mode)) {
    copy_dir(from, place.dir, place.name, st, 0, copy);
  } else if (S_ISREG(st.st_mode)) {
    copy_file(from, place.dir, place.name, st, copy);
  } else {
    fail_with(EINVAL, {"the source of ", destination, " is neither a file nor a directory"});
  }
  ::close(place.dir);
  ::close(from);
}

void download_one(const char* source, int tree) {
  const Copy copy{-1, source};
  const int to = reopen(tree, true);
  if (to < 0) fail({"open the destination of ", source});
  struct stat st {};
  if (::stat(source, &st) != 0) fail({"download ", source});
  const std::size_t length = std::strlen(source);
  const bool contents = length > 0 && source[length - 1] == '/';
  const int directory = S_ISDIR(st.st_mode) ? O_DIRECTORY : O_NONBLOCK;
  const int from = ::open(source, O_RDONLY | O_CLOEXEC | directory);
  if (from < 0 || ::fstat(from, &st) != 0) fail({"download ", source});
  if (S_ISDIR(st.st_mode) && contents) {
    copy_contents(from, to, 0, copy);
    return;
  }
  Place place;
  find_place(place, source);
  if (S_ISDIR(st.st_mode)) {
    copy_dir(from, to, place.name, st, 0, copy);
  } else if (S_ISREG(st.st_mode)) {
    copy_file(from, to, place.name, st, copy);
  } else {
    fail_with(EINVAL, {"download ", source, ": neither a file nor a directory"});
  }
}

}  // namespace

void upload(const State& state, Reader& in) {
  const auto clock = static_cast<std::int64_t>(in.number());
  const std::uint64_t count = in.number();
  for (std::uint64_t i = 0; i < count; ++i) {
    const std::uint64_t source = in.number();
    const char* destination = in.text();
    const char* base = in.text();
    const bool contents = in.number() != 0;
    upload_one(state.sources[source], destination, base, contents, clock);
  }
  ::_exit(0);
}

void download(const State& state, Reader& in) {
  const std::uint64_t count = in.number();
  for (std::uint64_t i = 0; i < count; ++i) {
    const char* source = in.text();
    download_one(source, state.sources[in.number()]);
  }
  ::_exit(0);
}

}  // namespace kiln::sandbox::init
