#include "store/digests.h"

#include <time.h>

#include "base/endian.h"

namespace kiln::store {

namespace {

constexpr std::string_view kMagic = "kilnfd1\n";
constexpr std::size_t kDigestBytes = 32;
constexpr std::size_t kMaxRecords = 16384;         // per shard, 1.2 MB; a fuller one starts again
constexpr std::uint64_t kSettled = 2'000'000'000;  // ns; younger files may change without a change of their times

std::uint64_t nanoseconds(const timespec& t) {
  return static_cast<std::uint64_t>(t.tv_sec) * 1'000'000'000u + static_cast<std::uint64_t>(t.tv_nsec);
}

std::string raw_of(const Digest& digest) {
  const auto nibble = [](char c) { return static_cast<unsigned>(c <= '9' ? c - '0' : c - 'a' + 10); };
  std::string raw;
  for (std::size_t i = 0; i + 1 < digest.hex().size(); i += 2) {
    raw += static_cast<char>(nibble(digest.hex()[i]) << 4 | nibble(digest.hex()[i + 1]));
  }
  return raw;
}

Result<struct stat> stat_path(const fs::path& path) {
  struct stat st {};
  if (::stat(path.c_str(), &st) != 0) return sys_error("read {}", path);
  return st;
}

}  // namespace

struct FileDigests::Record {
  le64 device, inode, size, mtime_ns, ctime_ns;
  unsigned char digest[kDigestBytes];
};

/// Neighbouring inodes share a shard, so that the files of one directory are found with one read.
unsigned FileDigests::shard_of(const FileId& id) {
  return static_cast<unsigned>(((id.first * 0x9e3779b97f4a7c15u) ^ ((id.second >> 8) * 0xff51afd7ed558ccdu)) >> 56);
}

std::map<FileDigests::FileId, FileDigests::Known> FileDigests::load(unsigned shard) const {
  static_assert(sizeof(Record) == 72);
  std::map<FileId, Known> known;
  const auto text = read_file(home_.root / fmt::format("digests/{:02x}", shard));
  if (!text) return known;
  std::string_view rest = *text;
  if (!rest.starts_with(kMagic) || rest.size() < kMagic.size() + kDigestBytes) return known;
  const std::string_view sum = rest.substr(kMagic.size(), kDigestBytes);
  rest.remove_prefix(kMagic.size() + kDigestBytes);
  if (raw_of(sha256(rest)) != sum) return known;  // not written to its end before the power went
  for (; rest.size() >= sizeof(Record); rest.remove_prefix(sizeof(Record))) {
    Record r;
    std::memcpy(&r, rest.data(), sizeof r);
    known.emplace_hint(known.end(), FileId(r.device, r.inode),
                       Known{r.size, r.mtime_ns, r.ctime_ns, std::string(as_text(bytes_of(r.digest)))});
  }
  return known;
}

Result<> FileDigests::save(unsigned shard, const std::map<FileId, Known>& known) {
  std::string records;
  records.reserve(known.size() * sizeof(Record));
  for (const auto& [id, k] : known) {
    Record r{id.first, id.second, k.size, k.mtime_ns, k.ctime_ns, {}};
    std::memcpy(r.digest, k.digest.data(), kDigestBytes);
    records += as_text(bytes_of(r));
  }
  return entries_.replace(fmt::format("digests/{:02x}", shard),
                          fmt::format("{}{}{}", kMagic, raw_of(sha256(records)), records));
}

const FileDigests::Known* FileDigests::find(const FileId& id) {
  const unsigned number = shard_of(id);
  auto shard = shards_.find(number);
  if (shard == shards_.end()) shard = shards_.emplace(number, Shard{load(number), {}}).first;
  for (const auto* known : {&shard->second.fresh, &shard->second.known}) {
    if (const auto it = known->find(id); it != known->end()) return &it->second;
  }
  return nullptr;
}

void FileDigests::learn(const FileId& id, Known known) {
  const std::lock_guard guard(mutex_);
  shards_[shard_of(id)].fresh[id] = std::move(known);
}

Result<Digest> FileDigests::of(const fs::path& path) {
  const auto st = TRY(stat_path(path));
  const FileId id(st.st_dev, st.st_ino);
  Known seen{static_cast<std::uint64_t>(st.st_size), nanoseconds(st.st_mtim), nanoseconds(st.st_ctim), {}};
  {
    const std::lock_guard guard(mutex_);
    if (const Known* known = find(id)) {
      seen.digest = known->digest;
      if (*known == seen) return Digest::from_hex(to_hex(seen.digest));
    }
  }
  timespec now{};
  ::clock_gettime(CLOCK_REALTIME, &now);  // before reading: what changes meanwhile is recent
  const Digest digest = TRY(sha256_file(path));
  const auto after = TRY(stat_path(path));
  const bool settled = std::max(seen.mtime_ns, seen.ctime_ns) + kSettled < nanoseconds(now);
  const bool same = FileId(after.st_dev, after.st_ino) == id && nanoseconds(after.st_mtim) == seen.mtime_ns &&
                    nanoseconds(after.st_ctim) == seen.ctime_ns &&
                    static_cast<std::uint64_t>(after.st_size) == seen.size;
  if (settled && same) {
    seen.digest = raw_of(digest);
    learn(id, std::move(seen));
  }
  return digest;
}

Result<> FileDigests::flush() {
  const std::lock_guard guard(mutex_);
  for (auto& [number, shard] : shards_) {
    if (shard.fresh.empty()) continue;
    auto merged = load(number);
    if (merged.size() + shard.fresh.size() > kMaxRecords) merged.clear();
    for (const auto& [id, known] : shard.fresh) merged[id] = known;
    TRY(save(number, merged).context("remembering digests of files"));
    shard.known = std::move(merged);
    shard.fresh.clear();
  }
  return {};
}

}  // namespace kiln::store
