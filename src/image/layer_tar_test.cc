#include <thread>

#include "image/test_support.h"
#include "support/golden.h"

namespace kiln::image {
namespace {

std::string tar_of(const fs::path& tree) {
  StringSink out;
  const auto facts = write_layer_tar(tree, out);
  EXPECT_TRUE(facts) << (facts ? "" : facts.error().text());
  return std::move(out.text);
}

class LayerTarTest : public ImageTest {
 protected:
  /// One of everything that a layer can hold.
  fs::path full_tree(const std::string& name) {
    fs::path tree = fresh(name);
    put(name + "/usr/bin/tool", "#!/bin/sh\n");
    ::chmod((tree / "usr/bin/tool").c_str(), 04755);
    put(name + "/usr/empty", "");
    put(name + "/usr/ümlaut", "x");
    fs::create_hard_link(tree / "usr/empty", tree / "usr/also");
    fs::create_symlink("usr/bin", tree / "bin");
    fs::create_symlink(std::string(150, 't'), tree / "long-target");
    put(name + "/" + std::string(90, 'a') + "/" + std::string(90, 'b'), "prefix");
    put(name + "/" + std::string(120, 'c'), "pax path");
    put(name + "/owned", "x");
    EXPECT_EQ(::chown((tree / "owned").c_str(), 3'000'000, 185), 0);
    EXPECT_EQ(::setxattr((tree / "owned").c_str(), "user.colour", "blue", 4, 0), 0);
    EXPECT_EQ(::mkfifo((tree / "pipe").c_str(), 0600), 0);
    EXPECT_EQ(::mknod((tree / "null").c_str(), S_IFCHR | 0666, makedev(1, 3)), 0);
    EXPECT_EQ(::mknod((tree / "usr/gone").c_str(), S_IFCHR, makedev(0, 0)), 0);
    EXPECT_EQ(::setxattr((tree / "usr/bin").c_str(), "trusted.overlay.opaque", "y", 1, 0), 0);
    EXPECT_EQ(::setxattr((tree / "usr/bin").c_str(), "trusted.overlay.origin", "z", 1, 0), 0);
    set_mtimes(tree, 1'700'000'000);
    set_mtime(tree / "owned", -5);
    return tree;
  }
};

TEST_F(LayerTarTest, ListingIsGolden) {
  const fs::path tar = put("layer.tar", tar_of(full_tree("tree")));
  expect_golden("layer-listing.txt", run({"tar", "--full-time", "--numeric-owner", "-tvf", tar}));
}

TEST_F(LayerTarTest, AttributesStandInPaxRecords) {
  const std::string tar = tar_of(full_tree("tree"));
  EXPECT_NE(tar.find("SCHILY.xattr.user.colour=blue\n"), std::string::npos);
  EXPECT_NE(tar.find("15 uid=3000000\n"), std::string::npos);
  EXPECT_NE(tar.find("mtime=-5\n"), std::string::npos);
  EXPECT_EQ(tar.find("overlay"), std::string::npos);
}

TEST_F(LayerTarTest, UnpackedAndWrittenAgainItIsTheSame) {
  const std::string tar = tar_of(full_tree("tree"));
  const fs::path again = fresh("again");
  auto unpacked = unpack(tar, again);
  ASSERT_TRUE(unpacked) << unpacked.error().text();
  EXPECT_EQ(tar_of(again), tar);
  EXPECT_EQ(unpacked->facts.diff_id, sha256(tar));
  EXPECT_EQ(measure_layer(again)->diff_id, sha256(tar));
  EXPECT_EQ(measure_layer(again)->entries, unpacked->facts.entries);
}

TEST_F(LayerTarTest, BytesDoNotDependOnTheOrderOfCreation) {
  for (const char* name : {"z", "a", "m"}) put(std::string("one/") + name, name);
  for (const char* name : {"m", "z", "a"}) put(std::string("two/") + name, name);
  set_mtimes(dir.path(), 1000);
  set_mtime(dir.path() / "two", 2000);  // the root's own time is no content
  EXPECT_EQ(tar_of(dir.path() / "one"), tar_of(dir.path() / "two"));
}

TEST_F(LayerTarTest, EmptyLayerIsTwoZeroBlocks) {
  EXPECT_EQ(tar_of(fresh("empty")), std::string(1024, '\0'));
  EXPECT_EQ(measure_layer(dir.path() / "empty")->entries, 0U);
}

TEST_F(LayerTarTest, RootStandsInTheTarOnlyWhenItIsSpecial) {
  const fs::path tree = fresh("tree");
  ::chmod(tree.c_str(), 0700);
  const fs::path tar = put("layer.tar", tar_of(tree));
  EXPECT_EQ(run({"tar", "--full-time", "-tvf", tar}), "drwx------ 0/0               0 1970-01-01 00:00:00 ./\n");
  const fs::path again = fresh("again");
  ASSERT_TRUE(unpack(tar_of(tree), again));
  EXPECT_EQ(fs::status(again).permissions(), fs::perms::owner_all);
}

TEST_F(LayerTarTest, RefusesNamesThatMeanRemovals) {
  put("tree/.wh.x", "");
  StringSink out;
  auto done = write_layer_tar(dir.path() / "tree", out);
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code(), Errc::corrupt);
}

TEST_F(LayerTarTest, LargeNumbersGoIntoPax) {
  const std::string header = render_tar_header({.path = "big", .uid = 2097151, .gid = 2097152, .size = 1ULL << 33});
  EXPECT_NE(header.find("19 size=8589934592\n"), std::string::npos);
  EXPECT_NE(header.find("15 gid=2097152\n"), std::string::npos);
  EXPECT_EQ(header.find("uid="), std::string::npos);
}

TEST_F(LayerTarTest, PathsAtTheEdgeOfUstarAreReadBack) {
  for (const std::size_t length : {99U, 100U, 101U, 155U, 156U, 157U, 255U}) {
    for (const std::size_t slash : {1U, 50U, 100U, 154U, 155U, 156U}) {
      std::string path(length, 'p');
      if (slash < length - 1) path[slash] = '/';
      if (path.size() > 255 || path.find('/') == std::string::npos) continue;
      const fs::path tar = put("edge.tar", TarMaker().file(path).end());
      EXPECT_EQ(run({"tar", "-tf", tar}), path + "\n");
    }
  }
}

class CompressTest : public ImageTest {
 protected:
  /// About 5 MiB: text, then bytes that do not compress, then zeros.
  fs::path mixed_tree() {
    std::string text, noise;
    for (int i = 0; i < 200'000; ++i) text += std::to_string(i);
    std::uint64_t state = 1;
    for (int i = 0; i < 400'000; ++i) {
      state = state * 6364136223846793005U + 1442695040888963407U;
      noise.append(reinterpret_cast<const char*>(&state) + 1, 7);
    }
    put("tree/a", text);
    put("tree/b", noise);
    put("tree/c", std::string(1 << 20, '\0'));
    return dir.path() / "tree";
  }
  std::string compressed(const fs::path& tree, unsigned threads) {
    StringSink out;
    auto made = compress_layer(tree, out, threads, cancel);
    EXPECT_TRUE(made) << (made ? "" : made.error().text());
    EXPECT_EQ(made->blob, sha256(out.text));
    EXPECT_EQ(made->bytes, out.text.size());
    EXPECT_EQ(made->tar.diff_id, measure_layer(tree)->diff_id);
    return std::move(out.text);
  }
};

TEST_F(CompressTest, BytesDoNotDependOnThreads) {
  const fs::path tree = mixed_tree();
  const std::string one = compressed(tree, 1);
  for (const unsigned threads : {2U, 5U}) EXPECT_EQ(compressed(tree, threads), one);
}

TEST_F(CompressTest, GzipReadsOneMember) {
  const fs::path tree = mixed_tree();
  const fs::path blob = put("layer.tar.gz", compressed(tree, 2));
  EXPECT_EQ(run({"gzip", "-t", blob}), "");
  EXPECT_EQ(run({"sh", "-c", "gzip -dc " + blob.string() + " | sha256sum | cut -c1-64"}),
            measure_layer(tree)->diff_id.hex() + "\n");
  const std::string text = *read_file(blob);
  EXPECT_EQ(text.substr(0, 10), std::string("\x1f\x8b\x08\0\0\0\0\0\0\xff", 10));
  EXPECT_EQ(text.find(std::string("\x1f\x8b\x08\0\0\0\0\0", 8), 1), std::string::npos);  // no second member
}

TEST_F(CompressTest, NoiseIsStoredAndTextShrinks) {
  const std::string blob = compressed(mixed_tree(), 2);
  constexpr std::size_t kNoise = 2'800'000;
  EXPECT_GT(blob.size(), kNoise);
  EXPECT_LT(blob.size(), kNoise + 700'000);
}

TEST_F(CompressTest, ProgressAndCancel) {
  const fs::path tree = mixed_tree();
  StringSink out;
  std::uint64_t last = 0;
  ASSERT_TRUE(compress_layer(tree, out, 2, cancel, [&last](std::uint64_t done) { last = done; }));
  EXPECT_GT(last, std::uint64_t{4} << 20);
  cancel.cancel();
  auto stopped = compress_layer(tree, out, 2, cancel);
  ASSERT_FALSE(stopped);
  EXPECT_EQ(stopped.error().code(), Errc::interrupted);
}

/// Fails after some bytes, as a full disk does.
class FailingSink : public Sink {
 public:
  explicit FailingSink(std::uint64_t room) : room_(room) {}
  using Sink::write;
  Result<> write(std::span<const std::byte> bytes) override {
    if (bytes.size() > room_) return error(Errc::no_space, "full");
    room_ -= bytes.size();
    return {};
  }

 private:
  std::uint64_t room_;
};

TEST_F(CompressTest, FullDiskIsReportedWhereverItHappens) {
  const fs::path tree = mixed_tree();
  for (const std::uint64_t room : {0U, 9U, 10U, 100'000U, 2'000'000U, 2'900'000U}) {
    FailingSink out(room);
    auto done = compress_layer(tree, out, 2, cancel);
    ASSERT_FALSE(done) << room;
    EXPECT_EQ(done.error().code(), Errc::no_space);
  }
}

}  // namespace
}  // namespace kiln::image
