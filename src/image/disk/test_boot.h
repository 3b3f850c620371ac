// A tree that boots far enough to speak: GRUB for BIOS and UEFI made by the host's grub-mkimage, and QEMU to hear it.
#pragma once

#include "base/units.h"
#include "image/disk/test_disk.h"

namespace kiln::image {

/// What an early GRUB does: says on the serial line what it read from the root file system, and ends.
inline std::string speaking_config(const Uuid& root, const std::string& platform) {
  return fmt::format(
      "serial --unit=0 --speed=115200\n"
      "terminal_output serial\n"
      "search.fs_uuid {} root\n"
      "echo started by {}\n"
      "cat ($root)/etc/greeting\n"
      "reboot\n",
      root.text(), platform);
}

class BootTest : public DiskTest {
 protected:
  Tree base, boot;
  Digest seed = sha256("tree below the boot layer");

  /// A spec whose boot layer holds files of GRUB that are none: for tests that do not boot.
  DiskSpec fake_spec() {
    base.file("etc/greeting", "hello from the root\n").dir("boot/efi");
    boot.file("boot/grub/i386-pc/boot.img", noise(510, 4) + "\x55\xaa");
    boot.file("boot/grub/i386-pc/core.img", noise(30'000, 5));
    boot.file("boot/efi/EFI/BOOT/BOOTX64.EFI", noise(100'000, 6));
    boot.file("boot/efi/EFI/BOOT/grub.cfg", "# nothing\n");
    return {.layers = {base.path(), boot.path()},
            .root_uuid = derive_uuid(seed, "root"),
            .seed = seed,
            .clock = 1'700'000'000};
  }

  static bool can_make_grub() {
    return has_tool("grub-mkimage") && fs::exists("/usr/lib/grub/i386-pc/boot.img") &&
           fs::exists("/usr/lib/grub/x86_64-efi/moddep.lst");
  }

  /// The same with the host's GRUB.
  DiskSpec speaking_spec() {
    DiskSpec spec = fake_spec();
    boot.file("boot/grub/i386-pc/boot.img", must(read_file("/usr/lib/grub/i386-pc/boot.img")));
    make_grub("i386-pc", spec.root_uuid, "boot/grub/i386-pc/core.img", {"biosdisk"});
    make_grub("x86_64-efi", spec.root_uuid, "boot/efi/EFI/BOOT/BOOTX64.EFI", {});
    return spec;
  }

  /// What comes over the serial line until the machine ends by itself (or is ended after three minutes). Emulated: KVM
  /// is not everywhere.
  std::string serial_of(const fs::path& disk, const std::string& format, bool uefi) {
    const fs::path serial = dir.path() / "serial.txt";
    std::vector<std::string> argv = {"timeout",
                                     "180",
                                     "qemu-system-x86_64",
                                     "-accel",
                                     "tcg",
                                     "-m",
                                     "256",
                                     "-nic",
                                     "none",
                                     "-display",
                                     "none",
                                     "-monitor",
                                     "none",
                                     "-no-reboot",
                                     "-serial",
                                     fmt::format("file:{}", serial),
                                     "-drive",
                                     fmt::format("file={},format={},if=virtio,snapshot=on", disk, format)};
    if (uefi) {
      const fs::path variables = dir.path() / "variables.fd";
      fs::copy_file("/usr/share/OVMF/OVMF_VARS_4M.fd", variables, fs::copy_options::overwrite_existing);
      for (const std::string& more :
           {std::string("-machine"), std::string("q35"), std::string("-drive"),
            std::string("if=pflash,format=raw,readonly=on,file=/usr/share/OVMF/OVMF_CODE_4M.fd"), std::string("-drive"),
            fmt::format("if=pflash,format=raw,file={}", variables)}) {
        argv.push_back(more);
      }
    }
    const std::string said = run(argv);
    return must(read_file(serial)) + said;
  }

 private:
  void make_grub(const std::string& platform, const Uuid& root, const std::string& target,
                 const std::vector<std::string>& more) {
    const fs::path config = put("early.cfg", speaking_config(root, platform));
    std::vector<std::string> argv = {
        "grub-mkimage", "-O",   platform,         "-p",     "/boot/grub", "-c",   config, "-o",    boot.path(target),
        "part_gpt",     "ext2", "search_fs_uuid", "serial", "terminal",   "echo", "cat",  "reboot"};
    argv.insert(argv.end(), more.begin(), more.end());
    ASSERT_EQ(run(argv), "");
  }
};

}  // namespace kiln::image
