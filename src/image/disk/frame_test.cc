#include "image/disk/frame.h"

#include "image/disk/gpt.h"
#include "image/disk/test_boot.h"
#include "support/golden.h"

namespace kiln::image {
namespace {

using testing::HasSubstr;

class FrameTest : public BootTest {
 protected:
  static constexpr std::uint64_t kDiskBytes = 160 * kMiB;
  static BlockImage some_root(std::uint64_t disk_bytes) {
    std::vector<ImagePart> parts;
    parts.push_back({0, image_from(noise(5000, 9))});
    return compose(root_place(disk_bytes).bytes, std::move(parts));
  }
  Result<Disk> frame(const DiskSpec& spec, std::uint64_t bytes = kDiskBytes) {
    return frame_disk(spec, bytes, some_root(bytes));
  }
};

TEST_F(FrameTest, StrangersFindNoFaultInTheTables) {
  if (!has_tool("sgdisk") || !has_tool("sfdisk")) GTEST_SKIP() << "no sgdisk or sfdisk";
  const Disk disk = must(frame(fake_spec()));
  const fs::path file = write(disk, "raw");
  EXPECT_THAT(run({"sgdisk", "-v", file}), HasSubstr("No problems found."));
  EXPECT_THAT(run({"sfdisk", "--verify", file}), HasSubstr("No errors detected."));
  const std::string shown = run({"sgdisk", "-p", "-i", "1", "-i", "14", "-i", "15", file});
  for (const DiskPartition& p : disk.partitions) {
    std::string id = p.id.text();
    std::transform(id.begin(), id.end(), id.begin(), ::toupper);
    EXPECT_THAT(shown, HasSubstr("Partition unique GUID: " + id)) << p.name;
    EXPECT_THAT(shown, HasSubstr(fmt::format("First sector: {} ", p.first_sector))) << p.name;
  }
  for (const char* type : {"BIOS boot partition", "EFI system partition", "Linux x86-64 root (/)"}) {
    EXPECT_THAT(shown, HasSubstr(type));
  }
}

TEST_F(FrameTest, TablesAreTheGoldenOnes) {
  DiskSpec spec = fake_spec();
  spec.bios = false;  // the boot code is not ours
  const std::string bytes = poured(must(frame(spec)).image);
  const std::size_t backup_at = bytes.size() - kGptSectors * kSectorBytes;
  expect_golden("disk/gpt.hex", hex_dump(std::string_view(bytes).substr(0, 34 * kSectorBytes)) +
                                    hex_dump(std::string_view(bytes).substr(backup_at), backup_at));
}

TEST_F(FrameTest, GrubStandsWhereItLooks) {
  const DiskSpec spec = fake_spec();
  const std::string bytes = poured(must(frame(spec)).image);
  const std::string boot_img = must(read_file(boot.path("boot/grub/i386-pc/boot.img")));
  const std::string core_img = must(read_file(boot.path("boot/grub/i386-pc/core.img")));
  EXPECT_EQ(bytes.substr(0, 3), boot_img.substr(0, 3));
  EXPECT_EQ(bytes.substr(3, 0x57), std::string(0x57, '\0')) << "no FAT: nothing where one would have its sizes";
  EXPECT_EQ(bytes.substr(0x5c, 9), std::string("\0\x08\0\0\0\0\0\0\xff", 9))
      << "core.img at sector 2048, the BIOS's drive";
  EXPECT_EQ(bytes.substr(0x66, 2), "\x90\x90");
  EXPECT_EQ(bytes.substr(0x68, 0x1b8 - 0x68), boot_img.substr(0x68, 0x1b8 - 0x68));
  const std::string core = bytes.substr(2048 * 512, core_img.size());
  EXPECT_EQ(core.substr(0, 0x1e8), core_img.substr(0, 0x1e8));
  EXPECT_EQ(core.substr(0x1e8, 12), std::string(12, '\0'));
  EXPECT_EQ(core.substr(0x1f4, 12), std::string("\x01\x08\0\0\0\0\0\0\x3a\0\x20\x08", 12))
      << "58 more sectors from 2049";
  EXPECT_EQ(core.substr(512), core_img.substr(512));
}

TEST_F(FrameTest, TheEfiPartitionHoldsTheTreesFiles) {
  if (!has_tool("fsck.fat") || !has_tool("mcopy")) GTEST_SKIP() << "no fsck.fat or mcopy";
  const DiskSpec spec = fake_spec();
  base.file("boot/efi/EFI/old/gone.efi", "x").file("boot/efi/EFI/BOOT/grub.cfg", "older\n");
  boot.whiteout("boot/efi/EFI/old");
  const Disk disk = must(frame(spec));
  const fs::path file = write(disk, "raw");
  const fs::path part = dir.path() / "part";
  run({"dd", fmt::format("if={}", file), fmt::format("of={}", part), "bs=512", "skip=8192", "count=253952"});
  EXPECT_THAT(run({"fsck.fat", "-n", part}), testing::Not(HasSubstr("exit code")));
  const fs::path out = fresh("out");
  EXPECT_EQ(run({"mcopy", "-s", "-n", "-i", fmt::format("{}@@4194304", file), "::/", out}), "");
  EXPECT_EQ(run({"diff", "-r", out, boot.path("boot/efi"), "--exclude=old"}), "");
  EXPECT_FALSE(fs::exists(out / "EFI/old"));
  EXPECT_THAT(run({"mdir", "-i", fmt::format("{}@@4194304", file), "::/"}), HasSubstr(efi_volume_id(seed)));
}

TEST_F(FrameTest, WhatIsMissingIsNamedWithItsPackage) {
  struct Case {
    const char *path, *package;
  };
  for (const auto& [path, package] :
       {Case{"boot/grub/i386-pc/boot.img", "grub-pc-bin"}, Case{"boot/grub/i386-pc/core.img", "grub-pc-bin"},
        Case{"boot/efi/EFI/BOOT/BOOTX64.EFI", "grub-efi-amd64-bin"}}) {
    const DiskSpec spec = fake_spec();
    fs::remove(boot.path(path));
    const auto made = frame(spec);
    ASSERT_FALSE(made) << path;
    EXPECT_EQ(made.error().code(), Errc::not_found);
    EXPECT_THAT(made.error().text(), HasSubstr(fmt::format("/{} is not in the tree", path)));
    EXPECT_THAT(made.error().text(), HasSubstr(package));
  }
}

TEST_F(FrameTest, BootFilesThatAreNoneAreRefused) {
  const DiskSpec spec = fake_spec();
  boot.file("boot/grub/i386-pc/core.img", std::string(889 * 512, 'x'));
  EXPECT_THAT(frame(spec).error().text(), HasSubstr("core.img has 889 sectors, 888 can be loaded"));
  boot.file("boot/grub/i386-pc/core.img", "x");
  EXPECT_THAT(frame(spec).error().text(), HasSubstr("core.img is no GRUB image"));
  boot.file("boot/grub/i386-pc/boot.img", std::string(512, 'x'));
  EXPECT_THAT(frame(spec).error().text(), HasSubstr("boot.img is no boot sector"));
}

TEST_F(FrameTest, LinksBelowTheEfiFolderAreRefused) {
  const DiskSpec spec = fake_spec();
  boot.link("boot/efi/EFI/BOOT/link", "grub.cfg");
  EXPECT_THAT(frame(spec).error().text(), HasSubstr("/boot/efi/EFI/BOOT/link: a FAT file system holds files"));
}

TEST_F(FrameTest, ADiskForOneFirmwareNeedsNothingOfTheOther) {
  DiskSpec spec = fake_spec();
  fs::remove_all(boot.path("boot/efi"));
  spec.efi = false;
  EXPECT_EQ(must(frame(spec)).partitions.size(), 2U);
  fs::remove_all(boot.path("boot/grub"));
  spec.bios = false;
  EXPECT_EQ(must(frame(spec)).partitions.size(), 1U);
}

TEST_F(FrameTest, TheSeedAloneMakesTheIds) {
  DiskSpec spec = fake_spec();
  const Disk one = must(frame(spec)), same = must(frame(spec));
  EXPECT_EQ(one.partitions, same.partitions);
  EXPECT_EQ(poured(one.image), poured(same.image));
  spec.seed = sha256("another tree");
  const Disk other = must(frame(spec));
  for (std::size_t i = 0; i < 3; ++i) EXPECT_NE(one.partitions[i].id, other.partitions[i].id);
}

}  // namespace
}  // namespace kiln::image
