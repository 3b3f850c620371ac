// The memory of digests of the user's files, so that an unchanged build reads none of them. Format of digests/XX:
// docs/formats/store.md.
#pragma once

#include <map>
#include <mutex>

#include "store/entry.h"

namespace kiln::store {

class FileDigests {
 public:
  FileDigests(const Home& home, Entries& entries) : home_(home), entries_(entries) {}
  /// Store::file_digest.
  Result<Digest> of(const fs::path& path);
  /// Store::flush: one file per shard that learned something, merged with what others wrote meanwhile.
  Result<> flush();

 private:
  using FileId = std::pair<std::uint64_t, std::uint64_t>;  // device, inode
  struct Known {
    std::uint64_t size = 0, mtime_ns = 0, ctime_ns = 0;
    std::string digest;  // 32 raw bytes
    bool operator==(const Known&) const = default;
  };
  struct Shard {
    std::map<FileId, Known> known;  // as on disk
    std::map<FileId, Known> fresh;  // learned since
  };
  struct Record;

  static unsigned shard_of(const FileId& id);
  std::map<FileId, Known> load(unsigned shard) const;
  Result<> save(unsigned shard, const std::map<FileId, Known>& known);
  const Known* find(const FileId& id);
  void learn(const FileId& id, Known known);

  const Home& home_;
  Entries& entries_;
  std::mutex mutex_;
  std::map<unsigned, Shard> shards_;  // those asked for
};

}  // namespace kiln::store
