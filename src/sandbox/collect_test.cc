// Collecting by hand-made uppers: each case is a few files and what is left of them.
#include "sandbox/test_tree.h"
#include "tree/tree.h"

namespace kiln::sandbox {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr std::int64_t kClock = 1'600'000'000;

class CollectTest : public testing::Test {
 protected:
  void SetUp() override {
    if (::geteuid() != 0) GTEST_SKIP() << "whiteouts need root";
    upper.dir("upper");
  }
  fs::path up(const std::string& name) { return upper.path("upper/" + name); }
  /// An entry of the upper with the lower's times, as a copy-up makes it.
  void copy_up(const std::string& name) {
    must(make_dirs(up(name).parent_path()));
    fs::copy(lower.path(name), up(name), fs::copy_options::copy_symlinks);
  }
  CollectReport collect() {
    CollectSpec spec{.upper = upper.path("upper"),
                     .lowers = {lower.path()},
                     .stubs = stubs,
                     .clock = kClock,
                     .keep = keep,
                     .tree = upper.path("tree"),
                     .volatile_tree = upper.path("volatile")};
    return must(sandbox::collect(spec));
  }
  /// Paths of a tree with a letter for their kind: d, f, l, w (whiteout).
  std::vector<std::string> listing(const std::string& tree) {
    std::vector<std::string> all;
    const fs::path root = upper.path(tree);
    for (const auto& entry : fs::recursive_directory_iterator(root)) {
      struct stat st {};
      EXPECT_EQ(::lstat(entry.path().c_str(), &st), 0);
      const char kind = S_ISDIR(st.st_mode) ? 'd' : S_ISLNK(st.st_mode) ? 'l' : S_ISCHR(st.st_mode) ? 'w' : 'f';
      all.push_back(fmt::format("{} {}", kind, entry.path().lexically_relative(root)));
    }
    std::sort(all.begin(), all.end(), [](auto& a, auto& b) { return a.substr(2) < b.substr(2); });
    return all;
  }
  Tree lower, upper;
  std::vector<StubFile> stubs;
  std::vector<std::string> keep;
};

TEST_F(CollectTest, NothingChangedIsEmpty) {
  lower.file("etc/a", "same").link("etc/l", "a");
  copy_up("etc/a");
  copy_up("etc/l");
  const auto report = collect();
  EXPECT_TRUE(report.empty);
  EXPECT_TRUE(report.volatile_empty);
  EXPECT_THAT(listing("tree"), IsEmpty());
}

TEST_F(CollectTest, TouchedFileIsNoChangeButItsModeIs) {
  lower.file("etc/a", "same").file("etc/b", "same");
  copy_up("etc/a");
  copy_up("etc/b");
  ::chmod(up("etc/b").c_str(), 0600);
  EXPECT_FALSE(collect().empty);
  EXPECT_THAT(listing("tree"), ElementsAre("d etc", "f etc/b"));
}

TEST_F(CollectTest, ParentOfAChangeKeepsTheLowersTime) {
  lower.file("etc/old", "x");
  const timespec times[2] = {{1'500'000'000, 0}, {1'500'000'000, 0}};
  ASSERT_EQ(::utimensat(AT_FDCWD, lower.path("etc").c_str(), times, 0), 0);
  must(make_dirs(up("etc")));
  must(write_file_quick(up("etc/new"), "x"));
  collect();
  struct stat st {};
  ASSERT_EQ(::stat(upper.path("tree/etc").c_str(), &st), 0);
  EXPECT_EQ(st.st_mtim.tv_sec, 1'500'000'000);
}

TEST_F(CollectTest, LateTimesBecomeTheClockAlsoOfLinksAndDirectories) {
  must(make_dirs(up("new/dir")));
  must(write_file_quick(up("new/file"), "x"));
  fs::create_symlink("file", up("new/link"));
  collect();
  for (const char* name : {"tree/new", "tree/new/dir", "tree/new/file", "tree/new/link"}) {
    struct stat st {};
    ASSERT_EQ(::lstat(upper.path(name).c_str(), &st), 0);
    EXPECT_EQ(st.st_mtim.tv_sec, kClock) << name;
    EXPECT_EQ(st.st_mtim.tv_nsec, 0) << name;
  }
}

TEST_F(CollectTest, OpaqueDirectoryBecomesExplicitWhiteouts) {
  lower.file("opt/app/keep", "1").file("opt/app/sub/gone", "2").file("opt/app/gone", "3");
  upper.opaque("upper/opt/app").file("upper/opt/app/keep", "1").dir("upper/opt/app/sub").file("upper/opt/app/new", "4");
  collect();
  EXPECT_THAT(listing("tree"), ElementsAre("d opt", "d opt/app", "w opt/app/gone", "f opt/app/new", "d opt/app/sub",
                                           "w opt/app/sub/gone"));
  EXPECT_LT(::getxattr(upper.path("tree/opt/app").c_str(), "trusted.overlay.opaque", nullptr, 0), 0);
}

TEST_F(CollectTest, DirectoryRemovedAndMadeAgainAlikeIsNoChange) {
  lower.file("opt/app/a", "1");
  upper.opaque("upper/opt/app").file("upper/opt/app/a", "1");
  EXPECT_TRUE(collect().empty);
}

TEST_F(CollectTest, WhiteoutOfAStubIsDroppedOfATreesFileIsKept) {
  lower.file("etc/real", "x");
  stubs = {{.path = "/etc/resolv.conf", .content = "nameserver 192.0.2.1\n"}};
  upper.whiteout("upper/etc/resolv.conf").whiteout("upper/etc/real");
  collect();
  EXPECT_THAT(listing("tree"), ElementsAre("d etc", "w etc/real"));
}

TEST_F(CollectTest, UntouchedStubIsDroppedAChangedOneIsKept) {
  lower.file("etc/hosts", "of the image");
  stubs = {{.path = "/etc/hosts", .content = "stub"}, {.path = "/etc/other", .content = "stub"}};
  upper.file("upper/etc/hosts", "stub").file("upper/etc/other", "changed");
  collect();
  EXPECT_THAT(listing("tree"), ElementsAre("d etc", "f etc/other"));
}

TEST_F(CollectTest, HardLinkToALowerFileKeepsBothNames) {
  lower.file("a", "x");
  copy_up("a");
  fs::create_hard_link(up("a"), up("b"));
  collect();
  EXPECT_THAT(listing("tree"), ElementsAre("f a", "f b"));
  EXPECT_TRUE(fs::equivalent(upper.path("tree/a"), upper.path("tree/b")));
}

TEST_F(CollectTest, HardLinksThatTheLowerHasTooAreDropped) {
  lower.file("a", "x");
  fs::create_hard_link(lower.path("a"), lower.path("b"));
  copy_up("a");
  fs::create_hard_link(up("a"), up("b"));
  EXPECT_TRUE(collect().empty);
}

TEST_F(CollectTest, VolatileFilesGoAndAreNamed) {
  upper.file("upper/var/log/apt/term.log", "x").file("upper/var/log/empty", "");
  upper.file("upper/var/cache/ldconfig/aux-cache", "x").file("upper/var/cache/apt/pkgcache.bin", "x");
  upper.file("upper/etc/a.dpkg-old", "x").file("upper/var/cache/apt/archives/x.bin", "x");
  const auto report = collect();
  EXPECT_THAT(report.dropped, ElementsAre("etc/a.dpkg-old", "var/cache/apt/pkgcache.bin",
                                          "var/cache/ldconfig/aux-cache", "var/log/apt/term.log"));
  EXPECT_TRUE(fs::exists(upper.path("tree/var/log/empty")));
  EXPECT_TRUE(fs::exists(upper.path("tree/var/cache/apt/archives/x.bin")));
  EXPECT_FALSE(fs::exists(upper.path("tree/var/log/apt/term.log")));
}

TEST_F(CollectTest, KeptPathsAreNotVolatile) {
  keep = {"/var/log/install.log", "/tmp/out"};
  upper.file("upper/var/log/install.log", "x").file("upper/tmp/out/a", "x").file("upper/tmp/b", "x");
  EXPECT_THAT(collect().dropped, IsEmpty());
  EXPECT_TRUE(fs::exists(upper.path("tree/var/log/install.log")));
  EXPECT_THAT(listing("volatile"), ElementsAre("d tmp", "f tmp/b"));
  EXPECT_TRUE(fs::exists(upper.path("tree/tmp/out/a")));
}

TEST_F(CollectTest, TmpBecomesTheVolatileTree) {
  lower.dir("tmp", 01777);
  upper.dir("upper/tmp", 01777).file("upper/tmp/upload", "x").file("upper/etc/a", "x");
  const auto report = collect();
  EXPECT_FALSE(report.empty);
  EXPECT_FALSE(report.volatile_empty);
  EXPECT_THAT(listing("tree"), ElementsAre("d etc", "f etc/a"));
  EXPECT_THAT(listing("volatile"), ElementsAre("d tmp", "f tmp/upload"));
}

TEST_F(CollectTest, TmpItselfStaysInTheLayerThatBringsIt) {
  upper.dir("upper/tmp", 01777).file("upper/tmp/upload", "x");
  EXPECT_FALSE(collect().empty);
  EXPECT_THAT(listing("tree"), ElementsAre("d tmp"));
  EXPECT_THAT(listing("volatile"), ElementsAre("d tmp", "f tmp/upload"));
  struct stat st {};
  ASSERT_EQ(::stat(upper.path("tree/tmp").c_str(), &st), 0);
  EXPECT_EQ(st.st_mode & 07777U, 01777U);
}

TEST_F(CollectTest, MachineIdIsEmptied) {
  upper.file("upper/etc/machine-id", "0123456789abcdef0123456789abcdef\n", 0444);
  collect();
  EXPECT_EQ(must(read_file(upper.path("tree/etc/machine-id"))), "");
  EXPECT_EQ(fs::status(upper.path("tree/etc/machine-id")).permissions(), fs::perms(0444));
}

TEST_F(CollectTest, MachineIdMadeOverAnEmptyOneIsNoChange) {
  lower.file("etc/machine-id", "", 0444);
  upper.file("upper/etc/machine-id", "0123456789abcdef0123456789abcdef\n", 0444);
  EXPECT_TRUE(collect().empty);
}

TEST_F(CollectTest, OnlyAttributesOfALayerStay) {
  must(write_file_quick(up("f"), "x"));
  const fs::path file = up("f");
  for (const char* name : {"user.kept", "user.overlay.x", "trusted.overlay.origin", "trusted.x"}) {
    ASSERT_EQ(::setxattr(file.c_str(), name, "v", 1, 0), 0) << name;
  }
  collect();
  char names[256] = {};
  const ssize_t n = ::listxattr(upper.path("tree/f").c_str(), names, sizeof names);
  EXPECT_EQ(std::string(names, static_cast<std::size_t>(n)), std::string("user.kept\0", 10));
}

TEST(AttributesTest, CapabilitiesTakeTheirVersionTwoForm) {
  const std::string permitted(16, '\x01');
  const std::string three = std::string("\x01\x00\x00\x03", 4) + permitted + std::string("\xe8\x03\x00\x00", 4);
  const std::string two = std::string("\x01\x00\x00\x02", 4) + permitted;
  EXPECT_EQ(tree::canonical_attributes({{"security.capability", three}}),
            (tree::Attributes{{"security.capability", two}}));
  EXPECT_EQ(tree::canonical_attributes({{"security.capability", two}}),
            (tree::Attributes{{"security.capability", two}}));
}

TEST_F(CollectTest, IsIdempotent) {
  lower.file("opt/app/gone", "3");
  upper.opaque("upper/opt/app").file("upper/opt/app/new", "4");
  collect();
  const auto first = listing("tree");
  fs::rename(upper.path("tree"), upper.path("upper"));
  fs::remove_all(upper.path("volatile"));
  collect();
  EXPECT_EQ(listing("tree"), first);
}

TEST_F(CollectTest, TooDeepTreeIsRefused) {
  fs::path deep = up("d");
  for (int i = 0; i < 300; ++i) deep /= "d";
  must(make_dirs(deep));
  const auto result =
      sandbox::collect({.upper = upper.path("upper"), .tree = upper.path("t"), .volatile_tree = upper.path("v")});
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code(), Errc::corrupt);
}

TEST_F(CollectTest, SocketsAreDropped) {
  ASSERT_EQ(::mknod(up("s").c_str(), S_IFSOCK | 0600, 0), 0);
  EXPECT_THAT(collect().dropped, ElementsAre("s"));
}

}  // namespace
}  // namespace kiln::sandbox
