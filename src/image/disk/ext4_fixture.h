// Fixtures of the ext4 writer's tests: trees on disk, their images, and what strangers say of them.
#pragma once

#include "base/endian.h"
#include "image/disk/ext4.h"
#include "image/disk/test_disk.h"

namespace kiln::image {

/// Makes holes also of zeros that are written: large images stay small files.
class ThinSink : public Sink {
 public:
  explicit ThinSink(Sink& out) : out_(out) {}
  using Sink::write;
  Result<> write(std::span<const std::byte> bytes) override {
    for (; bytes.size() > kExt4BlockBytes; bytes = bytes.subspan(kExt4BlockBytes)) {
      TRY(write_part(bytes.first(kExt4BlockBytes)));
    }
    return write_part(bytes);
  }
  Result<> zeros(std::uint64_t n) override { return out_.zeros(n); }

 private:
  Result<> write_part(std::span<const std::byte> part) {
    const bool is_zero = std::all_of(part.begin(), part.end(), [](std::byte b) { return b == std::byte{0}; });
    return is_zero ? out_.zeros(part.size()) : out_.write(part);
  }
  Sink& out_;
};

class Ext4Test : public DiskTest {
 protected:
  Tree tree;
  Ext4Spec spec{.bytes = 64 << 20,
                .uuid = must(parse_uuid("11111111-2222-3333-4444-555555555555")),
                .hash_seed = must(parse_uuid("aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee")),
                .clock = 1'700'000'000};

  void SetUp() override {
    if (!has_tool("e2fsck")) GTEST_SKIP() << "e2fsprogs is not installed";
    ::chmod(tree.path().c_str(), 0755);
  }
  std::shared_ptr<const Ext4Tree> scanned(const std::vector<std::string>& left_out = {}) {
    return std::make_shared<const Ext4Tree>(must(scan_tree({tree.path()}, left_out)));
  }
  fs::path written(const BlockImage& image, const std::string& name = "fs.img") {
    fs::path path = dir.path() / name;
    const Fd fd(::open(path.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
    FdSink out(fd.get());
    ThinSink thin(out);
    must(image.pour(thin, cancel), "pouring: ");
    must(out.finish());
    return path;
  }
  /// The tree as a file system in a file.
  fs::path made() { return written(must(lay_out_ext4(scanned(), spec)).image); }

  std::string digest(const BlockImage& image) {
    HashSink hash;
    must(image.pour(hash, cancel), "pouring: ");
    return hash.digest().text();
  }

  /// What e2fsck has against it: empty when nothing.
  std::string complaints(const fs::path& image) {
    std::string said = run({"e2fsck", "-fn", image});
    return said.find("exit code") == std::string::npos && said.find("Fix?") == std::string::npos ? "" : said;
  }
  /// What debugfs prints, without the line that names it, which may come before or after the others.
  std::string debugfs(const fs::path& image, const std::string& command) {
    std::string said = run({"debugfs", "-R", command, image});
    const std::size_t at = said.find("debugfs 1.");
    if (at != std::string::npos) said.erase(at, said.find('\n', at) - at + 1);
    return said;
  }

  /// Where the mounted image differs from the tree, as a stranger sees it.
  std::string differences(const fs::path& image) { return differences(image, tree.path()); }
  std::string differences(const fs::path& image, const fs::path& wanted) {
    const std::string compare = std::string(KILN_SOURCE_DIR) + "/tests/support/compare-trees.py ";
    return in_mount(image, "python3 " + compare + wanted.string() + " $mnt");
  }
};

/// Gives a path an owner, a mode and a modification time; links are not followed.
inline void describe(const fs::path& path, uid_t uid, gid_t gid, std::int64_t seconds, long nanoseconds) {
  EXPECT_EQ(::lchown(path.c_str(), uid, gid), 0);
  const timespec time{static_cast<time_t>(seconds), nanoseconds};
  const timespec times[2] = {time, time};
  EXPECT_EQ(::utimensat(AT_FDCWD, path.c_str(), times, AT_SYMLINK_NOFOLLOW), 0);
}

inline void set_attribute(const fs::path& path, const char* name, const std::string& value) {
  EXPECT_EQ(::lsetxattr(path.c_str(), name, value.data(), value.size(), 0), 0) << path << " " << name;
}

/// An ACL as setxattr takes it: version 2, then tag, permissions and id of each entry.
inline std::string acl_of(const std::vector<std::array<std::uint32_t, 3>>& entries) {
  std::string text("\2\0\0\0", 4);
  for (const auto& [tag, permissions, id] : entries) {
    const le16 pair[2] = {static_cast<std::uint16_t>(tag), static_cast<std::uint16_t>(permissions)};
    text += as_text(bytes_of(pair));
    text += as_text(bytes_of(le32(id)));
  }
  return text;
}

}  // namespace kiln::image
