// The list of files that a machine reads first, and a file system that is laid out by it.
#include "image/disk/first_read.h"

#include <gmock/gmock.h>

#include "image/disk/ext4_fixture.h"
#include "image/disk/ext4_map.h"

namespace kiln::image {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class FirstReadTest : public Ext4Test {
 protected:
  std::vector<std::string> list() { return must(first_read_in(*scanned())); }
  std::string complaint() {
    const auto read = first_read_in(*scanned());
    return read ? "" : read.error().text();
  }
};

TEST_F(FirstReadTest, PathsStandOnLines) {
  EXPECT_THAT(list(), IsEmpty());
  tree.file(std::string(kFirstReadList), "# boot\n/z\n\n/is/not/there\n/m n\n/z");
  EXPECT_THAT(list(), ElementsAre("z", "is/not/there", "m n", "z"));
}

TEST_F(FirstReadTest, ABadListIsSaid) {
  tree.file(std::string(kFirstReadList), "/a\netc/passwd\n");
  EXPECT_EQ(complaint(), "/usr/lib/kiln/first-read:2: a path that begins with \"/\" is expected");
  tree.file(std::string(kFirstReadList), std::string((1 << 20) + 1, '#'));
  EXPECT_EQ(complaint(), "/usr/lib/kiln/first-read: the list of files that are read first is a file of at most 1 MiB");
  fs::remove(tree.path(std::string(kFirstReadList)));
  tree.file(std::string(kFirstReadList) + "/a", "");
  EXPECT_EQ(complaint(), "/usr/lib/kiln/first-read: the list of files that are read first is a file of at most 1 MiB");
}

TEST_F(FirstReadTest, TheseFilesStandBeforeAllOthers) {
  for (const char* name : {"a", "b", "m", "z"}) tree.file(name, noise(50'000, name[0]));
  spec.first_read = {"z", "nothing", "m", "z"};
  const Ext4Image image = must(lay_out_ext4(scanned(), spec));
  EXPECT_EQ(complaints(written(image.image)), "");
  auto map = ext4::parse_block_map(image.block_map).value();
  const auto block = [&map](const char* path) { return map.at(path).content.front().first; };
  EXPECT_EQ(block("m"), map.at("z").content.front().end);
  EXPECT_EQ(block("a"), map.at("m").content.front().end);
  EXPECT_EQ(block("b"), map.at("a").content.front().end);
  EXPECT_LT(map.at("z").inode, map.at("m").inode);
  EXPECT_LT(map.at("m").inode, map.at("a").inode);
}

TEST_F(FirstReadTest, AFileThatWasThereStays) {
  for (const char* name : {"a", "m", "z"}) tree.file(name, noise(50'000, name[0]));
  const Ext4Image before = must(lay_out_ext4(scanned(), spec));
  spec.earlier = before.block_map;
  spec.first_read = {"z"};
  EXPECT_EQ(must(lay_out_ext4(scanned(), spec)).block_map, before.block_map);
}

}  // namespace
}  // namespace kiln::image
