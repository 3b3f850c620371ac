// The file systems themselves, judged by strangers: e2fsprogs, GRUB, the kernel.
#include <sys/sysmacros.h>

#include "image/disk/ext4_fixture.h"

namespace kiln::image {
namespace {

using testing::HasSubstr;

constexpr std::uint32_t kNoId = 0xFFFFFFFF;

/// Something of everything that a tree can have.
class Ext4OfEverything : public Ext4Test {
 protected:
  void SetUp() override {
    Ext4Test::SetUp();
    if (IsSkipped()) return;
    if (::geteuid() != 0) GTEST_SKIP() << "owners and devices need root";
    add_files();
    add_links();
    add_attributes();
    add_special("dev/null", S_IFCHR | 0666, makedev(1, 3));
    add_special("dev/disk", S_IFBLK | 0660, makedev(259, 70000));
    add_special("dev/fifo", S_IFIFO | 0600, 0);
    add_special("dev/socket", S_IFSOCK | 0755, 0);
    for (int i = 0; i < 600; ++i) tree.file(fmt::format("many/a name of some length, number {}", i), "");
    tree.dir("many/sub").dir("sticky", 01777);
    describe(tree.path("sticky"), 100'000, 4'000'000'000, -1'000'000, 1);
  }
  void add_files() {
    tree.file("empty", "").file("one", "1").file("block", noise(4096, 1)).file("more", noise(4097, 2));
    tree.file("big", noise(5'000'000, 3)).file("setuid", "#!/bin/sh\n", 04755).file("short", "long");
    fs::rename(tree.path("short"), tree.path(std::string(255, 'n')));
    tree.file("sub/sub/sub/deep", "deep").file("b\xc3\xa4r\x01\n", "odd");
    EXPECT_EQ(::truncate(tree.file("sparse", noise(8192, 4)).path("sparse").c_str(), 8'000'001), 0);
    describe(tree.path("one"), 65'536, 70'000, 0x1'0000'0005, 999'999'999);
    describe(tree.path("block"), 1, 2, -2'000'000'000, 500);
    describe(tree.path("more"), 0, 0, 0x3'0000'0000, 1);
  }
  void add_links() {
    tree.link("link59", std::string(59, 'x'))
        .link("link60", std::string(60, 'y'))
        .link("link4095", std::string(4095, 'z'));
    fs::create_hard_link(tree.path("big"), tree.path("sub/big again"));
    fs::create_hard_link(tree.path("link60"), tree.path("sub/link again"));
    describe(tree.path("link59"), 77, 88, 1'234'567'890, 987'654'321);
  }
  void add_attributes() {
    tree.file("attributes/small", "").file("attributes/large", "").dir("attributes/dir").file("attributes/both", "");
    set_attribute(tree.path("attributes/small"), "user.colour", "green");
    set_attribute(tree.path("attributes/large"), "user.large", noise(2500, 5));
    set_attribute(tree.path("attributes/large"), "user.other", noise(900, 6));
    set_attribute(tree.path("attributes/large"), "user.empty", "");
    set_attribute(tree.path("attributes/both"), "security.capability",
                  std::string("\1\0\0\2\0\4\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 20));
    set_attribute(tree.path("attributes/both"), "system.posix_acl_access",
                  acl_of({{1, 6, kNoId}, {2, 7, 70'000}, {4, 4, kNoId}, {8, 5, 12}, {16, 7, kNoId}, {32, 0, kNoId}}));
    set_attribute(tree.path("attributes/both"), "user.third", std::string(40, 't'));
    set_attribute(tree.path("attributes/dir"), "system.posix_acl_default",
                  acl_of({{1, 7, kNoId}, {4, 5, kNoId}, {8, 5, 12}, {16, 5, kNoId}, {32, 5, kNoId}}));
  }
  void add_special(const std::string& name, mode_t mode, dev_t device) {
    tree.dir("dev");
    EXPECT_EQ(::mknod(tree.path(name).c_str(), mode, device), 0);
    EXPECT_EQ(::chmod(tree.path(name).c_str(), mode & 07777U), 0);
  }
};

TEST_F(Ext4OfEverything, CheckerFindsNothing) {
  EXPECT_EQ(complaints(made()), "");
}

TEST_F(Ext4OfEverything, KernelSeesTheTree) {
  if (const std::string why = why_no_mount(); !why.empty()) GTEST_SKIP() << why;
  EXPECT_EQ(differences(made()), "");
}

TEST_F(Ext4OfEverything, KernelWritesToIt) {
  if (const std::string why = why_no_mount(); !why.empty()) GTEST_SKIP() << why;
  const fs::path image = made();
  const std::string script =
      "for i in $(seq 500); do echo $i >\"$mnt/many/new name $i\"; done\n"
      "rm \"$mnt\"/many/a*7; rm -r $mnt/sub; mv $mnt/big $mnt/many/moved; truncate -s 1000 $mnt/sparse\n"
      "python3 -c 'import os, sys; os.setxattr(sys.argv[1], \"user.more\", b\"m\" * 1000)' $mnt/attributes/small; head "
      "-c 9000000 /dev/urandom >$mnt/new\n"
      "mkdir $mnt/attributes/dir/below; ln $mnt/one $mnt/two; echo more >>$mnt/more\n";
  EXPECT_EQ(in_mount(image, script, "loop"), "");
  EXPECT_EQ(complaints(image), "");
}

TEST_F(Ext4OfEverything, GrubReadsIt) {
  if (!has_tool("grub-fstest")) GTEST_SKIP() << "grub-common is not installed";
  const fs::path image = made();
  EXPECT_THAT(run({"grub-fstest", image, "ls", "/"}), HasSubstr("many/"));
  EXPECT_EQ(run({"grub-fstest", image, "cat", "/sub/sub/sub/deep"}), "deep\n");
  EXPECT_EQ(run({"grub-fstest", image, "cmp", "/big", tree.path("big")}), "");
  EXPECT_THAT(run({"grub-fstest", image, "ls", "/many"}), HasSubstr("number 599"));
  EXPECT_EQ(run({"grub-fstest", image, "cmp", "/sparse", tree.path("sparse")}), "");
}

TEST_F(Ext4OfEverything, TwoBuildsAreEqual) {
  EXPECT_EQ(digest(must(lay_out_ext4(scanned(), spec)).image), digest(must(lay_out_ext4(scanned(), spec)).image));
}

TEST_F(Ext4Test, ReadsLikeTheTree) {
  tree.file("etc/hostname", "kiln\n").link("lib", "usr/lib");
  const fs::path image = made();
  EXPECT_EQ(debugfs(image, "cat /etc/hostname"), "kiln\n");
  EXPECT_THAT(debugfs(image, "stat /lib"), HasSubstr("Fast link dest: \"usr/lib\""));
}

TEST_F(Ext4Test, SuperblockSaysWhatTheSpecSays) {
  spec.label = "sixteen letters!";
  const std::string said = run({"dumpe2fs", "-h", made()});
  EXPECT_THAT(said, HasSubstr("sixteen letters!"));
  EXPECT_THAT(said, HasSubstr("11111111-2222-3333-4444-555555555555"));
  EXPECT_THAT(said, HasSubstr("aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee"));
  EXPECT_THAT(said, HasSubstr("Filesystem created:       Tue Nov 14 22:13:20 2023"));
  EXPECT_THAT(said, HasSubstr("Last mounted on:          <not available>"));
  EXPECT_THAT(said,
              HasSubstr("features:      has_journal ext_attr resize_inode dir_index filetype extent 64bit flex_bg "
                        "sparse_super large_file huge_file dir_nlink extra_isize metadata_csum\n"));
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
  const BlockImage image = must(lay_out_ext4(scanned(), spec)).image;
  tree.file("etc/passwd", "root and others");
  StringSink out;
  const auto done = image.pour(out, cancel);
  ASSERT_FALSE(done.ok());
  EXPECT_EQ(done.error().code(), Errc::corrupt);
  EXPECT_THAT(done.error().text(), HasSubstr("/etc/passwd"));
}

TEST_F(Ext4Test, CancelledPouringStops) {
  tree.file("a", "1");
  const BlockImage image = must(lay_out_ext4(scanned(), spec)).image;
  cancel.cancel();
  StringSink out;
  EXPECT_EQ(image.pour(out, cancel).error().code(), Errc::interrupted);
}

}  // namespace
}  // namespace kiln::image
