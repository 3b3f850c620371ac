// The file systems themselves, judged by strangers.
#include "image/disk/ext4_fixture.h"

namespace kiln::image {
namespace {

using testing::HasSubstr;

TEST_F(Ext4Test, CheckerFindsNothing) {
  tree.file("etc/hostname", "kiln\n").link("lib", "usr/lib").file("usr/lib/big", noise(3'000'000, 1));
  const fs::path image = made();
  EXPECT_EQ(complaints(image), "");
  EXPECT_EQ(debugfs(image, "cat /etc/hostname"), "debugfs 1.47.0 (5-Feb-2023)\nkiln\n");
}

TEST_F(Ext4Test, TwoBuildsAreEqual) {
  tree.file("a", noise(100'000, 1)).file("b/c", "x");
  EXPECT_EQ(sha256(poured(must(lay_out_ext4(scanned(), spec)))), sha256(poured(must(lay_out_ext4(scanned(), spec)))));
}

TEST_F(Ext4Test, TreeThatDoesNotFitSaysWhatItNeeds) {
  tree.file("big", noise(20 << 20, 1));
  spec.bytes = 16 << 20;
  const auto refused = lay_out_ext4(scanned(), spec);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code(), Errc::no_space);
  const std::uint64_t needed = must(ext4_bytes_needed(*scanned()));
  EXPECT_THAT(refused.error().text(), HasSubstr(std::to_string(needed)));
  spec.bytes = needed;
  EXPECT_EQ(complaints(made()), "");
}

TEST_F(Ext4Test, FileThatChangedIsNamed) {
  tree.file("etc/passwd", "root");
  const BlockImage image = must(lay_out_ext4(scanned(), spec));
  tree.file("etc/passwd", "root and others");
  StringSink out;
  const auto done = image.pour(out, cancel);
  ASSERT_FALSE(done.ok());
  EXPECT_EQ(done.error().code(), Errc::corrupt);
  EXPECT_THAT(done.error().text(), HasSubstr("/etc/passwd"));
}

}  // namespace
}  // namespace kiln::image
