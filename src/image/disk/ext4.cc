#include "image/disk/ext4.h"

#include <fcntl.h>

#include <algorithm>

#include "base/text.h"
#include "image/disk/ext4_map.h"
#include "image/disk/ext4_pieces.h"
#include "image/disk/relay.h"

namespace kiln::image {

namespace {

using namespace ext4;

/// What goes to the relay, collected into large writes; knows how far it is.
class Stream {
 public:
  explicit Stream(Relay& out) : out_(out) {}
  std::uint64_t position() const { return position_; }
  /// Where the next bytes may be put, at least one; advance() says how many were.
  Result<std::span<std::byte>> room() {
    if (batch_ != nullptr && batch_->used == batch_->buffer.size()) flush();
    TRY(need_batch());
    return std::span(batch_->buffer).subspan(batch_->used);
  }
  void advance(std::size_t bytes) {
    batch_->used += bytes;
    position_ += bytes;
  }
  Result<> put(std::string_view text) {
    while (!text.empty()) {
      const auto free = TRY(room());
      const std::size_t part = std::min(free.size(), text.size());
      std::copy_n(as_bytes(text).begin(), part, free.begin());
      advance(part);
      text.remove_prefix(part);
    }
    return {};
  }
  /// Zeros up to a position: few are data, many a hole.
  Result<> fill_to(std::uint64_t position) {
    if (position == position_) return {};
    if (position - position_ < kBlockBytes) return put(std::string(position - position_, '\0'));
    TRY(need_batch());
    batch_->zeros = position - position_;
    position_ = position;
    flush();
    return {};
  }
  void flush() {
    if (batch_ != nullptr) out_.give();
    batch_ = nullptr;
  }

 private:
  Result<> need_batch() {
    if (batch_ == nullptr) batch_ = out_.empty();
    if (batch_ == nullptr) return error(Errc::interrupted, "nobody writes any more");
    return {};
  }

  Relay& out_;
  Relay::Batch* batch_ = nullptr;
  std::uint64_t position_ = 0;
};

/// The content of a node's file, read by offset; the file stays open for its next piece.
class Content {
 public:
  explicit Content(const Ext4Tree& tree) : tree_(tree) {}

  Result<> pour(const Piece& piece, Stream& out) {
    const Ext4Node& node = tree_.nodes[piece.subject];
    if (!fd_ || node_ != piece.subject) TRY(open(piece.subject));
    const std::uint64_t end = std::min((std::uint64_t{piece.from} + piece.blocks) * kBlockBytes, node.bytes);
    for (std::uint64_t at = piece.from * kBlockBytes; at < end;) {
      auto room = TRY(out.room());
      room = room.first(static_cast<std::size_t>(std::min<std::uint64_t>(room.size(), end - at)));
      const std::size_t n = TRY(pread_full(fd_.get(), room, at));
      if (n != room.size()) return changed();
      out.advance(n);
      at += n;
    }
    return {};
  }

 private:
  static Error changed() { return {Errc::corrupt, "it changed after the tree was looked at"}; }

  Result<> open(std::uint32_t n) {
    const Ext4Node& node = tree_.nodes[n];
    fd_ = TRY(
        open_at(tree_.layers[node.layer].get(), node.path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK, Resolve::no_symlinks));
    node_ = n;
    const struct stat st = TRY(stat_of(fd_.get()));
    const bool same = S_ISREG(st.st_mode) && static_cast<std::uint64_t>(st.st_size) == node.bytes &&
                      st.st_mtim.tv_sec == node.mtime && st.st_mtim.tv_nsec == node.mtime_ns;
    return same ? Result<>() : changed();
  }

  const Ext4Tree& tree_;
  Fd fd_;
  std::uint32_t node_ = kNoNode;
};

Result<> pour(const Layout& layout, const std::vector<Piece>& pieces, Relay& relay, const Cancel& cancel) {
  Stream out(relay);
  Content content(*layout.tree);
  for (const Piece& piece : pieces) {
    TRY(cancel.check());
    TRY(out.fill_to(piece.block * kBlockBytes));
    if (piece.kind == PieceKind::content) {
      Result<> done = content.pour(piece, out);
      if (!done) return std::move(done).context("/{}", visible(layout.tree->nodes[piece.subject].path));
    } else {
      TRY(render(layout, piece, [&out](std::string_view text) { return out.put(text); }));
    }
    TRY(out.fill_to((piece.block + piece.blocks) * kBlockBytes));
  }
  TRY(out.fill_to(layout.spec.bytes));
  out.flush();
  return {};
}

std::vector<Extent> data_of(const std::vector<Piece>& pieces) {
  std::vector<Extent> data;
  for (const Piece& piece : pieces) {
    const Extent next{piece.block * kBlockBytes, piece.blocks * kBlockBytes};
    if (!data.empty() && data.back().end() == next.offset) {
      data.back().bytes += next.bytes;
    } else {
      data.push_back(next);
    }
  }
  return data;
}

/// Trees are not ours to copy: a pointer that owns nothing.
std::shared_ptr<const Ext4Tree> borrowed(const Ext4Tree& tree) {
  return {std::shared_ptr<const Ext4Tree>(), &tree};
}

Error too_small(const Ext4Tree& tree, const Ext4Spec& spec) {
  auto needed = ext4_bytes_needed(tree);
  if (!needed) return std::move(needed).error();
  return error(Errc::no_space, "the tree needs an ext4 file system of {} bytes, this one has {}", *needed, spec.bytes);
}

}  // namespace

Result<Ext4Image> lay_out_ext4(const std::shared_ptr<const Ext4Tree>& tree, const Ext4Spec& spec) {
  const auto earlier = parse_block_map(spec.earlier);
  auto decided = decide(tree, spec, earlier.value_or(BlockMap()));
  const bool fits = decided && decided->missing_blocks == 0;
  if (!fits && earlier && !earlier->empty()) decided = decide(tree, spec);
  if (!decided && decided.error().code() == Errc::no_space) return too_small(*tree, spec);
  const auto layout = std::make_shared<const Layout>(TRY(std::move(decided)));
  if (layout->missing_blocks != 0) return too_small(*tree, spec);
  const auto pieces = std::make_shared<const std::vector<Piece>>(pieces_of(*layout));
  const auto pour_it = [layout, pieces](Sink& out, const Cancel& cancel) {
    return pour_ahead(out, [&](Relay& relay) { return pour(*layout, *pieces, relay, cancel); });
  };
  return Ext4Image{{spec.bytes, data_of(*pieces), pour_it}, render_block_map(*layout)};
}

Result<std::uint64_t> ext4_bytes_needed(const Ext4Tree& tree) {
  constexpr std::uint64_t kStep = 1 << 20;
  const auto rounded = [](std::uint64_t bytes) { return (bytes + kStep - 1) / kStep * kStep; };
  Ext4Spec spec{.bytes = std::max(kMinBytes, rounded(tree.content_bytes() + tree.inodes() * kInodeBytes))};
  for (;;) {
    auto tried = decide(borrowed(tree), spec);
    if (!tried && tried.error().code() != Errc::no_space) return std::move(tried).error();
    if (tried && tried->missing_blocks == 0) return spec.bytes;
    spec.bytes += tried ? rounded(tried->missing_blocks * kBlockBytes) : kStep;
  }
}

}  // namespace kiln::image
