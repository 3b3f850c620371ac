#include "image/archive_index.h"

#include <unistd.h>

#include "base/text.h"
#include "image/decompress.h"
#include "image/tar_reader.h"

namespace kiln::image {

namespace {

constexpr std::size_t kMaxMembers = 20'000;  // 512 layers of each of many images
constexpr int kMaxLinks = 8;

class RangeSource : public Source {
 public:
  explicit RangeSource(FileRange range)
      : range_(std::move(range)), source_(range_.fd->get(), range_.offset, range_.bytes) {}
  Result<std::size_t> read(std::span<std::byte> buffer) override { return source_.read(buffer); }

 private:
  FileRange range_;
  FileRangeSource source_;
};

/// Reads a file by offset, so that content can be jumped over.
class JumpingSource : public Source {
 public:
  JumpingSource(int fd, std::uint64_t size) : fd_(fd), size_(size) {}
  Result<std::size_t> read(std::span<std::byte> buffer) override {
    const std::size_t n = TRY(pread_full(fd_, buffer, offset_));
    offset_ += n;
    return n;
  }
  Result<> jump(std::uint64_t bytes) {
    if (bytes > size_ - std::min(size_, offset_)) return error(Errc::corrupt, "the archive is cut off");
    offset_ += bytes;
    return {};
  }

 private:
  int fd_;
  std::uint64_t size_, offset_ = 0;
};

/// The path that a link in the directory of `path` names, or an error when it leads out of the archive.
Result<std::string> link_target(const std::string& path, const std::string& link) {
  std::vector<std::string> parts;
  if (!link.starts_with('/') && path.find('/') != std::string::npos) {
    parts = split(path.substr(0, path.rfind('/')), '/');
  }
  for (const std::string& part : split(link, '/')) {
    if (part.empty() || part == ".") continue;
    if (part != "..") {
      parts.push_back(part);
    } else if (parts.empty()) {
      return error(Errc::corrupt, "'{}' links to '{}', outside the archive", visible(path), visible(link));
    } else {
      parts.pop_back();
    }
  }
  if (parts.empty()) return error(Errc::corrupt, "'{}' links to a directory", visible(path));
  return join(parts, "/");
}

Result<> refuse_compressed(int fd) {
  std::byte first[kMagicBytes];
  const std::size_t n = TRY(pread_full(fd, first, 0));
  const Compression compression = TRY(compression_of(as_text(std::span(first).first(n))));
  if (compression == Compression::none) return {};
  return error(Errc::corrupt, "compressed as a whole; decompress the archive first (gunzip, unxz, unzstd)");
}

}  // namespace

Result<ArchiveIndex> ArchiveIndex::open(const fs::path& file) {
  ArchiveIndex index;
  index.fd_ = std::make_shared<const Fd>(TRY(open_read(file)));
  const int fd = index.fd_->get();
  TRY(refuse_compressed(fd).context("{}", file));
  const struct stat st = TRY(stat_of(fd));
  JumpingSource source(fd, static_cast<std::uint64_t>(st.st_size));
  TarReader reader(source, [&source](std::uint64_t bytes) { return source.jump(bytes); });
  for (;;) {
    const auto member = TRY(reader.next().context("{}", file));
    if (!member) return index;
    if (member->type == TarType::directory) continue;
    Place place{reader.position(), member->size, ""};
    if (member->type == TarType::symlink) {
      place.link = TRY(link_target(member->path, member->link).context("{}", file));
    } else if (member->type != TarType::file || member->sparse) {
      return error(Errc::corrupt, "{}: '{}' is neither a file nor a directory", file, visible(member->path));
    }
    if (!index.places_.emplace(member->path, std::move(place)).second) {
      return error(Errc::corrupt, "{}: '{}' is there twice", file, visible(member->path));
    }
    if (index.places_.size() > kMaxMembers) return error(Errc::corrupt, "{}: more than {} files", file, kMaxMembers);
  }
}

Result<FileRange> ArchiveIndex::find(const std::string& path) const {
  std::string name = TRY(clean_tar_path(path));
  for (int links = 0; links <= kMaxLinks; ++links) {
    const auto it = places_.find(name);
    if (it == places_.end()) return error(Errc::not_found, "the archive has no '{}'", visible(name));
    if (it->second.link.empty()) return FileRange{fd_, it->second.offset, it->second.bytes};
    name = it->second.link;
  }
  return error(Errc::corrupt, "'{}': too many links", visible(path));
}

Result<std::string> read_range(const FileRange& range, std::uint64_t limit) {
  if (range.bytes > limit) return error(Errc::corrupt, "{} bytes, more than {}", range.bytes, limit);
  std::string text(range.bytes, '\0');
  const auto bytes = std::span(reinterpret_cast<std::byte*>(text.data()), text.size());
  if (TRY(pread_full(range.fd->get(), bytes, range.offset)) != text.size()) {
    return error(Errc::corrupt, "the file is cut off");
  }
  return text;
}

std::unique_ptr<Source> open_range(const FileRange& range) {
  return std::make_unique<RangeSource>(range);
}

}  // namespace kiln::image
