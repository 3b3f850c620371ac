#include "store/scratch.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <set>

#include "store/reaper.h"
#include "store/space.h"

namespace kiln::store {

namespace {

constexpr std::string_view kLock = ".lock";

fs::path lock_of(fs::path dir) {
  return dir += kLock;
}

/// A name may come from a step's name: letters, digits, "-", "_" and "." stay.
std::string plain(std::string_view what) {
  std::string name(what.substr(0, 64));
  const auto odd = [](char c) {
    return !((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '-');
  };
  std::replace_if(name.begin(), name.end(), odd, '_');
  return name.empty() ? "scratch" : name;
}

/// Names below a directory of the store; none when it is missing.
Result<std::vector<std::string>> names_in(const fs::path& dir) {
  auto fd = open_dir(dir);
  if (!fd && fd.error().code() == Errc::not_found) return std::vector<std::string>();
  if (!fd) return std::move(fd).error();
  return list_dir(fd->get());
}

}  // namespace

Result<Scratch> Scratch::create(const fs::path& root, std::string_view what) {
  for (;;) {
    const fs::path dir = root / "tmp" / fmt::format("{}-{}", plain(what), to_hex(random_bytes(6)));
    auto lock = TRY(LockFile::try_lock(lock_of(dir), LockKind::exclusive));
    if (!lock) continue;  // a sweep looks at the new lock file: take another name
    if (::mkdir(dir.c_str(), 0700) == 0) return Scratch(dir, std::move(*lock));
    const auto failed = sys_error("make directory {}", dir);
    (void)::unlink(lock_of(dir).c_str());
    return failed;
  }
}

Result<> sweep_dead(const fs::path& root) {
  std::set<std::string> owners;
  for (std::string name : TRY(names_in(root / "tmp"))) {
    if (name.ends_with(kLock)) name.resize(name.size() - kLock.size());
    owners.insert(std::move(name));
  }
  for (const std::string& name : owners) {
    const fs::path dir = root / "tmp" / name;
    auto lock = LockFile::try_lock(lock_of(dir), LockKind::exclusive);
    if (lock && *lock) remove_scratch(dir);
  }
  for (const std::string& name : TRY(names_in(root / "leases"))) {
    const fs::path lease = root / "leases" / name;
    auto lock = LockFile::try_lock(lease, LockKind::exclusive);
    if (lock && *lock) (void)::unlink(lease.c_str());
  }
  return {};
}

Result<> sweep_trash(const fs::path& root) {
  const auto names = TRY(names_in(root / "trash"));
  if (names.empty()) return {};
  const auto lock = TRY(LockFile::try_lock(root / "locks/trash", LockKind::exclusive));
  if (!lock) return {};
  Result<> first;
  for (const std::string& name : names) {
    Result<> removed = remove_tree(root / "trash" / name);
    if (!removed && first) first = std::move(removed);
  }
  return first;
}

void remove_scratch(const fs::path& dir) {
  if (remove_tree(dir)) (void)::unlink(lock_of(dir).c_str());
}

Scratch::Scratch(Scratch&& other) noexcept
    : dir_(std::exchange(other.dir_, fs::path())), lock_(std::move(other.lock_)), reaper_(std::move(other.reaper_)) {}

Scratch::~Scratch() {
  if (dir_.empty()) return;
  if (reaper_) {
    reaper_->take(std::move(dir_), std::move(lock_));
  } else {
    remove_scratch(dir_);
  }
}

}  // namespace kiln::store
