#include "store/collect.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <iterator>
#include <numeric>

#include "base/text.h"
#include "store/scratch.h"
#include "store/state.h"

namespace kiln::store {

namespace {

constexpr std::int64_t kDay = 86'400;            // seconds
constexpr std::int64_t kGrace = 3'600;           // seconds; for collections that name only a size
constexpr std::int64_t kSmallGrace = 90 * kDay;  // small files weigh little and save much: a size goal spares them

/// Seconds without use after which a thing may go.
std::int64_t limit_for(Item::Kind kind, const GcOptions& options) {
  const bool size_goal = options.keep_bytes > 0;
  const std::int64_t limit = options.older_than > 0 ? options.older_than : size_goal ? kGrace : 0;
  return kind == Item::Kind::small && size_goal ? std::max(limit, kSmallGrace) : limit;
}

/// Whether nothing happened to an item since it was seen.
Result<bool> is_unchanged(Entries& entries, const Home& home, const Item& item) {
  if (item.stale) {
    const auto renewed = TRY(entries.read(item.meta, Touch::no));
    return !renewed || !stat_at(home.dir.get(), item.files.back());
  }
  auto st = stat_at(home.dir.get(), item.meta.empty() ? item.files.front() : item.meta);
  return st && st->st_mtim.tv_sec == item.used;
}

Result<std::vector<Item>> see_all(const Home& home, Entries& entries) {
  auto items = TRY(see_layers(home, entries, Measure::yes));
  const auto add = [&items](std::vector<Item> more) { std::move(more.begin(), more.end(), std::back_inserter(items)); };
  add(TRY(see_blobs(home, entries)));
  add(TRY(see_small(home)));
  return items;
}

/// Empty directories of aliases and records; a racing put() makes its own again.
void remove_empty(const Home& home) {
  for (const char* parent : {"aliases", "records", "blobs"}) {
    auto dir = open_dir(home.root / parent);
    if (!dir) continue;
    auto names = list_dir(dir->get());
    if (!names) continue;
    for (const std::string& name : *names) (void)::unlinkat(dir->get(), name.c_str(), AT_REMOVEDIR);
  }
}

/// Lock files of keys that nobody holds and nobody took for a while.
Result<> remove_locks(const Home& home, std::int64_t limit, std::int64_t now) {
  const Fd dir = TRY(open_dir(home.root / "locks"));
  for (const std::string& name : TRY(list_dir(dir.get()))) {
    auto st = stat_at(dir.get(), name);
    if (name == "gc" || name == "trash" || !st || now - st->st_mtim.tv_sec < limit) continue;
    const auto lock = TRY(LockFile::try_lock(home.root / "locks" / name, LockKind::exclusive));
    if (lock) (void)::unlinkat(dir.get(), name.c_str(), 0);
  }
  return {};
}

/// Marks of boots by which nothing is trusted any more. A day more than the limit, as marks are touched less often.
Result<> remove_marks(const Home& home, const std::set<std::string>& needed, std::int64_t limit, std::int64_t now) {
  const Fd dir = TRY(open_dir(home.root / "durable"));
  for (const std::string& name : TRY(list_dir(dir.get()))) {
    const std::string boot = name.substr(0, name.find('.'));
    auto st = stat_at(dir.get(), name);
    if (boot == home.boot || needed.contains(boot) || !st || now - st->st_mtim.tv_sec < limit + kDay) continue;
    (void)::unlinkat(dir.get(), name.c_str(), 0);
  }
  return {};
}

GcReport report_of(const std::vector<Item>& items, const std::vector<std::size_t>& gone) {
  GcReport report;
  for (const Item& item : items) report.kept_bytes += item.bytes;
  for (const std::size_t i : gone) {
    report.freed_bytes += items[i].bytes;
    report.removed.push_back(items[i].what);
  }
  report.kept_bytes -= report.freed_bytes;
  return report;
}

Result<> tidy(const Home& home, const std::vector<Item>& items, const std::vector<std::size_t>& gone,
              const GcOptions& options, std::int64_t now) {
  std::set<std::string> needed;
  for (std::size_t i = 0; i < items.size(); ++i) {
    if (!std::binary_search(gone.begin(), gone.end(), i)) needed.insert(items[i].boot);
  }
  remove_empty(home);
  TRY(remove_locks(home, limit_for(Item::Kind::small, options), now));
  TRY(remove_marks(home, needed, limit_for(Item::Kind::small, options), now));
  return sweep_trash(home.root);
}

}  // namespace

std::vector<std::size_t> choose(const std::vector<Item>& items, const std::set<std::string>& leased,
                                const GcOptions& options, std::int64_t now) {
  std::vector<std::size_t> order(items.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  const auto age_key = [&](std::size_t i) {
    return std::tuple(!items[i].stale, items[i].used, items[i].files.front());
  };
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return age_key(a) < age_key(b); });
  std::uint64_t left = 0;
  for (const Item& item : items) left += item.bytes;
  std::vector<std::size_t> chosen;
  for (const std::size_t i : order) {
    const Item& item = items[i];
    const bool enough = options.keep_bytes > 0 && left <= options.keep_bytes;
    const bool young = now - item.used < limit_for(item.kind, options);
    if (leased.contains(item.hex) || (!item.stale && (enough || young))) continue;
    chosen.push_back(i);
    left -= item.bytes;
  }
  return chosen;
}

Result<std::vector<std::size_t>> discard(Entries& entries, const Home& home, const std::vector<Item>& items,
                                         const std::vector<std::size_t>& chosen) {
  std::vector<std::size_t> gone;
  for (const std::size_t i : chosen) {
    if (!TRY(is_unchanged(entries, home, items[i]))) continue;
    bool was_there = false;
    for (const std::string& file : items[i].files) was_there = TRY(entries.discard(file)) || was_there;
    if (was_there) gone.push_back(i);
  }
  return gone;
}

Result<GcReport> Store::collect_garbage(const GcOptions& options, const Cancel& cancel) {
  const auto items = TRY(see_all(state_->home, state_->entries));
  TRY(cancel.check());
  const std::int64_t now = unix_now();
  std::vector<std::size_t> gone;
  if (options.dry_run) {
    gone = choose(items, TRY(living_leases(root())), options, now);
    return report_of(items, gone);
  }
  {
    const auto lock = TRY(LockFile::lock(root() / "locks/gc", LockKind::exclusive, cancel));
    const auto leased = TRY(living_leases(root()));
    gone = TRY(discard(state_->entries, state_->home, items, choose(items, leased, options, now)));
  }
  GcReport report = report_of(items, gone);
  std::sort(gone.begin(), gone.end());
  TRY(tidy(state_->home, items, gone, options, now));
  return report;
}

Result<> drop_stale_once(const Home& home, Entries& entries) {
  const auto swept = read_file(home.root / "boot", 256);
  if (swept && trim(*swept) == home.boot) return {};
  auto items = TRY(see_layers(home, entries, Measure::no));
  for (Item& blob : TRY(see_blobs(home, entries))) items.push_back(std::move(blob));
  std::vector<std::size_t> stale;
  const auto lock = TRY(LockFile::try_lock(home.root / "locks/gc", LockKind::exclusive));
  if (!lock) return {};  // somebody collects, or has closed the gate: the next opening looks again
  const auto leased = TRY(living_leases(home.root));
  for (std::size_t i = 0; i < items.size(); ++i) {
    if (items[i].stale && !leased.contains(items[i].hex)) stale.push_back(i);
  }
  TRY(discard(entries, home, items, stale));
  (void)entries.replace("boot", home.boot + "\n");  // on a full disk: the next opening looks again
  return {};
}

Result<std::vector<std::string>> Store::verify(const std::function<Result<Digest>(const Layer&)>& layer_id,
                                               const Cancel& cancel) {
  std::vector<std::string> damaged;
  const auto judge = [&](const Item& item, Result<Digest> found) -> Result<> {
    if (found && found->hex() == item.hex) return {};
    const bool unreadable = !found && (found.error().code() == Errc::io || found.error().code() == Errc::corrupt ||
                                       found.error().code() == Errc::not_found);
    if (!found && !unreadable) return Error(found.error());
    damaged.push_back(
        fmt::format("{}: {}", item.what, found ? "content has the digest " + found->brief() : found.error().text()));
    for (const std::string& file : item.files) TRY(state_->entries.discard(file));
    return {};
  };
  for (const Item& item : TRY(see_blobs(state_->home, state_->entries))) {
    TRY(cancel.check());
    const auto digest = Digest::from_hex(item.hex);
    TRY(lease(digest));
    const auto entry = TRY(state_->entries.read(item.meta, Touch::no));
    if (entry) TRY(judge(item, sha256_file(root() / blob_file(item.hex))));
  }
  for (const Item& item : TRY(see_layers(state_->home, state_->entries, Measure::no))) {
    TRY(cancel.check());
    const auto digest = Digest::from_hex(item.hex);
    TRY(lease(digest));
    const auto layer = TRY(state_->peek_layer(digest));
    if (layer) TRY(judge(item, layer_id(*layer)));
  }
  return damaged;
}

}  // namespace kiln::store
