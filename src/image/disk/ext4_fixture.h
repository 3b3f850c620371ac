// Fixtures of the ext4 writer's tests: trees on disk and in memory, their images, and what e2fsprogs says of them.
#pragma once

#include "image/disk/ext4.h"
#include "image/disk/test_disk.h"

namespace kiln::image {

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
    const fs::path path = dir.path() / name;
    const Fd fd(::open(path.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
    FdSink out(fd.get());
    must(image.pour(out, cancel), "pouring: ");
    must(out.finish());
    return path;
  }
  /// The tree as a file system in a file.
  fs::path made() { return written(must(lay_out_ext4(scanned(), spec))); }
  /// What e2fsck has against it: empty when nothing.
  std::string complaints(const fs::path& image) {
    std::string said = run({"e2fsck", "-fn", image});
    return said.find("exit code") == std::string::npos && said.find("Fix?") == std::string::npos ? "" : said;
  }
  std::string debugfs(const fs::path& image, const std::string& command) {
    return run({"debugfs", "-R", command, image});
  }
};

}  // namespace kiln::image
