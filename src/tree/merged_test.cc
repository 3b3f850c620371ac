#include "tree/merged.h"

#include "support/tree.h"

namespace kiln::tree {
namespace {

using testing::ElementsAre;

class MergedTest : public testing::Test {
 protected:
  void SetUp() override {
    if (::geteuid() != 0) GTEST_SKIP() << "whiteouts need root";
  }
  std::vector<fs::path> layers() { return {old.path(), middle.path(), top.path()}; }
  std::vector<std::string> walk() {
    std::vector<std::string> all;
    must(walk_merged(layers(), [&](const TreeEntry& entry, int parent, const std::string& name) -> Result<> {
      EXPECT_EQ(must(stat_at(parent, name)).st_ino, entry.st.st_ino);
      all.push_back(fmt::format("{}:{}", entry.path, entry.layer));
      return {};
    }));
    return all;
  }
  std::string resolved(const std::string& path, bool follow_last = true) {
    const Merged merged = must(Merged::open(layers()));
    return must(merged.resolve(path, follow_last)).path;
  }
  Tree old, middle, top;
};

TEST_F(MergedTest, NewestLayerWinsAndDirectoriesMerge) {
  old.file("a/x", "1").file("a/y", "1");
  middle.file("a/x", "2");
  top.file("a/z", "3");
  EXPECT_THAT(walk(), ElementsAre("a:2", "a/x:1", "a/y:0", "a/z:2"));
}

TEST_F(MergedTest, OrderIsByComponents) {
  old.file("a/b", "").file("a-b", "").file("a.c/d", "");
  EXPECT_THAT(walk(), ElementsAre("a:0", "a/b:0", "a-b:0", "a.c:0", "a.c/d:0"));
}

TEST_F(MergedTest, WhiteoutsAndOpaqueDirectoriesHide) {
  old.file("gone", "1").file("dir/old", "1").file("back", "1");
  middle.whiteout("gone").opaque("dir").file("dir/new", "2").whiteout("back");
  top.file("back/again", "3");
  EXPECT_THAT(walk(), ElementsAre("back:2", "back/again:2", "dir:1", "dir/new:1"));
}

TEST_F(MergedTest, FileOverDirectoryHidesIt) {
  old.file("d/x", "1");
  middle.file("d", "2");
  EXPECT_THAT(walk(), ElementsAre("d:1"));
}

TEST_F(MergedTest, DirectoryOverFileOverDirectoryIsNew) {
  old.file("d/x", "1");
  middle.file("d", "2");
  top.file("d/y", "3");
  EXPECT_THAT(walk(), ElementsAre("d:2", "d/y:2"));
}

TEST_F(MergedTest, LinksAreFollowedInside) {
  old.dir("usr/sbin").link("sbin", "usr/sbin").link("abs", "/usr").link("up", "../../../usr");
  EXPECT_EQ(resolved("/sbin/reboot"), "usr/sbin/reboot");
  EXPECT_EQ(resolved("abs/sbin"), "usr/sbin");
  EXPECT_EQ(resolved("up/./sbin/../new/deep"), "usr/new/deep");
  EXPECT_EQ(resolved("/sbin", false), "sbin");
}

TEST_F(MergedTest, LinkLoopIsAnError) {
  old.link("a", "b").link("b", "a");
  const Merged merged = must(Merged::open(layers()));
  EXPECT_EQ(merged.resolve("a/x", true).error().code(), Errc::corrupt);
}

TEST_F(MergedTest, ReadsThroughLinksUpToTheLimit) {
  old.file("etc/real", "text").link("etc/link", "/etc/real").dir("etc/dir");
  EXPECT_EQ(must(read_merged(layers(), "/etc/link")), "text");
  EXPECT_EQ(must(read_merged(layers(), "etc/none/x")), std::nullopt);
  EXPECT_EQ(read_merged(layers(), "etc/real", 3).error().code(), Errc::corrupt);
  EXPECT_EQ(read_merged(layers(), "etc/dir").error().code(), Errc::corrupt);
}

TEST_F(MergedTest, NothingIsReadOutsideTheLayers) {
  old.link("data", "../../../../../../etc");
  EXPECT_EQ(must(read_merged(layers(), "data/passwd")), std::nullopt);
}

}  // namespace
}  // namespace kiln::tree
