// The half of garbage collection that only looks: what lies in the store, how large and how old it is.
#include <fcntl.h>
#include <unistd.h>

#include "store/collect.h"
#include "store/state.h"

namespace kiln::store {

namespace {

/// Names below a directory of the store; none when it is missing.
Result<std::vector<std::string>> names_in(const Home& home, const std::string& dir) {
  const Fd fd(::openat(home.dir.get(), dir.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!fd && (errno == ENOENT || errno == ENOTDIR)) return std::vector<std::string>();
  if (!fd) return sys_error("open {}/{}", home.root, dir);
  return list_dir(fd.get());
}

std::uint64_t blocks_of(const struct stat& st) {
  return static_cast<std::uint64_t>(st.st_blocks) * 512;
}

/// Adds up a directory; depth is bounded by the kernel's limit on open files, which ends the walk with an error.
Result<std::uint64_t> measure_dir(int dir, std::set<std::pair<dev_t, ino_t>>& seen) {
  std::uint64_t sum = 0;
  for (const std::string& name : TRY(list_dir(dir))) {
    auto found = stat_at(dir, name);
    if (!found) continue;  // removed by another process
    const struct stat& st = *found;
    if (!S_ISDIR(st.st_mode) && st.st_nlink > 1 && !seen.emplace(st.st_dev, st.st_ino).second) continue;
    sum += blocks_of(st);
    if (!S_ISDIR(st.st_mode)) continue;
    const Fd child(::openat(dir, name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (!child && errno == ENOENT) continue;
    if (!child) return sys_error("measure {}", name);
    sum += TRY(measure_dir(child.get(), seen));
  }
  return sum;
}

/// Fills what the entry knows; without one the item is stale.
Result<> read_meta(Entries& entries, Item& item) {
  const auto entry = TRY(entries.read(item.meta, Touch::no));
  item.stale = !entry;
  if (!entry) return {};
  item.used = entry->used;
  item.boot = entry->boot;
  item.label = json_string(entry->value, "label");
  return {};
}

Result<> see_small_below(const Home& home, const std::string& dir, int depth, std::vector<Item>& items) {
  for (const std::string& name : TRY(names_in(home, dir))) {
    const std::string path = fmt::format("{}/{}", dir, name);
    if (depth > 0) {
      TRY(see_small_below(home, path, depth - 1, items));
      continue;
    }
    auto st = stat_at(home.dir.get(), path);
    if (!st) continue;
    Item item{Item::Kind::small, path, {}, {path}};
    item.bytes = blocks_of(*st);
    item.used = st->st_mtim.tv_sec;
    items.push_back(std::move(item));
  }
  return {};
}

}  // namespace

Result<std::uint64_t> disk_bytes(const fs::path& tree) {
  const Fd dir = TRY(open_dir(tree));
  std::set<std::pair<dev_t, ino_t>> seen;
  return measure_dir(dir.get(), seen).context("measuring {}", tree);
}

Result<std::vector<Item>> see_layers(const Home& home, Entries& entries, Measure measure) {
  std::vector<Item> items;
  for (const std::string& hex : TRY(names_in(home, "layers"))) {
    Item item{Item::Kind::layer, {}, hex, {layer_dir(hex)}, layer_meta(hex)};
    TRY(read_meta(entries, item));
    item.what = fmt::format("layer {} ({})", hex.substr(0, 12), item.stale ? "not durable" : item.label);
    if (measure == Measure::yes) {
      auto bytes = disk_bytes(home.root / layer_dir(hex));
      if (!bytes && bytes.error().code() == Errc::not_found) continue;
      item.bytes = TRY(std::move(bytes));
    }
    items.push_back(std::move(item));
  }
  return items;
}

Result<std::vector<Item>> see_blobs(const Home& home, Entries& entries) {
  std::vector<Item> items;
  for (const std::string& prefix : TRY(names_in(home, "blobs"))) {
    std::set<std::string> hexes;  // of a blob, of its .json or of both
    for (const std::string& name : TRY(names_in(home, "blobs/" + prefix))) hexes.insert(name.substr(0, name.find('.')));
    for (const std::string& hex : hexes) {
      Item item{Item::Kind::blob, {}, hex, {blob_meta(hex), blob_file(hex)}, blob_meta(hex)};
      TRY(read_meta(entries, item));
      auto st = stat_at(home.dir.get(), blob_file(hex));
      item.stale = item.stale || !st;
      item.bytes = st ? blocks_of(*st) : 0;
      item.what = fmt::format("blob {}{}", hex.substr(0, 12), item.stale ? " (not durable)" : "");
      items.push_back(std::move(item));
    }
  }
  return items;
}

Result<std::vector<Item>> see_small(const Home& home) {
  std::vector<Item> items;
  TRY(see_small_below(home, "results", 0, items));
  TRY(see_small_below(home, "aliases", 1, items));
  TRY(see_small_below(home, "records", 1, items));
  return items;
}

Result<std::vector<LayerUse>> Store::list() {
  std::vector<LayerUse> uses;
  for (Item& item : TRY(see_layers(state_->home, state_->entries, Measure::yes))) {
    auto layer = TRY(state_->peek_layer(Digest::from_hex(item.hex)));
    if (layer) uses.push_back({std::move(*layer), std::move(item.label), item.bytes, item.used});
  }
  return uses;
}

}  // namespace kiln::store
