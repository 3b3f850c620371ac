// Machines started from written disks: emulated, as far as GRUB's word from the root file system.
#include "image/disk/test_boot.h"

namespace kiln::image {
namespace {

using testing::HasSubstr;

class FirmwareTest : public BootTest {
 protected:
  void SetUp() override {
    if (!can_make_grub() || !has_tool("qemu-system-x86_64")) GTEST_SKIP() << "no GRUB or QEMU";
  }
};

TEST_F(FirmwareTest, BiosStartsGrubThatReadsTheRoot) {
  const Disk disk = must(lay_out_disk(speaking_spec()));
  const std::map<std::string, std::string> readers = {
      {"raw", "raw"},   {"qcow2", "qcow2"}, {"qcow2-zlib", "qcow2"}, {"qcow2-zstd", "qcow2"},
      {"vmdk", "vmdk"}, {"vhd", "vpc"},     {"vhd-dynamic", "vpc"},  {"vhdx", "vhdx"}};
  for (const auto& [format, reader] : readers) {
    const std::string said = serial_of(write(disk, format), reader, false);
    EXPECT_THAT(said, HasSubstr("started by i386-pc")) << format;
    EXPECT_THAT(said, HasSubstr("hello from the root")) << format;
  }
}

TEST_F(FirmwareTest, UefiStartsGrubThatReadsTheRoot) {
  if (!fs::exists("/usr/share/OVMF/OVMF_CODE_4M.fd")) GTEST_SKIP() << "no OVMF";
  const Disk disk = must(lay_out_disk(speaking_spec()));
  const std::string said = serial_of(write(disk, "raw"), "raw", true);
  EXPECT_THAT(said, HasSubstr("started by x86_64-efi"));
  EXPECT_THAT(said, HasSubstr("hello from the root"));
}

}  // namespace
}  // namespace kiln::image
