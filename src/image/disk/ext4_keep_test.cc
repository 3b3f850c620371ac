// Images that are laid out after an earlier one: what did not change stays where it was, and the file system is sound.
#include <random>

#include "image/disk/ext4_fixture.h"
#include "image/disk/ext4_map.h"

namespace kiln::image {
namespace {

using ext4::BlockMap;
using ext4::Range;

constexpr std::size_t kRegion = 512 << 10;

class Ext4KeepTest : public Ext4Test {
 protected:
  Ext4Image image;
  BlockMap map;  // of image

  /// The tree's next image, after the last one.
  void bake() {
    spec.earlier = image.block_map;
    image = must(lay_out_ext4(scanned(), spec));
    map = must_parse(image.block_map);
  }
  static BlockMap must_parse(const std::string& text) {
    auto parsed = ext4::parse_block_map(text);
    EXPECT_TRUE(parsed.has_value());
    return parsed.value_or(BlockMap());
  }
  static std::uint64_t total(const std::vector<Range>& ranges) {
    std::uint64_t blocks = 0;
    for (const Range& r : ranges) blocks += r.blocks();
    return blocks;
  }
  /// How many regions of 512 KiB differ between two images.
  static std::size_t changed_regions(const std::string& a, const std::string& b) {
    std::size_t changed = 0;
    for (std::size_t at = 0; at < a.size(); at += kRegion) changed += a.substr(at, kRegion) != b.substr(at, kRegion);
    return changed;
  }
};

TEST_F(Ext4KeepTest, AfterItselfItIsTheSame) {
  tree.file("a/b", noise(700'000, 1)).file("c", "c").link("l", std::string(100, 'l'));
  set_attribute(tree.path("c"), "user.long", noise(1000, 3));
  bake();
  const std::string first = digest(image.image), first_map = image.block_map;
  bake();
  EXPECT_EQ(digest(image.image), first);
  EXPECT_EQ(image.block_map, first_map);
}

TEST_F(Ext4KeepTest, OnlyWhatChangedMoves) {
  for (int i = 0; i < 40; ++i) tree.file(fmt::format("d{}/file{}", i % 4, i), noise(300'000, 10 + i));
  bake();
  const BlockMap before = map;
  const std::string old_bytes = poured(image.image);
  fs::remove(tree.path("d1/file5"));
  tree.file("d0/file4", noise(500'000, 1)).file("d2/file6", noise(100'000, 2)).file("a-new", noise(250'000, 3));
  bake();
  EXPECT_EQ(complaints(written(image.image)), "");
  for (const auto& [path, was] : before) {
    if (path == "d1/file5") continue;
    EXPECT_EQ(map[path].inode, was.inode) << path;
    if (path == "d0/file4" || path == "d2/file6") continue;
    EXPECT_EQ(map[path].content, was.content) << path;
  }
  // A file that grew goes on where it was; one that shrank keeps its beginning; a new one fills what became free.
  EXPECT_EQ(map["d0/file4"].content.front(), before.at("d0/file4").content.front());
  EXPECT_EQ(map["d2/file6"].content.front().first, before.at("d2/file6").content.front().first);
  EXPECT_EQ(map["a-new"].inode, before.at("d1/file5").inode);
  EXPECT_EQ(map["a-new"].content.front().first, before.at("d1/file5").content.front().first);
  // Two each of d0/file4, d1/file5 and d2/file6, one behind the last file; superblock, bitmaps, inodes and directories.
  EXPECT_LE(changed_regions(old_bytes, poured(image.image)), 8U);
}

TEST_F(Ext4KeepTest, AttributesAndExtentTreesStayToo) {
  std::string holey;
  for (int i = 0; i < 10; ++i) holey += noise(64 << 10, i) + std::string(64 << 10, '\0');
  tree.file("a/1", "1").file("a/2", "2").file("b", holey).file("c", "c");
  for (int i = 0; i < 200; ++i) tree.file(fmt::format("a/{}{}", std::string(200, 'n'), i), "");
  set_attribute(tree.path("a/1"), "user.long", noise(1000, 3));
  set_attribute(tree.path("c"), "user.long", noise(1000, 4));
  bake();
  const BlockMap before = map;
  ASSERT_EQ(total(before.at("b").index), 1U);
  ASSERT_NE(before.at("c").attribute_block, 0U);
  // The directory's blocks and those of a/1, all before those of b and c, become free.
  fs::remove_all(tree.path("a"));
  bake();
  EXPECT_EQ(complaints(written(image.image)), "");
  EXPECT_EQ(map["b"].index, before.at("b").index);
  EXPECT_EQ(map["c"].attribute_block, before.at("c").attribute_block);
}

TEST_F(Ext4KeepTest, AnotherKindOfThingIsNew) {
  tree.file("a", noise(9000, 1)).file("b", noise(9000, 2)).file("c", noise(9000, 3));
  bake();
  const BlockMap before = map;
  fs::remove(tree.path("a"));
  fs::remove(tree.path("b"));
  tree.file("b/1", "1");
  bake();
  EXPECT_EQ(complaints(written(image.image)), "");
  EXPECT_EQ(map["b"].inode, before.at("a").inode) << "the lowest that is free";
  EXPECT_EQ(map["c"].inode, before.at("c").inode);
}

TEST_F(Ext4KeepTest, NewFilesShareFreshRegions) {
  for (int i = 0; i < 30; ++i) tree.file(fmt::format("old{}", i), noise(90'000, i));
  bake();
  for (int i = 0; i < 8; ++i) tree.file(fmt::format("new{}", i), noise(60'000, i));
  bake();
  EXPECT_EQ(map["new0"].content.front().first % ext4::kRegionBlocks, 0U);
  for (int i = 1; i < 8; ++i) {
    EXPECT_EQ(map[fmt::format("new{}", i)].content.front().first, map[fmt::format("new{}", i - 1)].content.back().end);
  }
}

TEST_F(Ext4KeepTest, AnotherKindOfFileIsANewOne) {
  tree.file("a", "text").dir("b").file("b/c", "text");
  bake();
  const std::uint32_t inode = map["a"].inode;
  fs::remove(tree.path("a"));
  fs::remove_all(tree.path("b"));
  tree.dir("a").file("b", "text");
  bake();
  EXPECT_EQ(complaints(written(image.image)), "");
  EXPECT_EQ(map["a"].inode, inode);  // the lowest that is free
}

TEST_F(Ext4KeepTest, GrowsIntoALargerFileSystem) {
  tree.file("a", noise(2'000'000, 1));
  bake();
  const auto content = map["a"].content;
  spec.bytes = 600 << 20;  // larger tables, another journal
  bake();
  EXPECT_EQ(complaints(written(image.image)), "");
  EXPECT_EQ(total(map["a"].content), total(content));
}

TEST_F(Ext4KeepTest, WhatIsNoMapIsLeftAside) {
  tree.file("a", "a");
  bake();
  const std::string alone = digest(image.image);
  const std::string good = image.block_map;
  for (const std::string& bad :
       {std::string("x"), std::string("another title\0", 14), good.substr(0, good.size() - 1), good + "1 2 3" + '\0',
        good + std::string("40000 1 0 9999999999999999999+1 - a\0", 36)}) {
    spec.earlier = bad;
    EXPECT_EQ(digest(must(lay_out_ext4(scanned(), spec)).image), alone) << bad;
  }
}

TEST_F(Ext4KeepTest, FitsWhereTheEarlierPlacesDoNotLetIt) {
  spec.bytes = 40 << 20;
  tree.file("a", noise(10'000'000, 1)).file("b", noise(1'000'000, 2)).file("c", noise(10'000'000, 3));
  bake();
  fs::remove(tree.path("a"));
  fs::remove(tree.path("c"));
  tree.file("d", noise(21'000'000, 4));
  bake();
  EXPECT_EQ(complaints(written(image.image)), "");
  EXPECT_EQ(total(map["d"].content), 21'000'000U / 4096 + 1);
}

/// Many generations of a tree whose files come, go, grow and shrink.
TEST_F(Ext4KeepTest, ManyGenerationsAreSound) {
  std::mt19937_64 random(7);
  const auto below = [&](std::uint64_t n) { return random() % n; };
  for (int generation = 0; generation < 12; ++generation) {
    for (int i = 0; i < 25; ++i) {
      const std::string name = fmt::format("d{}/{}", below(5), below(30));
      fs::remove_all(tree.path(name));
      switch (below(6)) {
        case 0:
          break;
        case 1:
          tree.link(name, std::string(1 + below(150), 't'));
          break;
        case 2:
          tree.file(name, "");
          EXPECT_EQ(::truncate(tree.path(name).c_str(), static_cast<off_t>(below(8'000'000))), 0);
          for (int hole = 0; hole < 12; ++hole) {
            const Fd fd(::open(tree.path(name).c_str(), O_WRONLY | O_CLOEXEC));
            const std::string block = noise(4096, random());
            EXPECT_EQ(::pwrite(fd.get(), block.data(), block.size(), static_cast<off_t>(below(8'000'000))), 4096);
          }
          break;
        default:
          tree.file(name, noise(below(20) * below(20) * below(2000), random()));
          if (below(4) == 0) set_attribute(tree.path(name), "user.random", noise(below(3000), random()));
      }
    }
    bake();
    const fs::path file = written(image.image);
    EXPECT_EQ(complaints(file), "") << generation;
    if (generation % 4 == 3 && why_no_mount().empty()) {
      EXPECT_EQ(differences(file), "") << generation;
    }
    const std::string bytes = digest(image.image);
    bake();
    EXPECT_EQ(digest(image.image), bytes) << "after itself, generation " << generation;
  }
}

}  // namespace
}  // namespace kiln::image
