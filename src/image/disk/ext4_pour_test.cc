// Pouring and what becomes of the image afterwards: full disks, growth, fragments, random trees, a real one.
#include <random>

#include "image/disk/ext4_fixture.h"

namespace kiln::image {
namespace {

using testing::HasSubstr;

/// Takes so many bytes, zeros too, and then has no room.
class FullSink : public Sink {
 public:
  explicit FullSink(std::uint64_t room) : room_(room) {}
  using Sink::write;
  Result<> write(std::span<const std::byte> bytes) override { return take(bytes.size()); }
  Result<> zeros(std::uint64_t n) override { return take(n); }
  std::uint64_t left() const { return room_; }

 private:
  Result<> take(std::uint64_t n) {
    if (n > room_) return error(Errc::no_space, "no space left");
    room_ -= n;
    return {};
  }
  std::uint64_t room_;
};

/// Counts what is data.
class CountingSink : public Sink {
 public:
  using Sink::write;
  Result<> write(std::span<const std::byte> bytes) override {
    written += bytes.size();
    return {};
  }
  Result<> zeros(std::uint64_t) override { return {}; }
  std::uint64_t written = 0;
};

TEST_F(Ext4Test, FullDiskIsAnErrorEverywhere) {
  tree.file("a", noise(300'000, 1)).file("b/c", "x").link("d", std::string(100, 'd'));
  const BlockImage image = must(lay_out_ext4(scanned(), spec)).image;
  for (std::uint64_t room = 0; room < image.bytes; room += 1'234'567) {
    FullSink sink(room);
    const auto done = image.pour(sink, cancel);
    ASSERT_FALSE(done.ok()) << room;
    EXPECT_EQ(done.error().code(), Errc::no_space);
  }
  FullSink sink(image.bytes);
  must(image.pour(sink, cancel));
  EXPECT_EQ(sink.left(), 0U);
}

TEST_F(Ext4Test, DataIsWhatItSaysAndLittleMoreThanContent) {
  spec.bytes = std::uint64_t{20} << 30;
  tree.file("big", noise(3'000'000, 1)).file("b/c", "x");
  EXPECT_EQ(::truncate(tree.file("sparse", "x").path("sparse").c_str(), std::int64_t{1} << 30), 0);
  const BlockImage image = must(lay_out_ext4(scanned(), spec)).image;
  CountingSink all, inside;
  must(image.pour(all, cancel));
  RangeSink ranges(image.data, inside);
  must(image.pour(ranges, cancel));
  EXPECT_EQ(all.written, total_bytes(image.data));
  EXPECT_EQ(inside.written, total_bytes(image.data));
  EXPECT_LT(all.written, 3'000'000U + 8 * 1024 * 1024);
}

TEST_F(Ext4Test, HolesStayHoles) {
  EXPECT_EQ(::truncate(tree.file("sparse", "x").path("sparse").c_str(), 100 << 20), 0);
  EXPECT_THAT(debugfs(made(), "stat /sparse"), HasSubstr("Size: 104857600\n"));
  EXPECT_THAT(debugfs(made(), "stat /sparse"), HasSubstr("Blockcount: 8\n"));
}

TEST_F(Ext4Test, GrowsAsMuchAsAVolumeCan) {
  tree.file("etc/hostname", "kiln\n").file("big", noise(5'000'000, 1));
  const fs::path image = made();
  for (const std::uint64_t bytes : {std::uint64_t{300} << 20, std::uint64_t{5} << 30, std::uint64_t{60} << 30}) {
    fs::resize_file(image, bytes);
    EXPECT_THAT(run({"resize2fs", image}), HasSubstr("is now")) << bytes;
    EXPECT_EQ(complaints(image), "");
  }
  EXPECT_EQ(debugfs(image, "cat /etc/hostname"), "kiln\n");
}

TEST_F(Ext4Test, GrowsWhileItIsMounted) {
  if (const std::string why = why_no_mount(); !why.empty()) GTEST_SKIP() << why;
  tree.file("etc/hostname", "kiln\n").file("big", noise(5'000'000, 1));
  const fs::path image = made();
  fs::resize_file(image, std::uint64_t{20} << 30);
  const std::string said =
      in_mount(image, "resize2fs $(findmnt -no SOURCE $mnt) 2>&1; df --output=size -BG $mnt | tail -1", "loop");
  if (said.find("Permission denied") != std::string::npos) GTEST_SKIP() << "growing a mount needs CAP_SYS_RESOURCE";
  EXPECT_THAT(said, HasSubstr("  20G\n"));
  EXPECT_EQ(complaints(image), "");
  EXPECT_EQ(differences(image), "");
}

TEST_F(Ext4Test, FileInManyPieces) {
  tree.file("some", "").file("many", "");
  for (const auto& [name, pieces] : {std::pair("some", 300), std::pair("many", 1500)}) {
    const Fd fd(::open(tree.path(name).c_str(), O_WRONLY | O_CLOEXEC));
    for (int i = 0; i < pieces; ++i) {
      const std::string block = noise(4096, static_cast<std::uint64_t>(i));
      EXPECT_EQ(::pwrite(fd.get(), block.data(), block.size(), std::int64_t{65536} * i + 40960), 4096);
    }
  }
  const fs::path image = made();
  EXPECT_EQ(complaints(image), "");
  EXPECT_THAT(debugfs(image, "stat /some"), HasSubstr("(ETB0)"));
  EXPECT_THAT(debugfs(image, "stat /many"), HasSubstr("(ETB1)"));
  if (why_no_mount().empty()) {
    EXPECT_EQ(differences(image), "");
  }
}

TEST_F(Ext4Test, FileGoesAroundWhatIsInItsWay) {
  spec.bytes = 700 << 20;
  EXPECT_EQ(::truncate(tree.file("zeros", "").path("zeros").c_str(), 600 << 20), 0);
  Ext4Tree full = must(scan_tree({tree.path()}, {}));
  full.stored.clear();  // as if they were no holes
  const BlockImage image = must(lay_out_ext4(std::make_shared<const Ext4Tree>(std::move(full)), spec)).image;
  const fs::path file = written(image);
  EXPECT_EQ(complaints(file), "");
  EXPECT_THAT(debugfs(file, "stat /zeros"), HasSubstr("Blockcount: 1228808\n"));  // with a block of the tree
}

/// A tree that a seed decides: some hundred entries of all kinds.
class RandomTree {
 public:
  RandomTree(Tree& tree, std::uint64_t seed) : tree_(tree), random_(seed) {}
  void fill(std::size_t entries) {
    for (std::size_t i = 0; i < entries; ++i)
      add(fmt::format("{}/{:x}{}", pick(dirs_), i, std::string(below(60), 'n')));
  }

 private:
  std::uint64_t below(std::uint64_t n) { return random_() % n; }
  const std::string& pick(const std::vector<std::string>& from) { return from[below(from.size())]; }
  void add(const std::string& name) {
    const fs::path path = tree_.path() / name.substr(1);
    switch (below(8)) {
      case 0:
        tree_.dir(name.substr(1));
        dirs_.push_back(name);
        break;
      case 1:
        tree_.link(name.substr(1), std::string(1 + below(200), 't'));
        break;
      case 2:
        if (!files_.empty()) fs::create_hard_link(tree_.path() / pick(files_).substr(1), path);
        break;
      case 3:
        EXPECT_EQ(::mkfifo(path.c_str(), 0600), 0);
        break;
      default:
        tree_.file(name.substr(1), noise(below(20) * below(20) * below(1000), random_()));
        files_.push_back(name);
        if (below(4) == 0) set_attribute(path, "user.random", noise(below(3000), random_()));
    }
  }
  Tree& tree_;
  std::mt19937_64 random_;
  std::vector<std::string> dirs_ = {""}, files_;
};

TEST_F(Ext4Test, RandomTreesAreSound) {
  for (const std::uint64_t seed : {1, 2, 3, 4, 5, 6}) {
    Tree random;
    ::chmod(random.path().c_str(), 0755);
    RandomTree(random, seed).fill(40 * seed);
    const auto found = std::make_shared<const Ext4Tree>(must(scan_tree({random.path()}, {})));
    spec.bytes = must(ext4_bytes_needed(*found)) + seed % 3 * 10'000'000;
    const fs::path image = written(must(lay_out_ext4(found, spec)).image);
    EXPECT_EQ(complaints(image), "") << seed;
    if (seed == 6 && why_no_mount().empty()) {
      EXPECT_EQ(differences(image, random.path()), "") << seed;
    }
  }
}

TEST_F(Ext4Test, RealTreeIsWhole) {
  const fs::path real = "/usr/share/perl";
  if (!fs::exists(real)) GTEST_SKIP() << real << " is not there";
  if (const std::string why = why_no_mount(); !why.empty()) GTEST_SKIP() << why;
  const auto scanned_tree = std::make_shared<const Ext4Tree>(must(scan_tree({real}, {})));
  spec.bytes = must(ext4_bytes_needed(*scanned_tree));
  const fs::path image = written(must(lay_out_ext4(scanned_tree, spec)).image);
  EXPECT_EQ(complaints(image), "");
  EXPECT_EQ(differences(image, real), "");
}

}  // namespace
}  // namespace kiln::image
