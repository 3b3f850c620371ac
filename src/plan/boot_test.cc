// Machines in the plan: the boot layer, where it stands, what is in its key, and which disks come of it.
#include "base/units.h"
#include "plan/test_plan.h"

namespace kiln::plan {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

/// Sources and a build of all of them over one shared script.
std::string template_of(const std::string& sources, const std::string& names, const std::string& more = {}) {
  return sources + "\nbuild {\n  sources = [" + names + "]\n  provisioner \"shell\" {\n    inline = [\"true\"]\n  }\n" +
         more + "}\n";
}

std::string disk(const std::string& name, const std::string& options = {}) {
  return "source \"disk\" \"" + name + "\" {\n  base = \"tar:base.tar\"\n" + options + "\n}\n";
}

const std::string kThreeSources = R"(
source "docker" "d" {
  image  = "tar:base.tar"
  commit = true
}
source "amazon-ebs" "e" {
  source_ami = "tar:base.tar"
}
source "googlecompute" "g" {
  source_image = "tar:base.tar"
}
)";

TEST(BootPlan, StandsBetweenTheLastProvisionerAndTheDiskOfMachinesOnly) {
  const Planned p =
      plan_of(template_of(kThreeSources, "\"docker.d\", \"amazon-ebs.e\", \"googlecompute.g\"",
                          "  provisioner \"shell\" {\n    only = [\"amazon-ebs.e\", \"googlecompute.g\"]\n"
                          "    inline = [\"echo machine\"]\n  }\n"));
  ASSERT_TRUE(p.plan) << p.problems;
  EXPECT_EQ(graph_of(*p.plan),
            "0 base tar:base.tar [docker.d amazon-ebs.e googlecompute.g]\n"
            "1 run shell: inline <- 0 [docker.d amazon-ebs.e googlecompute.g]\n"
            "2 pack d-docker.tar <- 1 [docker.d]\n"
            "3 run shell: inline <- 1 [amazon-ebs.e googlecompute.g]\n"
            "4 boot boot layer <- 3 [amazon-ebs.e]\n"
            "5 pack e-ec2.raw <- 4 [amazon-ebs.e]\n"
            "6 boot boot layer <- 3 [googlecompute.g]\n"
            "7 pack g-gce.tar.gz <- 6 [googlecompute.g]\n");
}

TEST(BootPlan, EqualMachinesShareTheirBootLayer) {
  const Planned p = plan_of(template_of(disk("a") + disk("b", "  disk_size = \"9G\""), "\"disk.a\", \"disk.b\""));
  ASSERT_TRUE(p.plan) << p.problems;
  EXPECT_EQ(graph_of(*p.plan),
            "0 base tar:base.tar [disk.a disk.b]\n"
            "1 run shell: inline <- 0 [disk.a disk.b]\n"
            "2 boot boot layer <- 1 [disk.a disk.b]\n"
            "3 pack a.raw <- 2 [disk.a]\n"
            "4 pack b.raw <- 2 [disk.b]\n");
}

Digest boot_key(const std::string& options) {
  const Planned p = plan_of(template_of(disk("a", options), "\"disk.a\""));
  EXPECT_TRUE(p.plan) << p.problems;
  return p.plan ? p.plan->steps.at(2).key : Digest();
}

TEST(BootPlan, KeyHoldsWhatChangesTheLayerAndNothingElse) {
  const Digest plain = boot_key("");
  EXPECT_NE(boot_key("  boot = [\"uefi\"]"), plain);
  EXPECT_NE(boot_key("  boot = [\"bios\"]"), boot_key("  boot = [\"uefi\"]"));
  EXPECT_NE(boot_key("  kernel_options = \"console=ttyS1\""), plain);
  EXPECT_EQ(boot_key("  boot = [\"uefi\", \"bios\"]"), plain);
  EXPECT_EQ(boot_key("  formats = [\"qcow2\"]\n  disk_size = \"5G\""), plain);
}

TEST(BootPlan, KeyHoldsTheScriptAndTheCloud) {
  const Surroundings world = test_world();
  const BootStep step{.script = "a"};
  BootStep other_script = step, other_cloud = step;
  other_script.script = "b";
  other_cloud.cloud = "ec2";  // asks for cloud-init
  EXPECT_NE(describe(step, world).hash(), describe(other_script, world).hash());
  EXPECT_NE(describe(step, world).hash(), describe(other_cloud, world).hash());
}

TEST(BootPlan, ScriptIsPartOfTheProgram) {
  EXPECT_THAT(std::string(boot_script()), testing::StartsWith("#!/bin/sh\n"));
  EXPECT_THAT(std::string(boot_script()), testing::EndsWith("write_fstab\n"));
}

TEST(DiskPlan, SizeAndFormatsAreInTheKeyOfTheDiskAlone) {
  const auto pack_key = [](const std::string& options) {
    const Planned p = plan_of(template_of(disk("a", options), "\"disk.a\""));
    return p.plan ? p.plan->steps.at(3).key : Digest();
  };
  EXPECT_NE(pack_key("  disk_size = \"5G\""), pack_key(""));
  EXPECT_NE(pack_key("  formats = [\"raw\", \"qcow2\"]"), pack_key(""));
  EXPECT_EQ(pack_key("  formats = [\"raw\"]"), pack_key(""));
}

std::vector<std::string> files_of(const PackStep& pack) {
  std::vector<std::string> files;
  for (const DiskFile& file : pack.files) files.push_back(file.format + " " + file.path.native());
  return files;
}

TEST(DiskPlan, EveryFormatIsAFileOfOneArtifact) {
  const Planned p = plan_of(template_of(disk("a", "  formats = [\"raw\", \"qcow2\", \"raw\"]"), "\"disk.a\""));
  ASSERT_TRUE(p.plan) << p.problems;
  const auto& pack = step_in<PackStep>(*p.plan, "disk.a");
  EXPECT_THAT(files_of(pack), ElementsAre("raw /project/out/a.raw", "qcow2 /project/out/a.qcow2"));
  EXPECT_EQ(pack.output, "/project/out/a.raw");
}

TEST(DiskPlan, UnknownFormatListsTheKnown) {
  const Planned p = plan_of(template_of(disk("a", "  formats = [\"qcow\"]"), "\"disk.a\""));
  EXPECT_FALSE(p.plan);
  EXPECT_THAT(p.problems, HasSubstr("it has raw, qcow2, gce. Did you mean \"qcow2\"?"));
}

TEST(DiskPlan, TwoSourcesOfOneNameWouldWriteOneFile) {
  const Planned p =
      plan_of(template_of(disk("a") + "source \"qemu\" \"a\" {\n  iso_url = \"tar:base.tar\"\n  format = \"raw\"\n}\n",
                          "\"disk.a\", \"qemu.a\""));
  EXPECT_THAT(p.problems, HasSubstr("Two builds write one file: /project/out/a.raw"));
}

TEST(DiskPlan, SizesAreWholeNumbersWithAUnit) {
  const auto size = [](const std::string& text) -> std::optional<std::uint64_t> {
    const Planned p = plan_of(template_of(disk("a", "  disk_size = \"" + text + "\""), "\"disk.a\""));
    if (!p.plan) return std::nullopt;
    return step_in<PackStep>(*p.plan, "disk.a").disk_bytes;
  };
  EXPECT_EQ(size("10G"), 10240 * kMiB);
  EXPECT_EQ(size("10GiB"), 10240 * kMiB);
  EXPECT_EQ(size("512m"), 512 * kMiB);
  EXPECT_EQ(size("1025K"), 2 * kMiB);
  EXPECT_EQ(size("2T"), 2097152 * kMiB);
  for (const char* bad :
       {"10", "", "G", "0G", "-1G", "1.5G", "10GB", "10Gi", "10 G", "99999T", "99999999999999999999G"})
    EXPECT_EQ(size(bad), std::nullopt) << bad;
}

TEST(DiskPlan, SizesOfCloudsCountGiB) {
  const Planned p = plan_of(template_of(R"(
source "amazon-ebs" "e" {
  source_ami = "tar:base.tar"
  launch_block_device_mappings {
    device_name = "/dev/xvda"
    volume_size = 12
    volume_type = "gp3"
  }
  launch_block_device_mappings {
    device_name = "/dev/sdb"
    volume_size = 500
  }
}
source "googlecompute" "g" {
  source_image = "tar:base.tar"
  disk_size    = 20
}
)",
                                        "\"amazon-ebs.e\", \"googlecompute.g\""));
  ASSERT_TRUE(p.plan) << p.problems;
  EXPECT_EQ(step_in<PackStep>(*p.plan, "amazon-ebs.e").disk_bytes, std::uint64_t{12} << 30);
  EXPECT_EQ(step_in<PackStep>(*p.plan, "googlecompute.g").disk_bytes, std::uint64_t{20} << 30);
}

TEST(DiskPlan, RegisteredVolumeSizeWinsOverTheLaunchedOne) {
  const Planned p = plan_of(template_of(R"(
source "amazon-ebs" "e" {
  source_ami = "tar:base.tar"
  ami_block_device_mappings {
    device_name = "/dev/sda1"
    volume_size = 8
  }
  launch_block_device_mappings {
    device_name = "/dev/sda1"
    volume_size = 12
  }
}
)",
                                        "\"amazon-ebs.e\""));
  ASSERT_TRUE(p.plan) << p.problems;
  EXPECT_EQ(step_in<PackStep>(*p.plan, "amazon-ebs.e").disk_bytes, std::uint64_t{8} << 30);
}

/// Options that must be refused, each with what the message has to hold.
TEST(DiskPlan, BadOptionsAreNamed) {
  const std::pair<const char*, const char*> cases[] = {
      {"source \"disk\" \"a\" {\n  base = \"tar:b\"\n  disc_size = \"1G\"\n}\n", "\"disc_size\""},
      {"source \"disk\" \"a\" {\n  base = \"tar:b\"\n  boot = [\"efi\"]\n}\n", "\"efi\" is none of bios, uefi"},
      {"source \"disk\" \"a\" {\n  base = \"tar:b\"\n  boot = []\n}\n", "No way to boot"},
      {"source \"disk\" \"a\" {\n  base = \"tar:b\"\n  formats = []\n}\n", "No disk format"},
      {"source \"disk\" \"a\" {\n  base = \"tar:b\"\n  kernel_options = \"a; reboot\"\n}\n", "Bad kernel options"},
      {"source \"disk\" \"a\" {\n}\n", "Say what the image starts from with \"base\""},
      {"source \"amazon-ebs\" \"a\" {\n  source_ami = \"tar:b\"\n  ami_nam = \"x\"\n}\n", "ami_name"},
      {"source \"amazon-ebs\" \"a\" {\n  source_ami = \"tar:b\"\n  launch_block_device_mappings {\n    volume_sise = "
       "8\n  }\n}\n",
       "volume_size"},
      {"source \"amazon-ebs\" \"a\" {\n  source_ami = \"tar:b\"\n  launch_block_device_mappings {\n    volume_size = "
       "0\n  }\n}\n",
       "between 1 and 65536"},
      {"source \"amazon-ebs\" \"a\" {\n  source_ami_filter {\n    owners = [\"x\"]\n  }\n}\n", "does not look up"},
      {"source \"googlecompute\" \"a\" {\n  source_image = \"tar:b\"\n  disk_siz = 8\n}\n", "disk_size"},
      {"source \"googlecompute\" \"a\" {\n  source_image = \"tar:b\"\n  disk_size = 99999\n}\n", "between 1 and 65536"},
      {"source \"googlecompute\" \"a\" {\n  source_image_family = \"debian-12\"\n}\n", "does not look up"},
      {"source \"qemu\" \"a\" {\n  iso_url = \"https://host/debian.iso\"\n}\n", "kiln starts no installer"},
      {"source \"qemu\" \"a\" {\n  iso_url = \"tar:b\"\n  format = \"vhd\"\n}\n", "it has raw, qcow2, gce"},
      {"source \"qemu\" \"a\" {\n  iso_url = \"tar:b\"\n  boot_comand = [\"x\"]\n}\n", "boot_command"},
  };
  for (const auto& [source, expected] : cases) {
    const std::string type = split(source, '"')[1];
    const Planned p = plan_of(template_of(source, "\"" + type + ".a\""));
    EXPECT_FALSE(p.plan) << source;
    EXPECT_THAT(p.problems, HasSubstr(expected)) << source;
  }
}

TEST(DiskPlan, AWrongSourceIsTheOnlyComplaint) {
  const Planned p = plan_of(template_of(disk("a", "  formats = [\"x\"]"), "\"disk.a\""));
  EXPECT_EQ(std::count(p.problems.begin(), p.problems.end(), '\n'), 1) << p.problems;
}

TEST(DiskPlan, QemuTakesPackersNamesWhenItSaysWhere) {
  const auto output = [](const std::string& options) {
    const Planned p =
        plan_of(template_of("source \"qemu\" \"q\" {\n  iso_url = \"tar:base.tar\"\n" + options + "}\n", "\"qemu.q\""));
    return p.plan ? step_in<PackStep>(*p.plan, "qemu.q").output.native() : p.problems;
  };
  EXPECT_EQ(output(""), "/project/out/q.qcow2");
  EXPECT_EQ(output("  vm_name = \"box\"\n"), "/project/out/box");
  EXPECT_EQ(output("  output_directory = \"vm\"\n"), "/project/vm/packer-q");
  EXPECT_EQ(output("  output_directory = \"vm\"\n  vm_name = \"box.img\"\n"), "/project/vm/box.img");
}

TEST(DiskPlan, QemuCountsMegabytesWithoutAUnitAndNotesWhatItDoesNotNeed) {
  const Planned p = plan_of(template_of(
      "source \"qemu\" \"q\" {\n  iso_url = \"tar:base.tar\"\n  disk_size = 4096\n  boot_command = [\"<enter>\"]\n"
      "  accelerator = \"kvm\"\n  ssh_username = \"root\"\n}\n",
      "\"qemu.q\""));
  ASSERT_TRUE(p.plan) << p.problems;
  EXPECT_EQ(step_in<PackStep>(*p.plan, "qemu.q").disk_bytes, std::uint64_t{4} << 30);
  EXPECT_THAT(p.plan->builds[0].notes, ElementsAre("boot_command", "accelerator", "ssh_username"));
}

}  // namespace
}  // namespace kiln::plan
