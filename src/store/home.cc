#include "store/home.h"

#include <fcntl.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "base/text.h"
#include "store/space.h"
#include "store/store.h"

namespace kiln::store {

namespace {

constexpr unsigned kFormat = 1;  // raised when an older kiln would misread the store
constexpr std::string_view kFormatLine = "kiln store ";

constexpr std::array kDirectories = {"aliases", "blobs", "digests", "dirs",    "durable", "layers",
                                     "leases",  "locks", "records", "results", "tmp",     "trash"};

/// What may stand in a store's root before its format file does: another process is making it, or it is a fresh volume.
bool is_ours(const std::string& name) {
  return name == "lost+found" || name == "boot" || name == "format" ||
         std::find(kDirectories.begin(), kDirectories.end(), name) != kDirectories.end();
}

Result<> check_owner(const Home& home) {
  const auto st = TRY(stat_of(home.dir.get()));
  if (st.st_uid != ::geteuid()) {
    return error(Errc::denied, "the store {} belongs to user {}, not to {}: set KILN_STORE to a directory of your own",
                 home.root, st.st_uid, ::geteuid());
  }
  struct statfs fs_stat {};
  if (::fstatfs(home.dir.get(), &fs_stat) != 0) return sys_error("statfs {}", home.root);
  const std::string_view unfit = unfit_file_system(static_cast<std::uint64_t>(fs_stat.f_type));
  if (unfit.empty()) return {};
  return error(Errc::denied, "the store {} lies on {}: set KILN_STORE to a directory on a local disk or volume",
               home.root, unfit);
}

Result<> check_format(const fs::path& root, std::string_view text) {
  unsigned version = 0;
  const std::string_view number = trim(text.substr(std::min(text.size(), kFormatLine.size())));
  const auto parsed = std::from_chars(number.data(), number.data() + number.size(), version);
  if (!text.starts_with(kFormatLine) || parsed.ec != std::errc() || parsed.ptr != number.data() + number.size()) {
    return error(Errc::corrupt, "the store {} has an unreadable 'format' file: set KILN_STORE to another directory",
                 root);
  }
  if (version <= kFormat) return {};
  return error(Errc::denied,
               "the store {} has format {}, this kiln knows formats up to {}: use a newer kiln, or set KILN_STORE to "
               "another directory",
               root, version, kFormat);
}

Result<> make_layout(const Home& home) {
  for (const std::string& name : TRY(list_dir(home.dir.get()))) {
    if (is_ours(name)) continue;
    return error(Errc::usage, "{} is not a store and holds other things ({}): set KILN_STORE to an empty directory",
                 home.root, visible(name));
  }
  if (::fchmod(home.dir.get(), 0700) != 0) return sys_error("make store {}", home.root);
  for (const char* name : kDirectories) {
    if (::mkdirat(home.dir.get(), name, 0700) != 0 && errno != EEXIST) {
      return sys_error("make directory {}/{}", home.root, name);
    }
  }
  auto probe = LockFile::try_lock(home.root / "locks/gc", LockKind::shared);
  if (!probe) {
    return std::move(probe).error().code() == Errc::no_space
               ? error(Errc::no_space, "making the store {}: no space", home.root)
               : error(Errc::denied, "the file system of {} has no file locks: set KILN_STORE to a local disk",
                       home.root);
  }
  const Scratch desk = TRY(Scratch::create(home.root, "format"));  // last: from now on this is a store
  TRY(write_file_quick(desk.path() / "format", fmt::format("{}{}\n", kFormatLine, kFormat), 0600));
  if (::rename((desk.path() / "format").c_str(), (home.root / "format").c_str()) != 0) {
    return sys_error("make {}/format", home.root);
  }
  return {};
}

Result<Home> open_root(const fs::path& root) {
  Home home{root, Fd(::open(root.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)), {}};
  if (!home.dir && errno == ENOENT) {
    TRY(make_dirs(root.parent_path()).context("make the store {} (KILN_STORE)", root));
    if (::mkdir(root.c_str(), 0700) != 0 && errno != EEXIST) return sys_error("make the store {} (KILN_STORE)", root);
    home.dir.reset(::open(root.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  }
  if (!home.dir) return sys_error("open the store {} (KILN_STORE)", root);
  return home;
}

}  // namespace

std::string_view unfit_file_system(std::uint64_t magic) {
  switch (magic) {  // numbers of <linux/magic.h>
    case 0x794c7630:
      return "an overlay file system (a container without a volume?), where no layer can be mounted";
    case 0x6969:
      return "NFS, where no layer can be mounted";
    case 0x517b:
    case 0xff534d42:
    case 0xfe534d42:
      return "a Windows share, where no layer can be mounted";
    default:
      return {};
  }
}

Result<Home> open_home(const fs::path& root) {
  std::error_code ec;
  const fs::path absolute = fs::absolute(root, ec);
  if (ec || root.empty()) return error(Errc::usage, "the store '{}' is not a path (KILN_STORE)", root);
  Home home = TRY(with_space(open_root(absolute), absolute));
  TRY(check_owner(home));
  auto format = read_file(absolute / "format", 256);
  if (format) {
    TRY(check_format(absolute, *format));
    const auto st = TRY(stat_of(home.dir.get()));
    if ((st.st_mode & 0777) != 0700 && ::fchmod(home.dir.get(), 0700) != 0) return sys_error("chmod {}", absolute);
  } else if (format.error().code() == Errc::not_found) {
    TRY(with_space(make_layout(home), absolute));
  } else {
    return std::move(format).error();
  }
  home.boot = std::string(trim(TRY(read_file("/proc/sys/kernel/random/boot_id", 256))));
  return home;
}

}  // namespace kiln::store
