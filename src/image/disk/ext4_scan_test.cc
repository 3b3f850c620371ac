// From layers to the tree in memory.
#include <sys/sysmacros.h>

#include "base/units.h"
#include "image/disk/ext4_fixture.h"
#include "image/disk/ext4_format.h"
#include "image/disk/ext4_hash.h"
#include "image/disk/ext4_holes.h"

namespace kiln::image {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class Ext4ScanTest : public Ext4Test {
 protected:
  Tree top;
  /// Paths with their inode's number of names, in the order of the walk; lost+found is left out.
  std::vector<std::string> listing(const Ext4Tree& scanned_tree) {
    std::vector<std::string> all;
    for (const Ext4Node& node : scanned_tree.nodes) {
      if (node.path != "lost+found") all.push_back(fmt::format("{}:{}:{}", node.path, node.layer, node.names));
    }
    return all;
  }
  std::vector<fs::path> both() { return {tree.path(), top.path()}; }
};

TEST_F(Ext4ScanTest, LayersAreMerged) {
  if (::geteuid() != 0) GTEST_SKIP() << "whiteouts need root";
  tree.file("a", "1").file("dir/gone", "1").file("dir/kept", "1").file("hidden/x", "1");
  top.file("a", "2").whiteout("dir/gone").opaque("hidden").file("hidden/y", "2");
  EXPECT_THAT(listing(must(scan_tree(both(), {}))),
              ElementsAre(":1:1", "a:1:1", "dir:1:1", "dir/kept:0:1", "hidden:1:1", "hidden/y:1:1"));
}

TEST_F(Ext4ScanTest, NamesOfOneInodeAreOneNode) {
  tree.file("a", "1").dir("b");
  top.file("d", "2");
  fs::create_hard_link(tree.path("a"), tree.path("b/c"));
  fs::create_hard_link(tree.path("a"), tree.path("d"));
  EXPECT_THAT(listing(must(scan_tree({tree.path()}, {}))), ElementsAre(":0:1", "a:0:3", "b:0:1"));
  EXPECT_THAT(listing(must(scan_tree(both(), {}))), ElementsAre(":1:1", "a:0:2", "b:0:1", "d:1:1"));
}

TEST_F(Ext4ScanTest, LeftOutDirectoriesStayEmpty) {
  tree.file("boot/efi/EFI/BOOT/BOOTX64.EFI", "1").file("boot/efi.txt", "2").file("boot/efi2/x", "3");
  EXPECT_THAT(listing(*scanned({"boot/efi"})),
              ElementsAre(":0:1", "boot:0:1", "boot/efi:0:1", "boot/efi.txt:0:1", "boot/efi2:0:1", "boot/efi2/x:0:1"));
}

TEST_F(Ext4ScanTest, LostAndFoundOfTheTreeIsTaken) {
  tree.file("lost+found/#77", "found");
  const fs::path image = made();
  EXPECT_EQ(complaints(image), "");
  EXPECT_EQ(debugfs(image, "cat /lost+found/#77"), "found\n");
  EXPECT_THAT(debugfs(image, "stat /lost+found"), HasSubstr("Inode: 11 "));
  EXPECT_THAT(debugfs(image, "stat /lost+found"), HasSubstr("Size: 16384"));
}

TEST_F(Ext4ScanTest, FileNamedLostAndFoundIsRefused) {
  tree.file("lost+found", "");
  EXPECT_EQ(lay_out_ext4(scanned(), spec).error().text(), "/lost+found must be a directory");
}

TEST_F(Ext4ScanTest, ContentIsCountedInBlocks) {
  tree.file("a", "1").file("b", std::string(4097, 'x')).file("empty", "");
  EXPECT_EQ(scanned()->content_bytes(), 3U * 4096);
}

TEST_F(Ext4ScanTest, HolesFollowFromContentAlone) {
  std::string content(3 * kMiB, '\0');
  content.replace(kMiB + 5, 1, "x");
  tree.file("written", content).file("sparse", "");
  const Fd fd(::open(tree.path("sparse").c_str(), O_WRONLY | O_CLOEXEC));
  EXPECT_EQ(::pwrite(fd.get(), "x", 1, kMiB + 5), 1);
  EXPECT_EQ(::ftruncate(fd.get(), 3 * kMiB), 0);
  const auto found = scanned();
  ASSERT_EQ(found->stored.size(), 2U);
  for (const auto& [node, ranges] : found->stored) EXPECT_THAT(ranges, ElementsAre(Extent{kMiB, 4096}));
  EXPECT_EQ(complaints(made()), "");
}

/// The holes of a file of zeros and of some blocks that are none.
std::vector<Extent> stored_ranges(const Tree& tree, std::uint64_t bytes,
                                  const std::vector<std::uint64_t>& data_blocks) {
  const Fd fd(::open(tree.path("file").c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
  for (const std::uint64_t b : data_blocks)
    EXPECT_EQ(::pwrite(fd.get(), "x", 1, static_cast<off_t>(b * 4096 + 4095)), 1);
  EXPECT_EQ(::ftruncate(fd.get(), static_cast<off_t>(bytes)), 0);
  const auto found = must(ext4::find_holes(fd.get(), bytes));
  return found ? *found : std::vector<Extent>{{0, bytes}};
}

TEST_F(Ext4ScanTest, ShortGapsAreNoHoles) {
  EXPECT_THAT(stored_ranges(tree, 2 * kMiB, {10, 18, 27}),
              ElementsAre(Extent{10 * 4096, 9 * 4096}, Extent{27 * 4096, 4096}));
  EXPECT_THAT(stored_ranges(tree, 2 * kMiB, {7, 505}), ElementsAre(Extent{0, 8 * 4096}, Extent{505 * 4096, 7 * 4096}));
  EXPECT_THAT(stored_ranges(tree, 2 * kMiB + 1, {}), ElementsAre());
}

TEST_F(Ext4ScanTest, SmallFilesHaveNoHoles) {
  EXPECT_THAT(stored_ranges(tree, kMiB - 1, {}), ElementsAre(Extent{0, kMiB - 1}));
}

TEST_F(Ext4ScanTest, HashesAreThoseOfDebugfs) {
  EXPECT_EQ(ext4::crc32c(~0U, as_bytes("123456789")), ~0xE3069283U);
  for (const std::string& name :
       {std::string("a"), std::string("b\xc3\xa4r"), std::string(32, 'm'), std::string(200, '\xff')}) {
    const ext4::NameHash hash = ext4::hash_name(name, spec.hash_seed);
    const std::string said = run({"debugfs", "-R", "dx_hash -h half_md4 -s " + spec.hash_seed.text() + " " + name});
    EXPECT_THAT(said, HasSubstr(fmt::format(" is 0x{:x} (minor 0x{:x})", hash.major, hash.minor)));
  }
}

}  // namespace
}  // namespace kiln::image
