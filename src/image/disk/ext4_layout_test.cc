// Trees made in memory: what is too large or too odd for a tree on disk.
#include <sys/stat.h>

#include <random>
#include <unordered_map>

#include "image/disk/ext4_fixture.h"
#include "image/disk/ext4_hash.h"
#include "image/disk/ext4_layout.h"

namespace kiln::image {
namespace {

using testing::HasSubstr;

/// A tree without layers: its files are empty or nothing but holes.
class MadeTree {
 public:
  MadeTree() {
    tree_.nodes.push_back(node("", S_IFDIR | 0755));
    add(0, "lost+found", S_IFDIR | 0700);
  }
  std::uint32_t add(std::uint32_t parent, const std::string& name, std::uint32_t mode = S_IFREG | 0644) {
    const std::string& path = tree_.nodes[parent].path;
    tree_.nodes.push_back(node(path.empty() ? name : path + "/" + name, mode));
    const auto id = static_cast<std::uint32_t>(tree_.nodes.size() - 1);
    tree_.nodes[parent].entries.push_back({name, id});
    return id;
  }
  void add_name(std::uint32_t parent, const std::string& name, std::uint32_t of) {
    tree_.nodes[parent].entries.push_back({name, of});
    ++tree_.nodes[of].names;
  }
  void make_hole(std::uint32_t file, std::uint64_t bytes) {
    tree_.nodes[file].bytes = bytes;
    tree_.stored[file] = {};
  }
  Ext4Node& operator[](std::uint32_t id) { return tree_.nodes[id]; }
  Ext4Tree& whole() { return tree_; }
  std::shared_ptr<const Ext4Tree> finish() { return std::make_shared<const Ext4Tree>(std::move(tree_)); }

 private:
  static Ext4Node node(const std::string& path, std::uint32_t mode) {
    Ext4Node made;
    made.path = path;
    made.mode = mode;
    return made;
  }
  Ext4Tree tree_;
};

/// A number as a name of that many bytes.
std::string long_name(std::uint64_t number, std::size_t bytes = 255) {
  std::string name = fmt::format("{:x}-", number);
  return name + std::string(bytes - name.size(), 'n');
}

class Ext4LayoutTest : public Ext4Test {
 protected:
  MadeTree in_memory;
  std::string complaints_about_it() { return complaints(written(must(lay_out_ext4(in_memory.finish(), spec)).image)); }
  std::string refusal() {
    const auto refused = lay_out_ext4(in_memory.finish(), spec);
    if (refused.ok()) return "";
    return refused.error().code() == Errc::usage ? refused.error().text() : "code: " + refused.error().text();
  }
};

TEST_F(Ext4LayoutTest, MoreSubdirectoriesThanLinksCount) {
  spec.bytes = 512 << 20;
  const std::uint32_t many = in_memory.add(0, "many", S_IFDIR | 0755);
  for (int i = 0; i < 65'000; ++i) in_memory.add(many, fmt::format("{:05}", i), S_IFDIR | 0755);
  const fs::path image = written(must(lay_out_ext4(in_memory.finish(), spec)).image);
  EXPECT_EQ(complaints(image), "");
  EXPECT_THAT(debugfs(image, "stat /many"), HasSubstr("Links: 1 "));
}

TEST_F(Ext4LayoutTest, IndexOfTwoLevels) {
  const std::uint32_t dir_node = in_memory.add(0, "dir", S_IFDIR | 0755);
  const std::uint32_t file = in_memory.add(dir_node, long_name(0));
  for (std::uint64_t i = 1; i < 8000; ++i) in_memory.add_name(dir_node, long_name(i), file);
  const fs::path image = written(must(lay_out_ext4(in_memory.finish(), spec)).image);
  EXPECT_EQ(complaints(image), "");
  EXPECT_THAT(debugfs(image, "htree_dump /dir"), HasSubstr("Indirect levels: 1"));
  EXPECT_THAT(debugfs(image, "stat /dir/" + long_name(7999)), HasSubstr("Links: 8000 "));
}

/// Two names of one hash, and names that go before them.
std::vector<std::string> names_that_collide(const Uuid& seed, std::size_t before) {
  std::unordered_map<std::uint32_t, std::uint64_t> seen;
  std::vector<std::string> names;
  std::uint32_t hash = 0;
  for (std::uint64_t i = 0; names.empty(); ++i) {
    hash = ext4::hash_name(long_name(i), seed).major;
    const auto [it, is_new] = seen.emplace(hash, i);
    if (!is_new && hash > 0x10000000) names = {long_name(i), long_name(it->second)};
  }
  for (std::uint64_t i = 0; before > 0; ++i) {
    if (ext4::hash_name(long_name(i), seed).major >= hash) continue;
    names.push_back(long_name(i));
    --before;
  }
  return names;
}

TEST_F(Ext4LayoutTest, NamesOfOneHashInTwoLeaves) {
  const std::size_t a_leaf = 12;  // names of 255 bytes
  const auto names = names_that_collide(spec.hash_seed, 2 * a_leaf - 1);
  const std::uint32_t dir_node = in_memory.add(0, "dir", S_IFDIR | 0755);
  for (const std::string& name : names) in_memory.add(dir_node, name);
  const fs::path image = written(must(lay_out_ext4(in_memory.finish(), spec)).image);
  EXPECT_EQ(complaints(image), "");
  const ext4::NameHash hash = ext4::hash_name(names[0], spec.hash_seed);
  EXPECT_THAT(debugfs(image, "htree_dump /dir"), HasSubstr(fmt::format("Hash 0x{:08x}", hash.major + 1)));
  if (!why_no_mount().empty()) GTEST_SKIP() << why_no_mount();
  EXPECT_EQ(in_mount(image, fmt::format("test -f $mnt/dir/{} && test -f $mnt/dir/{}", names[0], names[1])), "");
}

TEST_F(Ext4LayoutTest, LargestFileIsAHole) {
  const std::uint32_t file = in_memory.add(0, "file");
  in_memory.make_hole(file, ext4::kMaxFileBlocks * kExt4BlockBytes);
  EXPECT_EQ(complaints_about_it(), "");
}

TEST_F(Ext4LayoutTest, LargeFileSystemHasAJournalInPieces) {
  spec.bytes = std::uint64_t{130} << 30;
  const fs::path image = written(must(lay_out_ext4(in_memory.finish(), spec)).image);
  EXPECT_EQ(complaints(image), "");
  EXPECT_THAT(debugfs(image, "stat <8>"), HasSubstr("Size: 1073741824"));
  EXPECT_THAT(debugfs(image, "stat <8>"), HasSubstr("(ETB0)"));
}

TEST_F(Ext4LayoutTest, SmallestFileSystem) {
  spec.bytes = 8 << 20;
  EXPECT_EQ(complaints_about_it(), "");
}

TEST_F(Ext4LayoutTest, AnySizeIsWhole) {
  for (const std::uint64_t mib : {9, 127, 128, 129, 130, 140, 257, 300, 1025, 2049, 2177, 5000}) {
    spec.bytes = (mib << 20) + mib * 512;
    const auto image = must(lay_out_ext4(MadeTree().finish(), spec)).image;
    const fs::path file = written(image);
    EXPECT_EQ(complaints(file), "") << mib;
    EXPECT_EQ(fs::file_size(file), spec.bytes);
  }
}

TEST_F(Ext4LayoutTest, ManyInodesInLittleSpace) {
  spec.bytes = 160 << 20;
  for (int i = 0; i < 60'000; ++i) in_memory.add(0, fmt::format("{:06}", i));
  EXPECT_EQ(complaints_about_it(), "");
}

TEST_F(Ext4LayoutTest, EveryInodeAndItsNumber) {
  const std::uint32_t a = in_memory.add(0, "a", S_IFDIR | 0755);
  const std::uint32_t b = in_memory.add(a, "b");
  const ext4::Layout layout = must(ext4::decide(in_memory.finish(), spec));
  EXPECT_EQ(layout.nodes[0].inode, 2U);
  EXPECT_EQ(layout.nodes[1].inode, 11U);
  EXPECT_EQ(layout.nodes[a].inode, 12U);
  EXPECT_EQ(layout.nodes[b].inode, 13U);
  EXPECT_NE(layout.nodes[a].generation, layout.nodes[b].generation);
}

TEST_F(Ext4LayoutTest, LongNameIsRefused) {
  in_memory.add(0, std::string(256, 'n'));
  EXPECT_THAT(refusal(), HasSubstr("has 256 bytes"));
}

TEST_F(Ext4LayoutTest, NamesThatAreNone) {
  in_memory.add(0, "a/b");
  EXPECT_THAT(refusal(), HasSubstr("\"a/b\" cannot be a name"));
}

TEST_F(Ext4LayoutTest, TooManyLinksAreRefused) {
  in_memory[in_memory.add(0, "file")].names = 65'001;
  EXPECT_THAT(refusal(), HasSubstr("/file: it has 65001 names"));
}

TEST_F(Ext4LayoutTest, TooLargeFileIsRefused) {
  in_memory.make_hole(in_memory.add(0, "file"), std::uint64_t{16} << 40);
  EXPECT_THAT(refusal(), HasSubstr("/file: it has 17592186044416 bytes"));
}

TEST_F(Ext4LayoutTest, TooManyAttributesAreRefused) {
  in_memory.whole().attributes.push_back({{"user.a", std::string(4000, 'a')}, {"user.b", std::string(100, 'b')}});
  in_memory[in_memory.add(0, "file")].attributes = 1;
  EXPECT_THAT(refusal(), HasSubstr("/file: its attributes"));
}

TEST_F(Ext4LayoutTest, SpecIsChecked) {
  spec.label = "seventeen letters";
  EXPECT_THAT(refusal(), HasSubstr("label"));
  spec.label = "";
  spec.bytes = (8 << 20) - 1;
  in_memory = {};
  EXPECT_THAT(refusal(), HasSubstr("8 MiB to 16 TiB"));
}

}  // namespace
}  // namespace kiln::image
