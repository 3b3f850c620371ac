#include "image/tar_reader.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstring>

#include "base/text.h"
#include "image/tar_records.h"
#include "tree/tree.h"

namespace kiln::image {

namespace {

constexpr std::size_t kMaxPath = 4096, kMaxPart = 255;  // hardening section 15
constexpr std::uint64_t kMaxExtended = 1 << 20;
constexpr std::size_t kMaxXattrs = 128, kMaxXattrBytes = 64 << 10;
constexpr std::size_t kMaxExtents = 100'000;
constexpr int kMaxMetaHeaders = 16;                              // in front of one member
constexpr std::uint64_t kMaxFileBytes = std::uint64_t{1} << 60;  // far from overflow; the real limits are the caller's
constexpr std::int64_t kFirstTime = -(std::int64_t{1} << 31), kLastTime = std::int64_t{1} << 33;  // ext4's range

template <std::size_t N>
std::string_view field(const char (&bytes)[N]) {
  return {bytes, N};
}

bool is_posix(const UstarHeader& header) {
  return std::memcmp(header.magic, "ustar\0", 6) == 0;
}

Result<std::uint64_t> parse_size(const UstarHeader& header) {
  const std::int64_t size = TRY(parse_tar_number(field(header.size)).context("size"));
  if (size < 0 || static_cast<std::uint64_t>(size) > kMaxFileBytes) return error(Errc::corrupt, "size out of range");
  return static_cast<std::uint64_t>(size);
}

Result<std::uint32_t> check_id(std::uint64_t id, std::string_view what) {
  if (id > 0xfffffffe) return error(Errc::corrupt, "{} out of range", what);
  return static_cast<std::uint32_t>(id);
}

Result<std::uint32_t> parse_id(std::string_view text, std::string_view what) {
  const std::int64_t id = TRY(parse_tar_number(text).context("{}", what));
  return check_id(id < 0 ? ~std::uint64_t{0} : static_cast<std::uint64_t>(id), what);
}

Result<std::uint32_t> pick_id(const std::string* pax, std::string_view text, std::string_view what) {
  if (pax == nullptr) return parse_id(text, what);
  const std::uint64_t id = TRY(parse_decimal(*pax).context("{}", what));
  return check_id(id, what);
}

bool is_zero(std::span<const std::byte> block) {
  return std::all_of(block.begin(), block.end(), [](std::byte b) { return b == std::byte{0}; });
}

std::string header_path(const UstarHeader& header) {
  const std::string name(tar_text(field(header.name)));
  const std::string prefix(is_posix(header) ? tar_text(field(header.prefix)) : std::string_view());
  return prefix.empty() ? name : prefix + "/" + name;
}

Result<TarType> parse_type(const UstarHeader& header, std::string_view path) {
  switch (header.type) {
    case '\0':
      return path.ends_with('/') ? TarType::directory : TarType::file;  // from before ustar
    case '0':
    case '7':  // contiguous: a file
    case 'S':
      return TarType::file;
    case '1':
      return TarType::hard_link;
    case '2':
      return TarType::symlink;
    case '3':
      return TarType::char_device;
    case '4':
      return TarType::block_device;
    case '5':
      return TarType::directory;
    case '6':
      return TarType::fifo;
    default:
      return error(Errc::corrupt, "type '{}' is not known", visible(std::string_view(&header.type, 1)));
  }
}

Result<> check_extents(const TarMember& member, std::uint64_t stored) {
  std::uint64_t end = 0, sum = 0;
  for (const TarExtent& extent : member.extents) {
    if (extent.offset < end || extent.bytes > member.size || extent.offset > member.size - extent.bytes) {
      return error(Errc::corrupt, "sparse extents out of order or outside the file");
    }
    end = extent.offset + extent.bytes;
    sum += extent.bytes;
  }
  if (sum != stored) return error(Errc::corrupt, "sparse extents do not add up");
  return {};
}

Result<> take_xattrs(const std::map<std::string, std::string>& records, TarMember& member) {
  constexpr std::string_view kPrefix = "SCHILY.xattr.";
  for (const auto& [key, value] : records) {
    if (!key.starts_with(kPrefix)) continue;
    const std::string name = key.substr(kPrefix.size());
    if (value.size() > kMaxXattrBytes || name.size() > kMaxPart) return error(Errc::corrupt, "attribute too long");
    if (is_layer_xattr(name)) member.xattrs[name] = value;
    if (member.xattrs.size() > kMaxXattrs) return error(Errc::corrupt, "more than {} attributes", kMaxXattrs);
  }
  return {};
}

Result<> check_link(TarMember& member) {
  if (member.type != TarType::hard_link && member.type != TarType::symlink) {
    member.link.clear();
    return {};
  }
  if (member.link.empty() || member.link.size() >= kMaxPath || member.link.find('\0') != std::string::npos) {
    return error(Errc::corrupt, "link target empty, too long or with a NUL");
  }
  if (member.type == TarType::hard_link) member.link = TRY(clean_tar_path(member.link).context("link target"));
  return {};
}

}  // namespace

/// What the headers before a member said about it.
struct TarReader::Extended {
  PaxRecords pax;
  std::optional<std::string> gnu_path, gnu_link;
  const std::string* find(const std::string& key) const {
    const auto it = pax.values.find(key);
    return it == pax.values.end() || it->second.empty() ? nullptr : &it->second;
  }
};

Result<std::string> clean_tar_path(std::string_view path) {
  if (path.size() > kMaxPath) return error(Errc::corrupt, "path longer than {} bytes", kMaxPath);
  if (path.find('\0') != std::string_view::npos) return error(Errc::corrupt, "path with a NUL");
  std::string clean;
  int depth = 0;
  for (const std::string& part : split(path, '/')) {
    if (part.empty() || part == ".") continue;
    if (part == "..") return error(Errc::corrupt, "path with '..'");
    if (part.size() > kMaxPart) return error(Errc::corrupt, "name longer than {} bytes", kMaxPart);
    if (++depth > tree::kMaxDepth) return error(Errc::corrupt, "path deeper than {}", tree::kMaxDepth);
    clean += clean.empty() ? part : "/" + part;
  }
  return clean;
}

TarReader::TarReader(Source& in, std::function<Result<>(std::uint64_t)> skip) : in_(in), skip_(std::move(skip)) {}

/// False at the clean end of the stream.
Result<bool> TarReader::read_block(std::span<std::byte> block) {
  std::size_t done = 0;
  while (done < block.size()) {
    const std::size_t n = TRY(in_.read(block.subspan(done)));
    if (n == 0) break;
    done += n;
  }
  position_ += done;
  if (done == 0) return false;
  if (done < block.size()) return error(Errc::corrupt, "the archive is cut off");
  return true;
}

Result<> TarReader::skip_rest() {
  std::uint64_t left = left_ + padding_;
  left_ = padding_ = 0;
  if (skip_ && left > 0) {
    position_ += left;
    return skip_(left);
  }
  std::array<std::byte, 16 << 10> waste;
  while (left > 0) {
    const auto part = static_cast<std::size_t>(std::min<std::uint64_t>(left, waste.size()));
    if (!TRY(read_block(std::span(waste).first(part)))) return error(Errc::corrupt, "the archive is cut off");
    left -= part;
  }
  return {};
}

Result<std::size_t> TarReader::read(std::span<std::byte> buffer) {
  const auto want = static_cast<std::size_t>(std::min<std::uint64_t>(left_, buffer.size()));
  if (want == 0) return std::size_t{0};
  const std::size_t n = TRY(in_.read(buffer.first(want)));
  if (n == 0) return error(Errc::corrupt, "the archive is cut off");
  position_ += n;
  left_ -= n;
  return n;
}

Result<std::string> TarReader::read_meta(std::uint64_t size, std::uint64_t limit, std::string_view what) {
  if (size > limit) return error(Errc::corrupt, "{} of {} bytes, more than {}", what, size, limit);
  std::string text(size, '\0');
  left_ = size;
  padding_ = tar_padding(size);
  const auto bytes = std::span(reinterpret_cast<std::byte*>(text.data()), text.size());
  for (std::size_t done = 0; done < size;) done += TRY(read(bytes.subspan(done)));
  TRY(skip_rest());
  return text;
}

Result<> TarReader::read_meta_header(const UstarHeader& header, Extended& extended) {
  const std::uint64_t size = TRY(parse_size(header));
  if (header.type == 'L' || header.type == 'K') {
    const std::string text = TRY(read_meta(size, kMaxPath + 1, "long name"));
    (header.type == 'L' ? extended.gnu_path : extended.gnu_link) = std::string(tar_text(text));
    return {};
  }
  const std::string text = TRY(read_meta(size, kMaxExtended, "extended header"));
  PaxRecords records = TRY(parse_pax(text));
  if (header.type == 'x') {
    extended.pax = std::move(records);
    return {};
  }
  for (const char* name : {"path", "linkpath", "size"}) {
    if (records.values.count(name) != 0) return error(Errc::corrupt, "a global header sets {}", name);
  }
  for (auto& [key, value] : records.values) {
    if (!key.starts_with("GNU.sparse.") && !key.starts_with("SCHILY.xattr.")) globals_[key] = std::move(value);
  }
  if (globals_.size() > 1000) return error(Errc::corrupt, "too many global header records");
  return {};
}

Result<std::optional<TarMember>> TarReader::next() {
  if (at_end_) return std::optional<TarMember>();
  TRY(skip_rest());
  Extended extended;
  for (int headers = 0; headers < kMaxMetaHeaders; ++headers) {
    UstarHeader header;
    const auto block = std::as_writable_bytes(std::span(&header, 1));
    if (!TRY(read_block(block))) return error(Errc::corrupt, "the archive is cut off: no end-of-archive mark");
    if (is_zero(block)) {
      at_end_ = true;
      return std::optional<TarMember>();
    }
    const std::int64_t sum = TRY(parse_tar_number(field(header.checksum)).context("header checksum"));
    if (sum != tar_checksum(header)) return error(Errc::corrupt, "not a tar header: its checksum is wrong");
    if (std::string_view("xgLK").find(header.type) == std::string_view::npos) {
      const std::string shown = visible(extended.gnu_path.value_or(header_path(header)));
      return std::optional(TRY(read_member(header, std::move(extended)).context("entry '{}'", shown)));
    }
    TRY(read_meta_header(header, extended));
  }
  return error(Errc::corrupt, "more than {} headers before one entry", kMaxMetaHeaders);
}

Result<TarMember> TarReader::read_member(const UstarHeader& header, Extended extended) {
  for (const auto& [key, value] : globals_) extended.pax.values.emplace(key, value);
  TarMember member;
  TRY(read_names(header, extended, member));
  TRY(read_attributes(header, extended, member));
  const std::string* size = extended.find("size");
  left_ = size != nullptr ? TRY(parse_decimal(*size)) : TRY(parse_size(header));
  if (left_ > kMaxFileBytes) return error(Errc::corrupt, "size out of range");
  // Other types have no data; some writers repeat the size of a hard link's file in its header.
  if (member.type != TarType::file) left_ = 0;
  padding_ = tar_padding(left_);
  member.size = left_;
  if (member.type == TarType::file) TRY(read_sparse_map(header, extended, member));
  return member;
}

Result<> TarReader::read_names(const UstarHeader& header, const Extended& extended, TarMember& member) {
  const auto text_for = [&](const char* key, const std::optional<std::string>& gnu, std::string otherwise) {
    const std::string* pax = extended.find(key);
    return pax != nullptr ? *pax : gnu.value_or(std::move(otherwise));
  };
  const std::string* sparse_name = extended.find("GNU.sparse.name");
  const std::string path =
      sparse_name != nullptr ? *sparse_name : text_for("path", extended.gnu_path, header_path(header));
  if (path.empty()) return error(Errc::corrupt, "no name");
  member.path = TRY(clean_tar_path(path));
  member.type = TRY(parse_type(header, path));
  if (member.path.empty() && member.type != TarType::directory) return error(Errc::corrupt, "no name");
  member.link = text_for("linkpath", extended.gnu_link, std::string(tar_text(field(header.link))));
  return check_link(member);
}

Result<> TarReader::read_attributes(const UstarHeader& header, const Extended& extended, TarMember& member) {
  member.mode = static_cast<std::uint32_t>(TRY(parse_tar_number(field(header.mode)).context("mode"))) & 07777;
  member.uid = TRY(pick_id(extended.find("uid"), field(header.uid), "uid"));
  member.gid = TRY(pick_id(extended.find("gid"), field(header.gid), "gid"));
  const std::string* mtime = extended.find("mtime");
  member.mtime = TRY(mtime != nullptr ? parse_pax_time(*mtime) : parse_tar_number(field(header.mtime)));
  member.mtime = std::clamp(member.mtime, kFirstTime, kLastTime);
  if (member.type == TarType::char_device || member.type == TarType::block_device) {
    member.dev_major = TRY(parse_id(field(header.dev_major), "device number"));
    member.dev_minor = TRY(parse_id(field(header.dev_minor), "device number"));
  }
  return take_xattrs(extended.pax.values, member);
}

Result<> TarReader::read_sparse_map(const UstarHeader& header, const Extended& extended, TarMember& member) {
  const std::string *major = extended.find("GNU.sparse.major"), *map = extended.find("GNU.sparse.map");
  const std::string *real = extended.find("GNU.sparse.realsize"), *old = extended.find("GNU.sparse.size");
  member.sparse = header.type == 'S' || major != nullptr || map != nullptr || old != nullptr;
  if (!member.sparse) return {};
  if (real == nullptr) real = old;
  if (real != nullptr) member.size = TRY(parse_decimal(*real).context("sparse size"));
  if (header.type == 'S') {
    TRY(read_old_gnu_map(header, member));
  } else if (real == nullptr) {
    return error(Errc::corrupt, "a sparse file without a size");
  } else if (major != nullptr && *major == "1") {
    TRY(read_pax_map(member));
  } else {
    std::vector<std::uint64_t> numbers = extended.pax.sparse_numbers;
    if (map != nullptr) {
      for (const std::string& number : split(*map, ',')) numbers.push_back(TRY(parse_decimal(number)));
    }
    if (numbers.size() % 2 != 0) return error(Errc::corrupt, "sparse extents out of order");
    for (std::size_t i = 0; i < numbers.size(); i += 2) member.extents.push_back({numbers[i], numbers[i + 1]});
  }
  if (member.size > kMaxFileBytes || member.extents.size() > kMaxExtents) {
    return error(Errc::corrupt, "sparse file too large");
  }
  return check_extents(member, left_);
}

/// Old GNU: four extents in the header, 21 in each block after it; a flag says whether another block follows.
Result<> TarReader::read_old_gnu_map(const UstarHeader& header, TarMember& member) {
  constexpr std::size_t kExtentBytes = 24, kInHeader = 4, kInBlock = 21;
  constexpr std::size_t kMapAt = 386, kMoreAt = 482, kRealSizeAt = 483, kMoreInBlockAt = 504;
  std::array<char, kTarBlock> block;
  std::memcpy(block.data(), &header, sizeof header);
  const auto number = [&block](std::size_t at) -> Result<std::uint64_t> {
    const std::int64_t value = TRY(parse_tar_number(std::string_view(block.data() + at, 12)));
    if (value < 0) return error(Errc::corrupt, "sparse extent out of range");
    return static_cast<std::uint64_t>(value);
  };
  member.size = TRY(number(kRealSizeAt));
  std::size_t at = kMapAt, count = kInHeader, more_at = kMoreAt;
  for (;;) {
    for (std::size_t i = 0; i < count && block[at + i * kExtentBytes] != '\0'; ++i) {
      const std::uint64_t offset = TRY(number(at + i * kExtentBytes));
      member.extents.push_back({offset, TRY(number(at + i * kExtentBytes + 12))});
    }
    if (block[more_at] == '\0') return {};
    if (member.extents.size() > kMaxExtents) return error(Errc::corrupt, "too many sparse extents");
    if (!TRY(read_block(std::as_writable_bytes(std::span(block))))) return error(Errc::corrupt, "cut off");
    at = 0;
    count = kInBlock;
    more_at = kMoreInBlockAt;
  }
}

/// pax 1.0: decimal lines at the head of the data, filled up to a block: how many extents, then offset and size of
/// each.
Result<> TarReader::read_pax_map(TarMember& member) {
  std::string block;
  std::size_t at = 0;
  const std::string first = TRY(read_line(block, at));
  const std::uint64_t count = TRY(parse_decimal(first));
  if (count > kMaxExtents) return error(Errc::corrupt, "too many sparse extents");
  for (std::uint64_t i = 0; i < count; ++i) {
    const std::string offset = TRY(read_line(block, at));
    const std::string bytes = TRY(read_line(block, at));
    member.extents.push_back({TRY(parse_decimal(offset)), TRY(parse_decimal(bytes))});
  }
  return {};
}

Result<std::string> TarReader::read_line(std::string& block, std::size_t& at) {
  std::string line;
  for (;;) {
    if (at == block.size()) {
      if (left_ < kTarBlock) return error(Errc::corrupt, "sparse map is cut off");
      block.assign(kTarBlock, '\0');
      if (!TRY(read_block(std::as_writable_bytes(std::span(block))))) return error(Errc::corrupt, "cut off");
      left_ -= kTarBlock;
      at = 0;
    }
    const char c = block[at++];
    if (c == '\n') return line;
    line += c;
    if (line.size() > 20) return error(Errc::corrupt, "sparse map with a line too long");
  }
}

}  // namespace kiln::image
