// Blobs: files blobs/xx/HEX (0444), each with blobs/xx/HEX.json, which is written last and says that it is complete.
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "store/space.h"
#include "store/state.h"

namespace kiln::store {

std::string blob_file(const std::string& hex) {
  return fmt::format("blobs/{}/{}", hex.substr(0, 2), hex);
}
std::string blob_meta(const std::string& hex) {
  return blob_file(hex) + ".json";
}

Result<BlobWriter> BlobWriter::unnamed(const fs::path& dir) {
  Fd fd(::open(dir.c_str(), O_TMPFILE | O_WRONLY | O_CLOEXEC, 0600));
  if (!fd) return sys_error("create a blob in {}", dir);
  return BlobWriter(std::move(fd), dir, {});
}

Result<BlobWriter> BlobWriter::named(const fs::path& dir) {
  std::string name = dir / "blob.XXXXXX";
  Fd fd(::mkostemp(name.data(), O_CLOEXEC));
  if (!fd) return sys_error("create a blob in {}", dir);
  return BlobWriter(std::move(fd), dir, std::move(name));
}

BlobWriter::BlobWriter(BlobWriter&& other) noexcept
    : fd_(std::move(other.fd_)),
      dir_(std::move(other.dir_)),
      name_(std::exchange(other.name_, fs::path())),
      hash_(std::move(other.hash_)) {}

BlobWriter::~BlobWriter() {
  if (!name_.empty()) (void)::unlink(name_.c_str());
}

Result<> BlobWriter::write(std::span<const std::byte> bytes) {
  TRY(with_space(write_full(fd_.get(), bytes), dir_).context("writing a blob"));
  return hash_.write(bytes);
}

Result<BlobWriter> Store::new_blob() {
  auto unnamed = BlobWriter::unnamed(state_->home.root / "tmp");
  if (unnamed || unnamed.error().code() == Errc::no_space) return with_space(std::move(unnamed), root());
  const fs::path desk = TRY(state_->entries.fresh_path()).parent_path();  // the file system has no O_TMPFILE
  return with_space(BlobWriter::named(desk), root());
}

Result<std::optional<Blob>> Store::State::peek_blob(const Digest& digest, Touch touch) {
  const auto entry = TRY(entries.read(blob_meta(digest.hex()), touch));
  if (!entry) return std::optional<Blob>();
  auto st = stat_at(home.dir.get(), blob_file(digest.hex()));
  const std::uint64_t bytes = json_uint(entry->value, "bytes");
  if (!st || !S_ISREG(st->st_mode) || static_cast<std::uint64_t>(st->st_size) != bytes) return std::optional<Blob>();
  return std::optional<Blob>(Blob{digest, bytes, home.root / blob_file(digest.hex())});
}

Result<std::optional<Blob>> Store::find_blob(const Digest& digest) {
  TRY(lease(digest));
  return state_->peek_blob(digest, Touch::yes);
}

namespace {

/// Gives the file the name desk (below tmp/), from where it is renamed over whatever has the final name: that is either
/// an equal file of another process which has not written its .json yet, or one from before a power cut.
Result<> name_blob(int fd, const fs::path& name, const fs::path& desk) {
  if (!name.empty()) {
    if (::rename(name.c_str(), desk.c_str()) != 0) return sys_error("rename {}", name);
    return {};
  }
  const std::string unnamed = fmt::format("/proc/self/fd/{}", fd);
  if (::linkat(AT_FDCWD, unnamed.c_str(), AT_FDCWD, desk.c_str(), AT_SYMLINK_FOLLOW) == 0) return {};
  return sys_error("link {}", desk);
}

}  // namespace

Result<Blob> Store::commit(BlobWriter&& writer) {
  BlobWriter blob = std::move(writer);
  const Blob made{blob.hash_.digest(), blob.hash_.bytes(), {}};
  const std::string hex = made.digest.hex();
  const auto publish = [&]() -> Result<Blob> {
    if (auto old = TRY(find_blob(made.digest)); old && old->bytes == made.bytes) return std::move(*old);
    const fs::path desk = TRY(state_->entries.fresh_path());
    if (::fchmod(blob.fd_.get(), 0444) != 0) return sys_error("chmod a blob");
    TRY(name_blob(blob.fd_.get(), blob.name_, desk));
    blob.name_ = desk;
    TRY(blob.fd_.close().context("writing a blob"));
    TRY(state_->entries.move_in(desk, blob_file(hex)));
    blob.name_.clear();
    TRY(state_->entries.put(blob_meta(hex), Json{{"bytes", made.bytes}}));
    return Blob{made.digest, made.bytes, state_->home.root / blob_file(hex)};
  };
  return with_space(publish(), state_->home.root).context("keeping blob {}", made.digest.brief());
}

}  // namespace kiln::store
