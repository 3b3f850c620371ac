#include "store/entry.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <charconv>

#include "base/text.h"
#include "store/space.h"

namespace kiln::store {

namespace {

constexpr std::int64_t kTouchAfter = 60;                  // seconds: finer stamps of use help nobody
constexpr std::size_t kMaxEntry = std::size_t{64} << 20;  // a record larger than this is not one of ours

/// Nanoseconds since the boot began, also while asleep: never set back, unlike the wall clock.
std::uint64_t moment_now() {
  timespec now{};
  ::clock_gettime(CLOCK_BOOTTIME, &now);
  return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000u + static_cast<std::uint64_t>(now.tv_nsec);
}

/// A file of the store as text with its mtime; nothing when absent.
Result<std::optional<std::string>> slurp(int dir, const std::string& name, Touch touch, std::int64_t& used) {
  const Fd fd(::openat(dir, name.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  if (!fd && (errno == ENOENT || errno == ENOTDIR)) return std::optional<std::string>();
  if (!fd) return sys_error("open {}", name);
  const auto st = TRY(stat_of(fd.get()));
  const auto size = static_cast<std::size_t>(st.st_size);
  if (!S_ISREG(st.st_mode) || size > kMaxEntry) return std::optional<std::string>(std::string());
  std::string text(size, '\0');
  text.resize(TRY(read_full(fd.get(), std::as_writable_bytes(std::span(text))).context("reading {}", name)));
  used = st.st_mtim.tv_sec;
  const std::int64_t age = unix_now() - used;
  if (touch == Touch::yes && (age >= kTouchAfter || age < 0)) (void)::futimens(fd.get(), nullptr);
  return std::optional<std::string>(std::move(text));
}

}  // namespace

std::string Entries::seal(const Json& value) {
  dirty_ = true;
  return render_json(Json{{"at", moment_now()}, {"boot", home_.boot}, {"value", value}}) + "\n";
}

Result<std::optional<Entry>> Entries::read(const std::string& name, Touch touch) {
  Entry entry;
  auto text = TRY(slurp(home_.dir.get(), name, touch, entry.used).context("the store {}", home_.root));
  if (!text) return std::optional<Entry>();
  auto sealed = parse_json(*text);
  if (!sealed) return std::optional<Entry>();  // cut off by a power failure
  entry.boot = json_string(*sealed, "boot");
  const std::uint64_t at = json_uint(*sealed, "at", UINT64_MAX);
  if (!sealed->is_object() || !sealed->contains("value")) return std::optional<Entry>();
  if (entry.boot != home_.boot && at > durable_until(entry.boot)) return std::optional<Entry>();
  entry.value = std::move((*sealed)["value"]);
  return std::optional<Entry>(std::move(entry));
}

Result<fs::path> Entries::fresh_path() {
  const std::lock_guard guard(mutex_);
  if (!desk_) desk_.emplace(TRY(with_space(Scratch::create(home_.root, "desk"), home_.root)));
  return desk_->path() / std::to_string(++counter_);
}

Result<> Entries::move_in(const fs::path& from, const std::string& name, unsigned flags) {
  for (int attempt = 0;; ++attempt) {
    if (::renameat2(AT_FDCWD, from.c_str(), home_.dir.get(), name.c_str(), flags) == 0) return {};
    if (errno != ENOENT || attempt == 3) return sys_error("rename {} to {}/{}", from, home_.root, name);
    TRY(make_dirs((home_.root / name).parent_path()));  // collect_garbage may have removed an empty one
  }
}

Result<> Entries::replace(const std::string& name, std::string_view text) {
  const fs::path path = TRY(fresh_path());
  const auto write = [&]() -> Result<> {
    const Fd fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
    if (!fd) return sys_error("create {}", path);
    TRY(write_full(fd.get(), text).context("writing {}/{}", home_.root, name));
    return move_in(path, name);
  };
  Result<> written = with_space(write(), home_.root);
  if (!written) (void)::unlink(path.c_str());
  return written;
}

Result<> Entries::put(const std::string& name, const Json& value) {
  return replace(name, seal(value));
}

Result<bool> Entries::discard(const std::string& name) {
  const std::string target = fmt::format("trash/{}", to_hex(random_bytes(8)));
  if (::renameat(home_.dir.get(), name.c_str(), home_.dir.get(), target.c_str()) == 0) return true;
  if (errno == ENOENT) return false;
  return sys_error("moving {}/{} to trash", home_.root, name);
}

std::uint64_t Entries::durable_until(const std::string& boot) {
  const std::lock_guard guard(mutex_);
  const auto known = until_.find(boot);
  if (known != until_.end()) return known->second;
  std::uint64_t until = 0;
  std::int64_t used = 0;
  if (!boot.empty() && boot.find('/') == std::string::npos) {
    const auto text = slurp(home_.dir.get(), "durable/" + boot, Touch::yes, used);
    if (text && *text) {
      const std::string_view number = trim(**text);
      const auto parsed = std::from_chars(number.data(), number.data() + number.size(), until);
      if (parsed.ec != std::errc() || parsed.ptr != number.data() + number.size()) until = 0;
    }
  }
  until_[boot] = until;
  return until;
}

Result<> Entries::mark_durable(std::uint64_t moment) {
  const std::string name = "durable/" + home_.boot;
  {
    const std::lock_guard guard(mutex_);
    until_.erase(home_.boot);
  }
  const std::uint64_t until = std::max(moment, durable_until(home_.boot));  // another process may be ahead
  TRY(replace(name, fmt::format("{}\n", until)));
  for (const std::string& path : {name, std::string("durable")}) {
    const Fd fd(::openat(home_.dir.get(), path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!fd || ::fsync(fd.get()) != 0) return sys_error("sync {}/{}", home_.root, path);
  }
  return {};
}

Result<> Entries::make_durable() {
  if (!dirty_.exchange(false)) return {};
  const std::string failed = fmt::format("durable/{}.failed", home_.boot);
  const std::uint64_t moment = moment_now();
  if (::faccessat(home_.dir.get(), failed.c_str(), F_OK, 0) == 0) {
    return error(Errc::io, "the disk under {} lost data since the machine started: run kiln store verify", home_.root);
  }
  if (::syncfs(home_.dir.get()) == 0) {
    Result<> marked = mark_durable(moment);
    if (!marked) dirty_ = true;
    return marked;
  }
  Error lost = sys_error("writing the store {} to its disk", home_.root);
  (void)replace(failed, "");  // the kernel tells of lost pages once only: nothing of this boot may be marked any more
  return lost;
}

}  // namespace kiln::store
