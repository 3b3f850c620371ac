#include "image/disk/vhd_format.h"

#include "base/units.h"
#include "image/disk/test_disk.h"
#include "support/golden.h"

namespace kiln::image {
namespace {

using testing::HasSubstr;

class VhdTest : public DiskTest, public testing::WithParamInterface<const char*> {
 protected:
  /// QEMU sees the disk of the raw file; what it says of the file.
  std::string judged(const Disk& disk) {
    const fs::path file = write(disk, GetParam()), raw = write(disk, "raw");
    EXPECT_THAT(run({"qemu-img", "compare", "-f", "vpc", "-F", "raw", file, raw}), HasSubstr("Images are identical."));
    return run({"qemu-img", "info", "-f", "vpc", file});
  }
};
INSTANTIATE_TEST_SUITE_P(Forms, VhdTest, testing::Values("vhd", "vhd-dynamic"));

TEST_P(VhdTest, QemuReadsTheDiskBack) {
  if (!has_tool("qemu-img")) GTEST_SKIP() << "no qemu-img";
  EXPECT_THAT(judged(stand_in_disk(kGiB)), HasSubstr("virtual size: 1 GiB (1073741824 bytes)"));
  EXPECT_THAT(judged(stand_in_disk(129 * kGiB)), HasSubstr("virtual size: 129 GiB"));
}

TEST_P(VhdTest, ADiskThatIsNoWholeMiBGrowsToOne) {
  if (!has_tool("qemu-img")) GTEST_SKIP() << "no qemu-img";
  EXPECT_THAT(judged(stand_in_disk(4 * kMiB + 512)), HasSubstr("(5242880 bytes)"));
}

TEST_P(VhdTest, AnEmptyDiskAndOneWithDataEverywhere) {
  if (!has_tool("qemu-img")) GTEST_SKIP() << "no qemu-img";
  Disk disk;
  disk.image = compose(3 * kMiB, {});
  judged(disk);
  disk.image = image_from(noise(5 * kMiB, 1));
  judged(disk);
}

TEST_P(VhdTest, TheLimitIsSaid) {
  ScarceOutput out;
  const auto done =
      write_disk(stand_in_disk(2040 * kGiB + kMiB), *must(find_disk_format(GetParam())), out, {.cancel = cancel});
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code(), Errc::usage);
  EXPECT_EQ(done.error().text(), "VHD holds disks up to 2040 GiB; this one has 2041");
  EXPECT_EQ(out.text, "");
}

TEST_F(DiskTest, AFixedVhdIsTheDiskAndItsFooter) {
  const Disk disk = stand_in_disk(4 * kMiB);
  const std::string file = must(read_file(write(disk, "vhd")));
  EXPECT_EQ(file.size(), 4 * kMiB + 512) << "as Azure wants it";
  EXPECT_TRUE(file.substr(0, 4 * kMiB) == poured(disk.image));
  expect_golden("disk/vhd-footer.hex", hex_dump(std::string_view(file).substr(4 * kMiB), 4 * kMiB));
}

TEST_F(DiskTest, ADynamicVhdHasTheBlocksWithDataOnly) {
  const std::string file = must(read_file(write(stand_in_disk(64 * kMiB), "vhd-dynamic")));
  EXPECT_EQ(file.size(), vhd::kTableOffset + 512 + 3 * (512 + vhd::kBlock) + 512);
  EXPECT_EQ(file.substr(0, 512), file.substr(file.size() - 512)) << "the footer stands at both ends";
  expect_golden("disk/vhd-dynamic.hex", hex_dump(std::string_view(file).substr(0, vhd::kTableOffset + 512)));
}

TEST_F(DiskTest, HolesOfVhdsAreHolesOfTheFile) {
  for (const char* format : {"vhd", "vhd-dynamic"}) {
    const fs::path file = write(stand_in_disk(kGiB), format);
    struct stat st {};
    ASSERT_EQ(::stat(file.c_str(), &st), 0);
    EXPECT_LT(st.st_blocks * 512, 2 << 20) << format;
  }
}

}  // namespace
}  // namespace kiln::image
