// The local, content-addressed home of layers, blobs and results. Any process may be killed at any moment and the next
// one works: things are written beside and renamed, locks die with their owner. Several builds share one store.
// Layout: docs/formats/store.md.
#pragma once

#include <map>
#include <memory>
#include <optional>

#include "base/file.h"
#include "base/json.h"
#include "base/lock.h"
#include "base/sink.h"

namespace kiln::store {

/// A layer in the store: what one step changed, as a directory usable as an overlay lower.
struct Layer {
  Digest id;                    // SHA-256 of its uncompressed tar: OCI's diff_id
  fs::path tree;                // whiteouts are character devices 0:0; trusted.overlay.opaque only in imported layers
  std::uint64_t tar_bytes = 0;  // size of that tar
  std::uint64_t entries = 0;    // entries of that tar; 0: an empty layer
  bool foreign = false;         // imported: its tar cannot be made again from the tree, its blob is kept
};

/// What a step made, by which a later build finds it again. The volatile layer (content of /tmp that later steps of the
/// same build may need) never enters an image; empty when there is none.
struct StepResult {
  Digest layer;  // empty: the step changed nothing
  Digest volatile_layer;
  Json facts;  // small facts for later: warnings, resolved names
};

class Reaper;

/// A private directory for one step, on the store's file system. Removed when its owner goes, those of Store::scratch
/// in the background before the Store goes; after SIGKILL the next open() removes it.
class Scratch {
 public:
  /// Below root/tmp; what is a word for people who look there. Others use Store::scratch.
  static Result<Scratch> create(const fs::path& root, std::string_view what);
  Scratch(Scratch&& other) noexcept;
  Scratch& operator=(Scratch&&) = delete;
  ~Scratch();
  const fs::path& path() const { return dir_; }

 private:
  friend class Store;
  Scratch(fs::path dir, LockFile lock) : dir_(std::move(dir)), lock_(std::move(lock)) {}
  fs::path dir_;
  LockFile lock_;
  std::shared_ptr<Reaper> reaper_;  // empty: removed at once
};

struct Blob {
  Digest digest;
  std::uint64_t bytes = 0;
  fs::path path;
};

/// A blob being written: hashes as it goes. Dropped without commit it leaves nothing. Made by Store::new_blob.
class BlobWriter : public Sink {
 public:
  /// A file in dir without a name (Errc::io where the file system has no O_TMPFILE), or with one.
  static Result<BlobWriter> unnamed(const fs::path& dir);
  static Result<BlobWriter> named(const fs::path& dir);
  BlobWriter(BlobWriter&& other) noexcept;
  BlobWriter& operator=(BlobWriter&&) = delete;
  ~BlobWriter() override;
  using Sink::write;
  Result<> write(std::span<const std::byte> bytes) override;
  std::uint64_t bytes() const { return hash_.bytes(); }

 private:
  friend class Store;
  BlobWriter(Fd fd, fs::path dir, fs::path name) : fd_(std::move(fd)), dir_(std::move(dir)), name_(std::move(name)) {}
  Fd fd_;
  fs::path dir_, name_;  // name_ is empty when the file has none
  HashSink hash_;
};

struct LayerUse {  // a row of `kiln store ls`
  Layer layer;
  std::string label;
  std::uint64_t disk_bytes = 0;
  std::int64_t last_used = 0;  // seconds since 1970
};

/// Both 0: everything goes that no living process uses. Only keep_bytes: what was used within the last hour stays.
struct GcOptions {
  std::uint64_t keep_bytes = 0;  // stop removing (oldest use first) when the store is below this; 0: no goal
  std::int64_t older_than = 0;   // seconds since last use; younger things stay
  bool dry_run = false;
};
struct GcReport {
  std::uint64_t freed_bytes = 0, kept_bytes = 0;
  std::vector<std::string> removed;
};

/// Every method may be called from several threads at once.
class Store {
 public:
  /// Opens or makes the store (mode 0700). Errors: a newer format, a file system without overlay uppers (overlayfs) or
  /// OFD locks (the message names KILN_STORE), no permission. Removes what dead builds left in tmp/ and trash/.
  static Result<Store> open(const fs::path& root);
  Store(Store&&) noexcept;
  ~Store();

  const fs::path& root() const;
  Result<Scratch> scratch(std::string_view what);

  // Layers. Trusted within the boot that wrote them, or once marked durable (layers-and-keys section 5).
  Result<std::optional<Layer>> find_layer(const Digest& id);
  /// Renames tree (a directory below a Scratch) into place under id; when the layer exists already, the old one stays
  /// and tree is removed. label is for people.
  Result<Layer> add_layer(const fs::path& tree, const Layer& described, std::string_view label);

  // Results of steps, by step key; and aliases for early cut-off, by (description without parents, parent layers).
  Result<std::optional<StepResult>> find_result(const Digest& key);
  Result<> put_result(const Digest& key, const StepResult& result);
  /// Whether any alias for this description exists: else the caller need not compute parents_id.
  bool has_alias(const Digest& description);
  Result<std::optional<StepResult>> find_alias(const Digest& description, const Digest& parents);
  Result<> put_alias(const Digest& description, const Digest& parents, const StepResult& result);

  // Blobs: immutable files named by their SHA-256.
  Result<std::optional<Blob>> find_blob(const Digest& digest);
  Result<BlobWriter> new_blob();
  Result<Blob> commit(BlobWriter&& blob);

  // Records: small JSON values by kind and name (pins of floating names, compressed form of a layer, artifacts, step
  // descriptions for explanations). kind and name match [A-Za-z0-9_.-]{1,128}; hash anything else first.
  Result<std::optional<Json>> read_record(std::string_view kind, std::string_view name);
  Result<> write_record(std::string_view kind, std::string_view name, const Json& value);

  /// SHA-256 of a file of the user's, remembered by (dev, inode, size, mtime_ns, ctime_ns); rehashed when the file is
  /// too recent to trust. Records gathered are written by flush().
  Result<Digest> file_digest(const fs::path& path);
  Result<> flush();

  /// One builder per step key: exclusive, waits for others. on_wait gets the holder's note.
  Result<LockFile> lock_key(const Digest& key, const Cancel& cancel,
                            const std::function<void(const std::string&)>& on_wait = {});
  /// Nothing named here is collected while this Store lives. Called before the thing is looked up; finding and adding
  /// layers and blobs does it by itself.
  Result<> lease(const Digest& digest);

  /// A directory below the store for caches (package archives) and logs; made when missing.
  Result<fs::path> directory(std::string_view name);

  /// One syncfs, then marks everything added so far as durable. Does nothing when nothing was added since the last.
  Result<> make_durable();

  Result<std::vector<LayerUse>> list();
  Result<GcReport> collect_garbage(const GcOptions& options, const Cancel& cancel);
  /// Re-hashes every blob; layers' trees are checked by the caller's function, which yields the id of a tree. Damaged
  /// things go to trash/ and are named in the answer. Errors of layer_id other than io, corrupt and not_found end it.
  Result<std::vector<std::string>> verify(const std::function<Result<Digest>(const Layer&)>& layer_id,
                                          const Cancel& cancel);

 private:
  struct State;
  explicit Store(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace kiln::store
