// What an open Store consists of. Private to the room.
#pragma once

#include "store/digests.h"
#include "store/entry.h"
#include "store/lease.h"
#include "store/reaper.h"

namespace kiln::store {

struct Store::State {
  explicit State(Home opened) : home(std::move(opened)) {}
  const Home home;
  Entries entries{home};
  Leases leases{home};
  FileDigests digests{home, entries};
  std::shared_ptr<Reaper> reaper = std::make_shared<Reaper>();

  // Like find_layer and find_blob, but without a lease and not counted as use.
  Result<std::optional<Layer>> peek_layer(const Digest& id, Touch touch = Touch::no);
  Result<std::optional<Blob>> peek_blob(const Digest& digest, Touch touch = Touch::no);
};

/// Where things lie, relative to the store.
std::string layer_dir(const std::string& hex);
std::string layer_meta(const std::string& hex);
std::string blob_file(const std::string& hex);
std::string blob_meta(const std::string& hex);

}  // namespace kiln::store
