#include "image/disk/test_disk.h"

namespace kiln::image {
namespace {

using testing::HasSubstr;

class SquashfsTest : public DiskTest {
 protected:
  SquashfsTest() {
    base.file("usr/bin/su", "su", 04755).file("gone", "old").file("empty", "").dir("tmp", 01777).dir("nothing", 0700);
    base.file("usr/big", noise(700'000, 1) + std::string(900'000, 'x') + std::string(1 << 20, '\0') + "end");
    base.link("bin", "usr/bin").file("usr/lib/x", "same tail").file("usr/lib/y", "same tail");
    fs::create_hard_link(base.path("usr/big"), base.path("usr/same"));
    fs::create_hard_link(base.path("usr/big"), base.path("a-first-name"));
    EXPECT_EQ(::setxattr(base.path("usr/bin/su").c_str(), "user.note", "x", 1, 0), 0);
    EXPECT_EQ(::setxattr(base.path("tmp").c_str(), "user.note", "of a directory", 14, 0), 0);
    EXPECT_EQ(::mknod(base.path("null").c_str(), S_IFCHR | 0666, makedev(1, 3)), 0);
    EXPECT_EQ(::mknod(base.path("disk").c_str(), S_IFBLK | 0600, makedev(259, 70'000)), 0);
    EXPECT_EQ(::mkfifo(base.path("pipe").c_str(), 0600), 0);
    EXPECT_EQ(::chown(base.path("usr/lib/x").c_str(), 1234, 70'000), 0);
    for (int i = 0; i < 1000; ++i) base.file(fmt::format("many/file-{}", i), fmt::format("text {}", i));
    top.whiteout("gone").file("etc/new", "new");
  }
  Disk disk() {
    Disk made = stand_in_disk(4 << 20);
    made.layers = {base.path(), top.path()};
    return made;
  }
  Tree base, top;
};

/// Every entry of a tree: type, mode, owner, links, time, devices, link text, content, attributes.
constexpr const char* kDescribe = R"(
import hashlib, os, stat, sys
root, first = sys.argv[1], {}
for folder, dirs, files in os.walk(root):
    dirs.sort()
    for name in sorted(files + dirs):
        path = os.path.join(folder, name)
        st = os.lstat(path)
        text = os.readlink(path) if stat.S_ISLNK(st.st_mode) else ""
        if stat.S_ISREG(st.st_mode): text = hashlib.sha256(open(path, "rb").read()).hexdigest()
        links = st.st_nlink if not stat.S_ISDIR(st.st_mode) else 0
        short = os.path.relpath(path, root)
        print(short, oct(st.st_mode), st.st_uid, st.st_gid, links, int(st.st_mtime), st.st_rdev, text,
              first.setdefault(st.st_ino, short),
              [(a, os.getxattr(path, a, follow_symlinks=False)) for a in sorted(os.listxattr(path, follow_symlinks=False))
               if a.startswith("user.") and not a.startswith("user.overlay")])
)";

TEST_F(SquashfsTest, UnsquashfsUnpacksTheMergedTree) {
  if (!has_tool("unsquashfs")) GTEST_SKIP() << "no unsquashfs";
  const fs::path file = write(disk(), "squashfs"), out = dir.path() / "unpacked";
  EXPECT_EQ(fs::file_size(file) % 4096, 0U);
  EXPECT_THAT(run({"unsquashfs", "-no-progress", "-d", out, file}), HasSubstr("created 1006 files"));
  fs::remove(base.path("gone"));  // what the merged tree has: the lower layer and the new file
  fs::create_directory(base.path("etc"));
  fs::copy_file(top.path("etc/new"), base.path("etc/new"));
  EXPECT_EQ(run({"touch", "-r", top.path("etc/new"), base.path("etc/new")}), "");
  EXPECT_EQ(run({"touch", "-r", top.path("etc"), base.path("etc")}), "");
  EXPECT_EQ(run({"python3", "-c", kDescribe, out}), run({"python3", "-c", kDescribe, base.path()}));
}

/// Directories whose links are not two and one for each directory in them.
constexpr const char* kLinksOfDirectories = R"(
for folder, dirs, files in os.walk(root):
    links, inside = os.lstat(folder).st_nlink, sum(not os.path.islink(os.path.join(folder, name)) for name in dirs)
    if links != 2 + inside: print(os.path.relpath(folder, root), links, "links,", inside, "directories")
)";

TEST_F(SquashfsTest, TheKernelSeesTheTreeAndTheLinksOfDirectories) {
  if (const std::string why = why_no_mount(); !why.empty()) GTEST_SKIP() << why;
  fs::create_directories(base.path("usr/share/doc"));
  EXPECT_EQ(::setxattr(base.path("usr").c_str(), "user.note", "an inode of the other kind", 26, 0), 0);
  Disk made = disk();
  made.layers = {base.path()};
  must(write_file(dir.path() / "describe.py", std::string(kDescribe) + kLinksOfDirectories));
  const std::string describe = "python3 " + (dir.path() / "describe.py").string();
  const std::string wanted = run({"python3", "-c", kDescribe, base.path()});
  EXPECT_EQ(in_mount(write(made, "squashfs"), describe + " $mnt"), wanted);
}

TEST_F(SquashfsTest, TheSuperblockSaysZstdAndAttributes) {
  if (!has_tool("unsquashfs")) GTEST_SKIP() << "no unsquashfs";
  const std::string facts = run({"unsquashfs", "-s", write(disk(), "squashfs")});
  EXPECT_THAT(facts, HasSubstr("valid SQUASHFS 4:0 superblock"));
  EXPECT_THAT(facts, HasSubstr("Compression zstd"));
  EXPECT_THAT(facts, HasSubstr("Block size 131072"));
  EXPECT_THAT(facts, HasSubstr("Number of xattr ids 2"));
}

TEST_F(SquashfsTest, ThreadsDoNotChangeTheBytes) {
  const std::string one = must(read_file(write(disk(), "squashfs", 1)));
  EXPECT_TRUE(one == must(read_file(write(disk(), "squashfs", 4))));
}

TEST_F(SquashfsTest, AFullDiskIsAnErrorWhereverItIsFull) {
  const DiskFormat& format = *must(find_disk_format("squashfs"));
  ScarceOutput whole;
  must(write_disk(disk(), format, whole, {.threads = 2, .cancel = cancel}));
  for (std::uint64_t room = 0; room < whole.text.size(); room += whole.text.size() / 40 + 1) {
    ScarceOutput out(room);
    const auto done = write_disk(disk(), format, out, {.threads = 2, .cancel = cancel});
    ASSERT_FALSE(done) << room;
    EXPECT_EQ(done.error().code(), Errc::no_space);
  }
  ScarceOutput out;
  out.patches_fail = true;
  EXPECT_FALSE(write_disk(disk(), format, out, {.threads = 2, .cancel = cancel}));
}

TEST_F(SquashfsTest, StopsWhenCancelledAndRefusesADiskWithoutATree) {
  const DiskFormat& format = *must(find_disk_format("squashfs"));
  ScarceOutput out;
  EXPECT_EQ(write_disk(stand_in_disk(4 << 20), format, out, {.cancel = cancel}).error().code(), Errc::usage);
  EXPECT_EQ(out.text, "");
  cancel.cancel();
  EXPECT_EQ(write_disk(disk(), format, out, {.cancel = cancel}).error().code(), Errc::interrupted);
}

}  // namespace
}  // namespace kiln::image
