// Partition tables made by sgdisk, sfdisk and fdisk, and what is left of them after damage.
#include "image/disk/partitions.h"
#include "base/units.h"

#include "image/disk/test_reader.h"

namespace kiln::image {
namespace {

using testing::ElementsAre;
using testing::ElementsAreArray;
using testing::HasSubstr;
using testing::StartsWith;

constexpr std::uint64_t kDisk = 64 * kMiB;

const std::vector<std::string> kGpt = {"1 4f68bce3-e8cd-4db1-96e7-fbcaf984b709 root ? 22528 30720",
                                       "3 0fc63daf-8483-4772-8e79-3d69d8477de4 Linux filesystem 53248 1024",
                                       "14 21686148-6449-6e6f-744e-656564454649 BIOS boot partition 1024 1024",
                                       "15 c12a7328-f81f-11d2-ba4b-00a0c93ec93b EFI system partition 2048 20480"};

class PartitionsTest : public ReaderTest {
 protected:
  fs::path blank(std::uint64_t bytes = kDisk) {
    fs::path path = put("disk.raw", "");
    fs::resize_file(path, bytes);
    return path;
  }
  fs::path with_gpt() {
    fs::path file = blank();
    EXPECT_THAT(run({"sgdisk",
                     "-n",
                     "14:1M:+1M",
                     "-t",
                     "14:ef02",
                     "-n",
                     "15:2M:+20M",
                     "-t",
                     "15:ef00",
                     "-n",
                     "1:22M:+30M",
                     "-t",
                     "1:8304",
                     "-c",
                     "1:root \xc3\xa4",
                     "-n",
                     "3:52M:+1M",
                     "-c",
                     "14:BIOS boot partition",
                     "-c",
                     "15:EFI system partition",
                     "-c",
                     "3:Linux filesystem",
                     file}),
                HasSubstr("successful"));
    return file;
  }
  /// What sfdisk or fdisk makes of a script.
  fs::path scripted(const std::string& tool, const std::string& script) {
    fs::path file = blank();
    const fs::path text = put("script", script);
    run({"sh", "-c", fmt::format("{} {} <{}", tool, file, text)});
    return file;
  }
  /// "NUMBER TYPE NAME FIRST-KiB KiB" of each; the note last, or the error alone.
  std::vector<std::string> listing(const fs::path& file) {
    const auto disk = must(open_disk_file(file));
    auto table = read_partition_table(*disk);
    if (!table) return {"error: " + table.error().text()};
    std::vector<std::string> all;
    for (const FoundPartition& p : table->partitions) {
      all.push_back(fmt::format("{} {} {} {} {}", p.number, p.type, p.name, p.offset / 1024, p.bytes / 1024));
    }
    if (!table->note.empty()) all.push_back(table->note);
    return all;
  }
  /// Other bytes at a place of a file.
  static void spoil(const fs::path& file, std::uint64_t at, std::string_view bytes) {
    const Fd fd(::open(file.c_str(), O_WRONLY | O_CLOEXEC));
    EXPECT_EQ(::pwrite(fd.get(), bytes.data(), bytes.size(), static_cast<off_t>(at)),
              static_cast<ssize_t>(bytes.size()));
  }
  /// Every byte of a range wrong by turns: each time there is an answer.
  void spoil_each(const fs::path& file, std::uint64_t from, std::uint64_t bytes, std::string_view values) {
    const std::string text = must(read_file(file, kDisk)).substr(from, bytes);
    const auto disk = must(open_disk_file(file));
    for (std::uint64_t i = 0; i < bytes; ++i) {
      for (const char value : values) {
        spoil(file, from + i, std::string_view(&value, 1));
        (void)read_partition_table(*disk);
      }
      spoil(file, from + i, text.substr(i, 1));
    }
  }
};

TEST_F(PartitionsTest, GptOfSgdisk) {
  if (!has_tool("sgdisk")) GTEST_SKIP() << "no sgdisk";
  EXPECT_THAT(listing(with_gpt()), ElementsAreArray(kGpt));
}

TEST_F(PartitionsTest, GptOfOurOwn) {
  DiskPartition root{.number = 1, .name = "root", .first_sector = 2048, .sectors = 4096};
  root.type = must(parse_uuid(kLinuxRootType));
  const GptSpec spec{.disk_sectors = 8192, .disk_id = {}, .partitions = {root}};
  std::string text = render_primary_gpt(spec);
  const std::string backup = render_backup_gpt(spec);
  text.resize(8192 * kSectorBytes - backup.size(), '\0');
  EXPECT_THAT(listing(put("disk", text + backup)),
              ElementsAre("1 4f68bce3-e8cd-4db1-96e7-fbcaf984b709 root 1024 2048"));
}

TEST_F(PartitionsTest, DamagedGptIsReadFromItsCopy) {
  if (!has_tool("sgdisk")) GTEST_SKIP() << "no sgdisk";
  const auto with_note = [](const std::string& why) {
    std::vector<std::string> all = kGpt;
    all.push_back(fmt::format("its GPT is damaged at the beginning ({}): the copy at the end is used", why));
    return all;
  };
  const fs::path file = with_gpt();
  spoil(file, 1024 + 33, "x");
  EXPECT_THAT(listing(file), ElementsAreArray(with_note("the entries' checksum is wrong")));
  spoil(file, 512 + 40, "x");
  EXPECT_THAT(listing(file), ElementsAreArray(with_note("the header's checksum is wrong")));
  spoil(file, 512, std::string(512, '\0'));
  EXPECT_THAT(listing(file), ElementsAreArray(with_note("no header")));
  spoil(file, kDisk - 512 + 24, "x");
  EXPECT_THAT(listing(file), ElementsAre("error: its GPT is damaged at the beginning (no header) and at the end (the "
                                         "header's checksum is wrong): repair it first, with gdisk for one"));
}

TEST_F(PartitionsTest, GptWithoutItsBootSectorOrItsEnd) {
  if (!has_tool("sgdisk")) GTEST_SKIP() << "no sgdisk";
  fs::path file = with_gpt();
  spoil(file, 0, std::string(512, '\0'));
  EXPECT_THAT(listing(file), ElementsAreArray(kGpt));
  file = with_gpt();
  fs::resize_file(file, 53 * kMiB);
  EXPECT_THAT(listing(file), ElementsAreArray(kGpt));
  fs::resize_file(file, 30 * kMiB);
  EXPECT_THAT(
      listing(file),
      ElementsAre("error: partition 1 is said to be 61440 sectors from sector 45056 on, and the disk has 61440: "
                  "its file is cut off, or the table damaged"));
}

TEST_F(PartitionsTest, GptOfLargeSectors) {
  if (!has_tool("fdisk")) GTEST_SKIP() << "no fdisk";
  const fs::path file = scripted("fdisk -b 4096", "g\nn\n1\n2048\n+16M\nw\n");
  EXPECT_THAT(listing(file), ElementsAre("1 0fc63daf-8483-4772-8e79-3d69d8477de4  8192 16384"));
}

TEST_F(PartitionsTest, MbrOfSfdisk) {
  if (!has_tool("sfdisk")) GTEST_SKIP() << "no sfdisk";
  const fs::path file = scripted("sfdisk -q",
                                 "label: dos\n"
                                 "start=2048, size=4096, type=83, bootable\n"
                                 "start=8192, size=81920, type=5\n"
                                 "start=100000, size=2048, type=8e\n"
                                 "start=10240, size=2048, type=83\n"
                                 "start=20480, size=4096, type=82\n"
                                 "start=40960, size=2048, type=83\n");
  EXPECT_THAT(listing(file), ElementsAre("1 0x83  1024 2048", "3 0x8e  50000 1024", "5 0x83  5120 1024",
                                         "6 0x82  10240 2048", "7 0x83  20480 1024"));
  spoil_each(file, 446, 66, std::string("\0\1\5\x83\xff", 5));
  spoil_each(file, 8192 * kSectorBytes + 446, 66, std::string("\0\1\5\x83\xff", 5));
}

TEST_F(PartitionsTest, LogicalPartitionsInACircleEnd) {
  if (!has_tool("sfdisk")) GTEST_SKIP() << "no sfdisk";
  const fs::path file = scripted("sfdisk -q",
                                 "label: dos\nstart=8192, size=81920, type=5\nstart=10240, size=2048, type=83\n"
                                 "start=20480, size=4096, type=83\n");
  spoil(file, 8192 * kSectorBytes + 446 + 16 + 8, std::string(4, '\0'));
  EXPECT_THAT(listing(file), ElementsAre("error: more than 128 logical partitions, or a circle of them"));
  spoil(file, 8192 * kSectorBytes + 446 + 16 + 8, "\xff\xff\xff\xff");
  EXPECT_THAT(listing(file), ElementsAre("error: the chain of logical partitions leads out of the extended one"));
  spoil(file, 8192 * kSectorBytes + 510, "xx");
  EXPECT_THAT(listing(file), ElementsAre("error: sector 8192 should have a logical partition and has none"));
}

TEST_F(PartitionsTest, WithoutATableThereIsTheWholeDisk) {
  EXPECT_THAT(listing(blank(kMiB)), ElementsAre("0   0 1024"));
  const fs::path file = blank(kMiB);
  spoil(file, 440, std::string(70, 'x') + "\x55\xaa");  // a boot sector with text where a table would be
  EXPECT_THAT(listing(file), ElementsAre("0   0 1024"));
  EXPECT_THAT(listing(put("small", std::string(600, 'x')))[0], StartsWith("error: a disk of 600 bytes"));
}

TEST_F(PartitionsTest, EveryByteOfAGptMayBeWrong) {
  if (!has_tool("sgdisk")) GTEST_SKIP() << "no sgdisk";
  const fs::path file = with_gpt();
  spoil(file, kDisk - 512, std::string(512, '\0'));  // no copy to fall back to
  spoil_each(file, 446, 66, std::string_view("\0\xff", 2));
  spoil_each(file, 512, 92, std::string_view("\0\x7f\xff", 3));
  spoil_each(file, 1024, 256, std::string_view("\0\xff", 2));
}

}  // namespace
}  // namespace kiln::image
