// Machines started from written disks: emulated, as far as GRUB's word from the root file system.
#include "image/disk/frame.h"
#include "image/disk/test_boot.h"

namespace kiln::image {
namespace {

using testing::HasSubstr;

class FirmwareTest : public BootTest {
 protected:
  Disk disk() {
    const DiskSpec spec = speaking_spec();
    const fs::path image = dir.path() / "root.img";
    const Extent place = root_place(160 * kMiB);
    put("root.img", "");
    fs::resize_file(image, place.bytes);
    const std::string made = run({"mke2fs", "-q", "-t", "ext4", "-U", spec.root_uuid.text(), "-d", base.path(), image});
    EXPECT_EQ(made, "");
    return must(frame_disk(spec, 160 * kMiB, image_from(must(read_file(image, 160 * kMiB)))));
  }
};

TEST_F(FirmwareTest, BiosStartsGrubThatReadsTheRoot) {
  if (!can_make_grub() || !has_tool("qemu-system-x86_64")) GTEST_SKIP() << "no GRUB or QEMU";
  const std::string said = serial_of(write(disk(), "raw"), "raw", false);
  EXPECT_THAT(said, HasSubstr("started by i386-pc"));
  EXPECT_THAT(said, HasSubstr("hello from the root"));
}

TEST_F(FirmwareTest, UefiStartsGrubThatReadsTheRoot) {
  if (!can_make_grub() || !has_tool("qemu-system-x86_64")) GTEST_SKIP() << "no GRUB or QEMU";
  if (!fs::exists("/usr/share/OVMF/OVMF_CODE_4M.fd")) GTEST_SKIP() << "no OVMF";
  const std::string said = serial_of(write(disk(), "raw"), "raw", true);
  EXPECT_THAT(said, HasSubstr("started by x86_64-efi"));
  EXPECT_THAT(said, HasSubstr("hello from the root"));
}

}  // namespace
}  // namespace kiln::image
