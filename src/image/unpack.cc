#include "base/text.h"
#include "image/decompress.h"
#include "image/image.h"
#include "image/tar_reader.h"
#include "image/tree_builder.h"

namespace kiln::image {

namespace {

constexpr std::string_view kReservedPrefix = ".wh..wh.";  // of aufs: only the opaque marker has a meaning

/// Hashes and counts what passes.
class HashingSource : public Source {
 public:
  explicit HashingSource(Source& in) : in_(in) {}
  Result<std::size_t> read(std::span<std::byte> buffer) override {
    const std::size_t n = TRY(in_.read(buffer));
    hash_.update(std::span<const std::byte>(buffer.data(), n));
    count_ += n;
    return n;
  }
  Digest digest() { return hash_.finish(); }
  std::uint64_t count() const { return count_; }

 private:
  Source& in_;
  Sha256 hash_;
  std::uint64_t count_ = 0;
};

enum class Whiteouts : std::uint8_t { allowed, refused };

/// Whether a member is a marker of what lower layers lose, and if so carries it out.
Result<bool> take_whiteout(const TarMember& member, Whiteouts whiteouts, TreeBuilder& builder) {
  const std::size_t cut = member.path.rfind('/') + 1;  // npos + 1 is 0
  const std::string name = member.path.substr(cut);
  if (("/" + member.path.substr(0, cut)).find("/.wh.") != std::string::npos) {
    return error(Errc::corrupt, "below a whiteout");
  }
  if (!name.starts_with(kWhiteoutPrefix)) return false;
  if (whiteouts == Whiteouts::refused) return error(Errc::corrupt, "a whiteout, which a root file system cannot have");
  if (member.type != TarType::file) return error(Errc::corrupt, "a whiteout that is not a file");
  const std::string parent = member.path.substr(0, cut == 0 ? 0 : cut - 1);
  if (name == kOpaqueName) {
    TRY(builder.add_opaque(parent));
    return true;
  }
  if (name.starts_with(kReservedPrefix)) return true;
  const std::string hidden = name.substr(kWhiteoutPrefix.size());
  if (hidden.empty() || hidden == "." || hidden == "..") return error(Errc::corrupt, "a whiteout of '{}'", hidden);
  TRY(builder.add_whiteout(member.path.substr(0, cut) + hidden));
  return true;
}

Result<std::uint64_t> build_tree(TarReader& reader, TreeBuilder& builder, Whiteouts whiteouts, const Limits& limits) {
  std::uint64_t entries = 0;
  for (;;) {
    const auto member = TRY(reader.next());
    if (!member) break;
    if (++entries > limits.entries) return error(Errc::corrupt, "more than {} entries", limits.entries);
    const auto taken = take_whiteout(*member, whiteouts, builder);
    auto done = !taken ? Result<>(taken.error()) : *taken ? Result<>() : builder.add(*member, reader);
    TRY(std::move(done).context("entry '{}'", visible(member->path)));
  }
  TRY(builder.finish());
  return entries;
}

/// Reads what follows the end-of-archive mark: it counts for digests and limits, and means nothing.
Result<> drain(Source& in, const Cancel& cancel) {
  std::vector<std::byte> waste(64 << 10);
  for (;;) {
    TRY(cancel.check());
    if (TRY(in.read(waste)) == 0) return {};
  }
}

Result<UnpackedLayer> unpack(Source& in, const fs::path& tree, const Limits& limits, Whiteouts whiteouts,
                             const Cancel& cancel) {
  HashingSource packed(in);
  const auto decompressed = TRY(open_decompressed(packed, BombLimits{.output_bytes = limits.layer_bytes}));
  HashingSource plain(*decompressed);
  TarReader reader(plain);
  auto builder = TRY(TreeBuilder::create(tree, limits.layer_bytes, cancel));
  UnpackedLayer unpacked;
  unpacked.facts.entries = TRY(build_tree(reader, builder, whiteouts, limits));
  TRY(drain(plain, cancel));
  TRY(drain(packed, cancel));
  unpacked.facts.bytes = plain.count();
  unpacked.facts.diff_id = plain.digest();
  unpacked.blob_bytes = packed.count();
  unpacked.blob = packed.digest();
  return unpacked;
}

}  // namespace

Result<UnpackedLayer> unpack_layer(Source& in, const fs::path& tree, const Limits& limits, const Cancel& cancel) {
  return unpack(in, tree, limits, Whiteouts::allowed, cancel).context("unpacking layer");
}

Result<UnpackedLayer> unpack_rootfs(Source& in, const fs::path& tree, const Limits& limits, const Cancel& cancel) {
  return unpack(in, tree, limits, Whiteouts::refused, cancel).context("unpacking root file system");
}

}  // namespace kiln::image
