// The set-up of a step's root: every operation by descriptor below the new root, so that no link of the image leads it
// astray.
#include <linux/magic.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/sysmacros.h>
#include <sys/utsname.h>
#include <sys/vfs.h>

#include "sandbox/init/sys.h"

namespace kiln::sandbox::init {

namespace {

constexpr std::uint64_t kNoLinks = RESOLVE_NO_SYMLINKS | RESOLVE_BENEATH;

int mount_point(const State& state, const char* path) {
  const int fd = open_below(state.root, path, O_PATH, kNoLinks);
  if (fd < 0) fail({"open mount point /", path});
  return fd;
}

void attach(int mount, int target, const char* name) {
  if (::move_mount(mount, "", target, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) != 0) {
    fail({"mount /", name});
  }
}

/// A new file system that is not attached anywhere yet. options: "name=value,name=value".
int new_mount(const char* type, const char* options, unsigned attributes) {
  const int context = ::fsopen(type, FSOPEN_CLOEXEC);
  if (context < 0) fail({"make file system ", type});
  char pair[256];
  while (*options != '\0') {
    std::size_t n = std::strcspn(options, ",");
    if (n >= sizeof pair) fail_with(EINVAL, {"options of ", type});
    std::memcpy(pair, options, n);
    pair[n] = '\0';
    char* value = std::strchr(pair, '=');
    if (value == nullptr) fail_with(EINVAL, {"options of ", type});
    *value++ = '\0';
    if (::fsconfig(context, FSCONFIG_SET_STRING, pair, value, 0) != 0) fail({"option ", pair, " of ", type});
    options += n + (options[n] == ',' ? 1 : 0);
  }
  if (::fsconfig(context, FSCONFIG_CMD_CREATE, nullptr, nullptr, 0) != 0) fail({"make file system ", type});
  const int mount = ::fsmount(context, FSMOUNT_CLOEXEC, attributes);
  if (mount < 0) fail({"make mount of ", type});
  ::close(context);
  return mount;
}

void set_attributes(int mount, unsigned attributes, const char* name) {
  mount_attr change{};
  change.attr_set = attributes;
  if (::mount_setattr(mount, "", AT_EMPTY_PATH | AT_RECURSIVE, &change, sizeof change) != 0) {
    fail({"set flags of mount ", name});
  }
}

/// A short name for a path: decimal digits in the private tmpfs.
void link_name(char* out, unsigned number) {
  const FdPath digits(static_cast<int>(number));
  std::strcpy(out, digits.text + sizeof("/proc/self/fd/") - 1);
}

void add_link(State& state, const char* path, char* name) {
  link_name(name, ++state.link_count);
  if (::symlinkat(path, state.links, name) != 0) fail({"link to ", path});
}

/// Appends; the caller's buffer is larger than 400 names need, and this checks it.
struct OptionText {
  char text[4000];
  std::size_t size = 0;
  void add(const char* more) {
    const std::size_t n = std::strlen(more);
    if (size + n >= sizeof text) fail_with(E2BIG, {"options of the overlay"});
    std::memcpy(text + size, more, n + 1);
    size += n;
  }
};

void do_overlay(State& state, Reader& in) {
  const char* target = in.text();
  const char* host_target = in.text();
  if (state.links < 0) state.links = new_mount("tmpfs", "mode=700,size=1m", 0);
  OptionText options;
  char name[16];
  const auto add = [&](const char* key, const char* path) {
    add_link(state, path, name);
    options.add(key);
    options.add(name);
  };
  add("upperdir=", in.text());
  const char* work = in.text();
  add(",workdir=", work);
  const std::uint64_t lowers = in.number();
  for (std::uint64_t i = 0; i < lowers; ++i) add(i == 0 ? ",lowerdir=" : ":", in.text());
  options.add(",redirect_dir=off,metacopy=off,index=off,xino=off");
  if (::fchdir(state.links) != 0) fail({"enter the directory of links"});
  const bool is_root = *target == '\0';
  const int point = is_root ? -1 : mount_point(state, target);
  const FdPath point_path(point < 0 ? 0 : point);
  const char* where = is_root ? host_target : point_path.text;
  const unsigned long flags = is_root ? MS_NODEV : MS_NODEV | MS_NOSUID;
  // volatile: what a failed step wrote is thrown away, so no sync of the step need reach the disk
  const std::size_t plain = options.size;
  options.add(",volatile");
  int mounted = ::mount("overlay", where, "overlay", flags, options.text);
  if (mounted != 0 && errno == EINVAL) {
    options.text[plain] = '\0';
    mounted = ::mount("overlay", where, "overlay", flags, options.text);
  }
  if (mounted != 0) fail({"mount overlay on /", target});
  if (!is_root) {
    ::close(point);
    return;
  }
  // The links go with the host's mounts: a mount of their own would cost a wait for all processors when it is closed.
  if (::move_mount(state.links, "", AT_FDCWD, work, MOVE_MOUNT_F_EMPTY_PATH) != 0) fail({"mount at ", work});
  state.root = ::open(host_target, O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (state.root < 0) fail({"open the new root"});
}

void do_tmpfs(State& state, Reader& in) {
  const char* target = in.text();
  const char* options = in.text();
  const auto attributes = static_cast<unsigned>(in.number());
  const int mount = new_mount("tmpfs", options, attributes);
  const int point = mount_point(state, target);
  attach(mount, point, target);
  ::close(point);
  ::close(mount);
}

void do_proc(State& state, Reader& in) {
  const char* target = in.text();
  state.proc = new_mount("proc", "", MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC);
  struct statfs facts {};
  if (::fstatfs(state.proc, &facts) != 0 || facts.f_type != PROC_SUPER_MAGIC) fail({"check /proc"});
  const int point = mount_point(state, target);
  attach(state.proc, point, target);
  ::close(point);
}

void do_devpts(State& state, Reader& in) {
  const char* target = in.text();
  const int mount = new_mount("devpts", "ptmxmode=0666,mode=0620,gid=5", MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC);
  const int point = mount_point(state, target);
  attach(mount, point, target);
  ::close(point);
  ::close(mount);
}

/// Lays a mount over an entry of the new /proc.
void cover(int mount, int point, const char* path) {
  attach(mount, point, path);
  ::close(mount);
  ::close(point);
}

int proc_entry(const State& state, const char* path) {
  const int point = open_below(state.proc, path, O_PATH, kNoLinks);
  if (point < 0 && errno != ENOENT) fail({"open /proc/", path});
  return point;
}

void do_read_only(State& state, Reader& in) {
  const char* path = in.text();
  const int point = proc_entry(state, path);
  if (point < 0) return;
  const int clone = ::open_tree(point, "", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH | AT_RECURSIVE);
  if (clone < 0) fail({"clone /proc/", path});
  set_attributes(clone, MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC, path);
  cover(clone, point, path);
}

void do_mask(State& state, Reader& in) {
  const char* path = in.text();
  const int point = proc_entry(state, path);
  if (point < 0) return;
  struct stat st {};
  if (::fstat(point, &st) != 0) fail({"stat /proc/", path});
  int cover_with = -1;
  if (S_ISDIR(st.st_mode)) {
    cover_with = new_mount("tmpfs", "mode=555,size=4k", MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV);
  } else {
    const int null = open_below(state.root, "dev/null", O_PATH, kNoLinks);
    if (null < 0) fail({"open /dev/null of the step"});
    cover_with = ::open_tree(null, "", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH);
    if (cover_with < 0) fail({"clone /dev/null"});
    ::close(null);
  }
  cover(cover_with, point, path);
}

/// An empty file or directory below the new root as a mount point. Its parents are there.
void make_point(State& state, const char* target, bool directory) {
  const int there = open_below(state.root, target, O_PATH, kNoLinks);
  if (there >= 0) {
    ::close(there);
    return;
  }
  const char* slash = std::strrchr(target, '/');
  char parent[4096];
  const std::size_t n = slash == nullptr ? 0 : static_cast<std::size_t>(slash - target);
  if (n >= sizeof parent) fail_with(ENAMETOOLONG, {target});
  std::memcpy(parent, target, n);
  parent[n] = '\0';
  if (n > 0) make_point(state, parent, true);
  const int dir = open_below(state.root, n == 0 ? "." : parent, O_PATH | O_DIRECTORY, kNoLinks);
  const char* name = slash == nullptr ? target : slash + 1;
  if (directory) {
    if (dir < 0 || ::mkdirat(dir, name, 0755) != 0) fail({"make directory /", target});
  } else {
    const int file = ::openat(dir, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
    if (file < 0) fail({"make file /", target});
    ::close(file);
  }
  ::close(dir);
}

void do_device(State& state, Reader& in) {
  const char* source = in.text();
  const char* target = in.text();
  const auto major_number = static_cast<unsigned>(in.number());
  const auto minor_number = static_cast<unsigned>(in.number());
  const int node = ::open(source, O_PATH | O_NOFOLLOW | O_CLOEXEC);
  struct stat st {};
  if (node < 0 || ::fstat(node, &st) != 0) fail({"open ", source});
  if (!S_ISCHR(st.st_mode) || st.st_rdev != makedev(major_number, minor_number)) {
    fail_with(ENXIO, {source, " of the host is not the device that it should be"});
  }
  const int clone = ::open_tree(node, "", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH);
  if (clone < 0) fail({"clone ", source});
  set_attributes(clone, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC, source);
  make_point(state, target, false);
  cover(clone, mount_point(state, target), target);
  ::close(node);
}

void do_bind(State& state, Reader& in) {
  const char* source = in.text();
  const char* target = in.text();
  const bool read_only = in.number() != 0;
  const int clone = ::open_tree(AT_FDCWD, source, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE);
  struct stat st {};
  if (clone < 0 || ::fstat(clone, &st) != 0) fail({"open ", source});
  if (!S_ISDIR(st.st_mode) && !S_ISREG(st.st_mode) && !S_ISSOCK(st.st_mode)) {
    fail_with(EINVAL, {source, " is neither a directory nor a file"});
  }
  set_attributes(clone, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | (read_only ? MOUNT_ATTR_RDONLY : 0U), source);
  make_point(state, target, S_ISDIR(st.st_mode));
  cover(clone, mount_point(state, target), target);
}

void do_loopback() {
  const int socket = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  ifreq request{};
  std::strcpy(request.ifr_name, "lo");
  request.ifr_flags = IFF_UP | IFF_RUNNING;
  if (socket < 0 || ::ioctl(socket, SIOCSIFFLAGS, &request) != 0) fail({"bring up lo"});
  ::close(socket);
}

void do_source(State& state, Reader& in) {
  const char* path = in.text();
  if (state.source_count == wire::kMaxSources) fail_with(E2BIG, {"too many files to copy: ", path});
  const int tree = ::open_tree(AT_FDCWD, path, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE);
  if (tree < 0) fail({"open ", path});
  state.sources[state.source_count++] = tree;
}

void do_pivot(State& state) {
  if (::fchdir(state.root) != 0) fail({"enter the new root"});
  if (::syscall(SYS_pivot_root, ".", ".") != 0) fail({"pivot_root"});
  if (::umount2(".", MNT_DETACH) != 0) fail({"detach the host's root"});
  if (::chdir("/") != 0) fail({"enter /"});
  if (state.links >= 0) ::close(state.links);
  state.links = -1;
}

/// The limit of processes: pid_max, which belongs to a PID namespace since Linux 6.14. On older kernels it is the whole
/// machine's and stays untouched.
void do_max_procs(const State& state, Reader& in) {
  std::uint64_t count = in.number();
  utsname names{};
  if (::uname(&names) != 0) return;
  const long major_number = std::strtol(names.release, nullptr, 10);
  const char* dot = std::strchr(names.release, '.');
  const long minor_number = dot == nullptr ? 0 : std::strtol(dot + 1, nullptr, 10);
  if (major_number < 6 || (major_number == 6 && minor_number < 14)) return;
  char digits[24];
  std::size_t at = sizeof digits;
  do digits[--at] = static_cast<char>('0' + count % 10);
  while ((count /= 10) > 0);
  const int file = open_below(state.proc, "sys/kernel/pid_max", O_WRONLY, kNoLinks);
  if (file < 0) return;
  (void)write_all(file, digits + at, sizeof digits - at);
  ::close(file);
}

void do_hostname(Reader& in) {
  std::size_t size = 0;
  const char* name = in.text(&size);
  if (::sethostname(name, size) != 0) fail({"set host name ", name});
}

}  // namespace

void set_up(State& state, Reader& in) {
  using wire::Op;
  for (;;) {
    switch (static_cast<Op>(in.number())) {
      case Op::end:
        return;
      case Op::overlay:
        do_overlay(state, in);
        break;
      case Op::tmpfs:
        do_tmpfs(state, in);
        break;
      case Op::proc:
        do_proc(state, in);
        break;
      case Op::devpts:
        do_devpts(state, in);
        break;
      case Op::read_only:
        do_read_only(state, in);
        break;
      case Op::mask:
        do_mask(state, in);
        break;
      case Op::device:
        do_device(state, in);
        break;
      case Op::bind:
        do_bind(state, in);
        break;
      case Op::make_dir:
        make_dir(state, in);
        break;
      case Op::write_file:
        write_file(state, in, false);
        break;
      case Op::script:
        write_file(state, in, true);
        break;
      case Op::symlink:
        init::symlink(state, in);
        break;
      case Op::own_copy:
        own_copy(state, in);
        break;
      case Op::hostname:
        do_hostname(in);
        break;
      case Op::loopback:
        do_loopback();
        break;
      case Op::source:
        do_source(state, in);
        break;
      case Op::pivot:
        do_pivot(state);
        break;
      case Op::max_procs:
        do_max_procs(state, in);
        break;
      default:
        fail_with(EBADMSG, {"reading the description of the step"});
    }
  }
}

}  // namespace kiln::sandbox::init
