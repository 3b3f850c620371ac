// Whole disks from layers, judged by strangers.
#include "base/units.h"
#include "image/disk/test_boot.h"

namespace kiln::image {
namespace {

using testing::HasSubstr;
using testing::Not;

class WholeDiskTest : public BootTest {
 protected:
  /// Cuts the root partition out of a raw disk.
  fs::path root_of(const Disk& disk) {
    const fs::path raw = write(disk, "raw");
    fs::path root = dir.path() / "root.img";
    const DiskPartition& p = disk.partitions.back();
    EXPECT_THAT(run({"dd", fmt::format("if={}", raw), fmt::format("of={}", root), "bs=1M", "conv=sparse",
                     "iflag=skip_bytes,count_bytes", fmt::format("skip={}", p.first_sector * 512),
                     fmt::format("count={}", p.sectors * 512)}),
                Not(HasSubstr("exit code")));
    return root;
  }
};

TEST_F(WholeDiskTest, StrangersFindNoFault) {
  const Disk disk = must(lay_out_disk(fake_spec()));
  EXPECT_EQ(disk.image.bytes, kGiB);
  const fs::path root = root_of(disk);
  EXPECT_THAT(run({"e2fsck", "-fn", root}), Not(HasSubstr("exit code")));
  EXPECT_THAT(run({"dumpe2fs", "-h", root}), HasSubstr(derive_uuid(seed, "root").text()));
  EXPECT_THAT(run({"sgdisk", "-v", dir.path() / "disk.raw"}), HasSubstr("No problems found."));
  if (!has_tool("grub-fstest")) GTEST_SKIP() << "no grub-fstest";
  EXPECT_EQ(run({"grub-fstest", dir.path() / "disk.raw", "cat", "(loop0,gpt1)/etc/greeting"}), "hello from the root\n");
}

TEST_F(WholeDiskTest, TheRootHasTheTreeButForTheEfiFiles) {
  const fs::path root = root_of(must(lay_out_disk(fake_spec())));
  const fs::path out = dir.path() / "core.img";
  run({"debugfs", "-R", fmt::format("dump /boot/grub/i386-pc/core.img {}", out), root});
  EXPECT_EQ(must(read_file(out)), must(read_file(boot.path("boot/grub/i386-pc/core.img"))));
  const std::string listed = run({"debugfs", "-R", "ls -p /boot/efi", root});
  EXPECT_THAT(listed, HasSubstr("/./"));
  EXPECT_THAT(listed, Not(HasSubstr("EFI")));
}

TEST_F(WholeDiskTest, TwoRunsGiveEqualBytes) {
  const DiskSpec spec = fake_spec();
  const fs::path first = dir.path() / "first.raw";
  fs::rename(write(must(lay_out_disk(spec)), "raw"), first);
  EXPECT_EQ(run({"cmp", first, write(must(lay_out_disk(spec)), "raw")}), "");
}

TEST_F(WholeDiskTest, ASizeThatIsAskedForIsKept) {
  DiskSpec spec = fake_spec();
  spec.bytes = 300 * kMiB;
  const Disk disk = must(lay_out_disk(spec));
  EXPECT_EQ(disk.image.bytes, 300 * kMiB);
  EXPECT_THAT(run({"e2fsck", "-fn", root_of(disk)}), Not(HasSubstr("exit code")));
  spec.bytes = 300 * kMiB + 512;
  EXPECT_THAT(lay_out_disk(spec).error().text(), HasSubstr("whole MiB, not 314573312 bytes"));
}

TEST_F(WholeDiskTest, ATreeThatDoesNotFitSaysWhatItNeeds) {
  DiskSpec spec = fake_spec();
  base.file("usr/large", noise(90 * kMiB, 1));
  spec.bytes = 200 * kMiB;
  const auto made = lay_out_disk(spec);
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().code(), Errc::no_space);
  EXPECT_THAT(made.error().text(), HasSubstr("does not fit into a disk of 200 MiB: it needs 1 GiB"));
  spec.bytes = 1 * kMiB;
  EXPECT_EQ(lay_out_disk(spec).error().code(), Errc::no_space);
}

}  // namespace
}  // namespace kiln::image
