#include "image/disk/vhdx_format.h"

#include "base/units.h"
#include "image/disk/test_disk.h"
#include "support/golden.h"

namespace kiln::image {
namespace {

using testing::HasSubstr;

class VhdxTest : public DiskTest {
 protected:
  /// QEMU finds no fault and sees the disk of the raw file; what it says of the file.
  std::string judged(const Disk& disk) {
    const fs::path file = write(disk, "vhdx"), raw = write(disk, "raw");
    EXPECT_THAT(run({"qemu-img", "check", "-f", "vhdx", file}), HasSubstr("No errors were found on the image."));
    EXPECT_EQ(run({"qemu-img", "compare", "-f", "vhdx", "-F", "raw", file, raw}), "Images are identical.\n");
    return run({"qemu-img", "info", "-f", "vhdx", file});
  }
};

TEST_F(VhdxTest, QemuReadsTheDiskBack) {
  if (!has_tool("qemu-img")) GTEST_SKIP() << "no qemu-img";
  const std::string facts = judged(stand_in_disk(kGiB));
  EXPECT_THAT(facts, HasSubstr("virtual size: 1 GiB (1073741824 bytes)"));
  EXPECT_THAT(facts, HasSubstr("cluster_size: 1048576"));
}

TEST_F(VhdxTest, TheTableSkipsTheEntriesOfBitmaps) {
  if (!has_tool("qemu-img")) GTEST_SKIP() << "no qemu-img";
  Disk disk;  // a bitmap's entry comes after each 4096 MiB
  std::vector<ImagePart> parts;
  for (const std::uint64_t mib : {0U, 4095U, 4096U, 4200U})
    parts.push_back({mib * kMiB + 5, image_from(noise(700'000, mib))});
  disk.image = compose(4 * kGiB + 256 * kMiB, std::move(parts));
  judged(disk);
}

TEST_F(VhdxTest, SmallOddAndEmptyDisks) {
  if (!has_tool("qemu-img")) GTEST_SKIP() << "no qemu-img";
  judged(stand_in_disk(4 * kMiB + 512));
  Disk disk;
  disk.image = compose(kMiB, {});
  judged(disk);
  disk.image = image_from(noise(3 * kMiB, 1));
  judged(disk);
}

TEST_F(VhdxTest, LargeDisksHaveLargerBlocksAndTheLimitIsSaid) {
  const fs::path file = write(stand_in_disk(8192 * kGiB), "vhdx");
  EXPECT_LT(fs::file_size(file), 64 * kMiB);
  if (has_tool("qemu-img")) {
    EXPECT_THAT(run({"qemu-img", "info", file}), HasSubstr("cluster_size: 8388608"));
  }
  ScarceOutput out;
  const auto done = write_disk(stand_in_disk(65'537 * kGiB), *must(find_disk_format("vhdx")), out, {.cancel = cancel});
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().text(), "VHDX holds disks up to 65536 GiB; this one has 65537");
  EXPECT_EQ(out.text, "");
}

TEST_F(VhdxTest, HeadersAndTableAreTheGoldenOnes) {
  const std::string file = must(read_file(write(stand_in_disk(64 * kMiB), "vhdx")));
  EXPECT_EQ(file.size(), 4 * kMiB + 4 * kMiB) << "headers and table, four blocks";
  expect_golden("disk/vhdx.hex", hex_dump(std::string_view(file).substr(0, 4 * kMiB)));
}

/// The checksum bit by bit, as the polynomial says.
TEST_F(VhdxTest, ChecksumsAreCastagnolis) {
  constexpr const char* kCheck = R"(
import struct, sys
f = open(sys.argv[1], "rb")
def crc(data):
    c = 0xffffffff
    for b in data:
        c ^= b
        for _ in range(8): c = c >> 1 ^ (0x82f63b78 if c & 1 else 0)
    return c ^ 0xffffffff
for at, size in ((64, 4), (128, 4), (192, 64), (256, 64)):
    f.seek(at << 10)
    data = f.read(size << 10)
    assert crc(data[:4] + b"\0\0\0\0" + data[8:]) == struct.unpack_from("<I", data, 4)[0], at
)";
  EXPECT_EQ(run({"python3", "-c", kCheck, write(stand_in_disk(4 * kMiB), "vhdx")}), "");
}

}  // namespace
}  // namespace kiln::image
