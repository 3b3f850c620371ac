// A strict, streaming reader of tar archives from strangers: ustar, pax extended and global headers, GNU long names,
// old-GNU and pax sparse files. Everything it yields is checked (hardening section 2, rules 1 and 7); what it does not
// know is an error, never a guess. It writes nothing.
#pragma once

#include <functional>
#include <optional>

#include "base/sink.h"
#include "image/tar_header.h"

namespace kiln::image {

class TarReader : public Source {
 public:
  /// skip(n), where given, moves the source n bytes on without reading them.
  explicit TarReader(Source& in, std::function<Result<>(std::uint64_t)> skip = {});

  /// The next member, after what is left of the one before; nothing at the end-of-archive mark. Paths are without "."
  /// and empty parts; a path with ".." is an error.
  Result<std::optional<TarMember>> next();

  /// Reads stored data of the member: all of a file, or the extents of a sparse one one after the other. 0 at its end.
  Result<std::size_t> read(std::span<std::byte> buffer) override;

  /// Bytes of the archive read so far: after next(), where the member's data begins.
  std::uint64_t position() const { return position_; }

 private:
  struct Extended;
  Result<bool> read_block(std::span<std::byte> block);
  Result<> skip_rest();
  Result<std::string> read_meta(std::uint64_t size, std::uint64_t limit, std::string_view what);
  Result<> read_meta_header(const UstarHeader& header, Extended& extended);
  Result<TarMember> read_member(const UstarHeader& header, Extended extended);
  static Result<> read_names(const UstarHeader& header, const Extended& extended, TarMember& member);
  static Result<> read_attributes(const UstarHeader& header, const Extended& extended, TarMember& member);
  Result<> read_sparse_map(const UstarHeader& header, const Extended& extended, TarMember& member);
  Result<> read_old_gnu_map(const UstarHeader& header, TarMember& member);
  Result<> read_pax_map(TarMember& member);
  Result<std::string> read_line(std::string& block, std::size_t& at);

  Source& in_;
  std::function<Result<>(std::uint64_t)> skip_;
  std::map<std::string, std::string> globals_;
  std::uint64_t position_ = 0;
  std::uint64_t left_ = 0;   // stored bytes of the member not yet read
  std::size_t padding_ = 0;  // zeros after them
  bool at_end_ = false;
};

/// A path of an archive in the one form that kiln uses: no "/" in front, at the end or twice, no "." part. "" is the
/// root. Errc::corrupt for "..", NUL, and what is too long or too deep (hardening section 15).
Result<std::string> clean_tar_path(std::string_view path);

}  // namespace kiln::image
