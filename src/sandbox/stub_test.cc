#include "sandbox/stub.h"

#include "sandbox/test_tree.h"
#include "sandbox/volatile.h"

namespace kiln::sandbox {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::Not;

class StubTest : public testing::Test {
 protected:
  StubPlan plan() { return must(plan_stubs(must(tree::Merged::open({tree.path()})), spec)); }
  std::vector<std::string> paths() {
    std::vector<std::string> all;
    for (const StubEntry& entry : plan().entries) all.push_back(entry.path);
    return all;
  }
  Tree tree, scratch;
  RunSpec spec;
};

TEST_F(StubTest, EmptyTreeGetsMountPointsAndCommands) {
  EXPECT_THAT(paths(), ElementsAre("dev", "proc", "run", "sys", "tmp", "usr/sbin/halt", "usr/sbin/poweroff",
                                   "usr/sbin/reboot", "usr/sbin/shutdown"));
}

TEST_F(StubTest, DirectoriesThatAreThereNeedNoStub) {
  tree.dir("dev").dir("proc").dir("run").dir("sys").dir("tmp").dir("usr/sbin").link("sbin", "usr/sbin");
  EXPECT_THAT(paths(), ElementsAre("usr/sbin/halt", "usr/sbin/poweroff", "usr/sbin/reboot", "usr/sbin/shutdown"));
}

TEST_F(StubTest, UnmergedTreeHasCommandsInSbinToo) {
  tree.dir("sbin").dir("usr/sbin");
  EXPECT_THAT(paths(), Contains("sbin/reboot"));
}

TEST_F(StubTest, LinkedMountPointIsCoveredByADirectory) {
  tree.link("proc", "/etc");
  EXPECT_THAT(plan().entries, Contains(StubEntry{"proc", StubEntry::Kind::dir, {}, 0755}));
}

TEST_F(StubTest, FileFollowsLinksInsideTheTree) {
  tree.link("etc/resolv.conf", "../data/resolv.conf");
  spec.stubs = {{"/etc/resolv.conf", "x"}};
  EXPECT_THAT(plan().entries, Contains(StubEntry{"data/resolv.conf", StubEntry::Kind::file, "x", 0644}));
}

TEST_F(StubTest, FileThatLeadsToRunIsWrittenThere) {
  tree.link("etc/resolv.conf", "/run/resolved/resolv.conf");
  spec.stubs = {{"/etc/resolv.conf", "x"}};
  const StubPlan made = plan();
  ASSERT_EQ(made.places.run_files.size(), 1U);
  EXPECT_EQ(made.places.run_files[0].path, "run/resolved/resolv.conf");
}

TEST_F(StubTest, LinkThatLeadsNowhereIsReplaced) {
  tree.link("etc/resolv.conf", "resolv.conf").link("etc/hosts", "/dev/null");
  spec.stubs = {{"/etc/resolv.conf", "x"}, {"/etc/hosts", "y"}};
  EXPECT_THAT(plan().entries, Contains(StubEntry{"etc/resolv.conf", StubEntry::Kind::file, "x", 0644}));
  EXPECT_THAT(plan().entries, Contains(StubEntry{"etc/hosts", StubEntry::Kind::file, "y", 0644}));
}

TEST_F(StubTest, BindGetsAMountPointOfItsKind) {
  Tree host;
  host.file("f", "x").dir("d");
  tree.dir("data");
  spec.binds = {{host.path("f"), "/mnt/f"}, {host.path("d"), "/data"}, {host.path("d"), "/run/kiln/d"}};
  const StubPlan made = plan();
  EXPECT_THAT(made.places.binds, ElementsAre("mnt/f", "data", "run/kiln/d"));
  EXPECT_THAT(made.entries, Contains(StubEntry{"mnt/f", StubEntry::Kind::file, {}, 0644}));
  EXPECT_THAT(paths(), Not(Contains("data")));
}

TEST_F(StubTest, BindOverTheWrongKindIsRefused) {
  Tree host;
  tree.file("etc/x", "");
  spec.binds = {{host.path(), "/etc/x"}};
  EXPECT_EQ(plan_stubs(must(tree::Merged::open({tree.path()})), spec).error().code(), Errc::usage);
}

TEST_F(StubTest, ParentsLookLikeTheTrees) {
  if (::geteuid() != 0) GTEST_SKIP() << "owners need root";
  tree.dir("etc", 0750);
  ASSERT_EQ(::chown(tree.path("etc").c_str(), 7, 8), 0);
  spec.stubs = {{"/etc/hosts", "x", 0600}};
  must(make_stub_layer(must(tree::Merged::open({tree.path()})), plan().entries, scratch.path("stub"), 1'600'000'000));
  struct stat made {
  }, real{};
  ASSERT_EQ(::stat(scratch.path("stub/etc").c_str(), &made), 0);
  ASSERT_EQ(::stat(tree.path("etc").c_str(), &real), 0);
  EXPECT_EQ(made.st_mode, real.st_mode);
  EXPECT_EQ(made.st_uid, 7U);
  EXPECT_EQ(made.st_mtim.tv_sec, real.st_mtim.tv_sec);
  ASSERT_EQ(::stat(scratch.path("stub/etc/hosts").c_str(), &made), 0);
  EXPECT_EQ(made.st_mode & 07777, 0600U);
  EXPECT_EQ(made.st_mtim.tv_sec, 1'600'000'000);
}

TEST_F(StubTest, RunsShareALayerWhileItWouldComeOutTheSame) {
  tree.dir("etc");
  spec.stubs = {{"/etc/hosts", "x"}};
  const fs::path home = scratch.path("home");
  ASSERT_TRUE(make_dirs(home));
  int runs = 0;
  const auto layer = [&]() -> fs::path {
    const fs::path link = scratch.path("run" + std::to_string(++runs));
    must(link_stub_layer(must(tree::Merged::open({tree.path()})), plan().entries, home, link, 1'600'000'000));
    return fs::read_symlink(link);
  };
  const fs::path first = layer();
  EXPECT_EQ(*read_file(first / "etc/hosts"), "x");
  EXPECT_EQ(layer(), first);
  spec.stubs = {{"/etc/hosts", "y"}};
  const fs::path other_content = layer();
  EXPECT_NE(other_content, first);
  ASSERT_EQ(::chmod(tree.path("etc").c_str(), 0700), 0);
  const fs::path other_parent = layer();
  EXPECT_NE(other_parent, other_content);
  struct stat st {};
  ASSERT_EQ(::stat((other_parent / "etc").c_str(), &st), 0);
  EXPECT_EQ(st.st_mode & 07777, 0700U);
}

TEST(VolatileTest, ListIsExact) {
  const auto drops = [](const char* path) { return is_volatile(path, S_IFREG | 0644, 1); };
  for (const char* path : {"var/log/dpkg.log", "var/log/apt/term.log", "var/cache/ldconfig/aux-cache",
                           "var/cache/apt/pkgcache.bin", "etc/x.dpkg-old", "run/x"}) {
    EXPECT_TRUE(drops(path)) << path;
  }
  for (const char* path : {"var/log", "var/logs/x", "var/cache/apt/archives/x.bin", "var/cache/apt/x.deb", "opt/run/x",
                           "etc/dpkg-old", "etc/machine-id", "tmp/x"}) {
    EXPECT_FALSE(drops(path)) << path;
  }
  EXPECT_FALSE(is_volatile("var/log/empty", S_IFREG | 0640, 0));
  EXPECT_FALSE(is_volatile("var/log/mysql", S_IFDIR | 0750, 4096));
  EXPECT_TRUE(is_volatile("root/.gnupg/S.agent", S_IFSOCK | 0600, 0));
}

TEST(VolatileTest, KeptPathsAndWhatIsBelowThem) {
  EXPECT_TRUE(is_kept("var/log/a", {"/var/log/a"}));
  EXPECT_TRUE(is_kept("var/log/a/b", {"var/log/a/"}));
  EXPECT_FALSE(is_kept("var/log/ab", {"/var/log/a"}));
}

}  // namespace
}  // namespace kiln::sandbox
