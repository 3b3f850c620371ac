#include <atomic>

#include "image/disk/test_disk.h"

namespace kiln::image {
namespace {

using testing::HasSubstr;

class WslTest : public DiskTest {
 protected:
  WslTest() {
    base.dir("etc").file("etc/machine-id", "0123456789abcdef\n").file("etc/old", "old").file("usr/bin/su", "su", 04755);
    base.file("boot/vmlinuz-6.1", "kernel").file("usr/lib/modules/6.1/a.ko", "module").dir("lib");
    base.file("usr/big", noise(700'000, 1)).link("bin", "usr/bin").dir("tmp", 01777);
    fs::create_hard_link(base.path("usr/big"), base.path("usr/same"));
    EXPECT_EQ(::setxattr(base.path("usr/bin/su").c_str(), "user.note", "x", 1, 0), 0);
    EXPECT_EQ(::mknod(base.path("null").c_str(), S_IFCHR | 0666, makedev(1, 3)), 0);
    EXPECT_EQ(::chmod(base.path("null").c_str(), 0666), 0);  // whatever the umask
    EXPECT_EQ(::mkfifo(base.path("pipe").c_str(), 0600), 0);
    EXPECT_EQ(::chown(base.path("etc/old").c_str(), 1234, 70'000), 0);
    top.whiteout("etc/old").file("etc/new", "new");
    boot.file("etc/fstab", "UUID=1 / ext4\n").file("boot/grub/grub.cfg", "menu");
  }
  /// A disk of these layers: nothing but its layers counts.
  Disk disk() {
    Disk made = stand_in_disk(4 << 20);
    made.layers = {base.path(), top.path(), boot.path()};
    return made;
  }
  std::string listed(const fs::path& file) { return run({"tar", "-tzvf", file, "--numeric-owner"}); }
  std::string text_of(const fs::path& file, const std::string& member) { return run({"tar", "-xzOf", file, member}); }
  Tree base, top, boot;
};

TEST_F(WslTest, TarUnpacksTheMergedTreeWithoutKernelAndBootLayer) {
  const fs::path out = fresh("unpacked"), file = write(disk(), "wsl");
  EXPECT_EQ(file.extension(), ".wsl");
  EXPECT_EQ(run({"tar", "--xattrs", "--xattrs-include=user.*", "-xpzf", file, "-C", out, "--numeric-owner"}), "");
  EXPECT_EQ(run({"sh", "-c", fmt::format("cd '{}' && find . | LC_ALL=C sort | tr '\\n' ' '", out)}),
            ". ./bin ./boot ./etc ./etc/machine-id ./etc/new ./etc/wsl.conf ./lib ./null ./pipe ./tmp ./usr ./usr/big "
            "./usr/bin ./usr/bin/su ./usr/lib ./usr/lib/modules ./usr/same \n");
  EXPECT_EQ(run({"cmp", out / "usr/big", base.path("usr/big")}), "");
  EXPECT_EQ(fs::hard_link_count(out / "usr/same"), 2U);
  EXPECT_EQ(run({"stat", "-c", "%a %F %t,%T", out / "null", out / "pipe", out / "usr/bin/su", out / "tmp"}),
            "666 character special file 1,3\n600 fifo 0,0\n4755 regular file 0,0\n1777 directory 0,0\n");
  char value = 0;
  EXPECT_EQ(::getxattr((out / "usr/bin/su").c_str(), "user.note", &value, 1), 1);
}

TEST_F(WslTest, TheMachineHasNoIdAndStartsSystemd) {
  const fs::path file = write(disk(), "wsl");
  EXPECT_EQ(text_of(file, "etc/machine-id"), "");
  EXPECT_EQ(text_of(file, "etc/wsl.conf"), "[boot]\nsystemd=true\n");
}

TEST_F(WslTest, AConfigurationOfTheTreeStays) {
  top.file("etc/wsl.conf", "[user]\ndefault=spark\n");
  const fs::path file = write(disk(), "wsl");
  EXPECT_EQ(text_of(file, "etc/wsl.conf"), "[user]\ndefault=spark\n");
  EXPECT_EQ(run({"sh", "-c", fmt::format("tar -tzf '{}' | grep -c wsl.conf", file)}), "1\n");
}

TEST_F(WslTest, ThreadsAndOtherFormatsDoNotChangeTheBytes) {
  const std::string one = must(read_file(write(disk(), "wsl", 1)));
  const fs::path raw = fresh("both") / "disk.raw", wsl = raw.parent_path() / "disk.wsl";
  const std::array targets{DiskTarget{must(find_disk_format("raw")), raw},
                           DiskTarget{must(find_disk_format("wsl")), wsl}};
  must(write_disk_files(disk(), targets, {.threads = 3, .cancel = cancel}));
  EXPECT_EQ(one, must(read_file(wsl)));
  EXPECT_EQ(must(read_file(raw)), poured(disk().image));
}

TEST_F(WslTest, ADiskWithoutATreeIsRefused) {
  ScarceOutput out;
  const auto done = write_disk(stand_in_disk(4 << 20), *must(find_disk_format("wsl")), out, {.cancel = cancel});
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code(), Errc::usage);
  EXPECT_EQ(out.text, "");
}

TEST_F(WslTest, AFullDiskIsAnErrorWhereverItIsFull) {
  const DiskFormat& wsl = *must(find_disk_format("wsl"));
  ScarceOutput whole;
  must(write_disk(disk(), wsl, whole, {.threads = 2, .cancel = cancel}));
  for (std::uint64_t room = 0; room < whole.text.size(); room += whole.text.size() / 40 + 1) {
    ScarceOutput out(room);
    const auto done = write_disk(disk(), wsl, out, {.threads = 2, .cancel = cancel});
    ASSERT_FALSE(done) << room;
    EXPECT_EQ(done.error().code(), Errc::no_space);
  }
}

TEST_F(WslTest, AFileThatIsShorterThanItWasLeavesNothing) {
  const Disk made = disk();
  fs::path out = fresh("out") / "disk.wsl";
  std::atomic<bool> cut = false;
  Disk changing = made;
  changing.image.pour = [&](Sink& sink, const Cancel& stop) {
    if (!cut.exchange(true)) fs::resize_file(base.path("usr/big"), 10);
    return made.image.pour(sink, stop);
  };
  const std::array targets{DiskTarget{must(find_disk_format("wsl")), out},
                           DiskTarget{must(find_disk_format("raw")), out.parent_path() / "disk.raw"}};
  const auto done = write_disk_files(changing, targets, {.threads = 2, .cancel = cancel});
  ASSERT_FALSE(done);
  EXPECT_THAT(done.error().text(), HasSubstr("disk.wsl: usr/big: became shorter while it was read"));
  EXPECT_TRUE(fs::is_empty(out.parent_path()));
}

}  // namespace
}  // namespace kiln::image
