#include "image/disk/fat.h"
#include "base/units.h"

#include "image/disk/fat_names.h"
#include "image/disk/test_disk.h"
#include "support/golden.h"

namespace kiln::image {
namespace {

using testing::HasSubstr;

class OwnedSource : public Source {
 public:
  explicit OwnedSource(std::string text) : text_(std::move(text)), source_(text_) {}
  Result<std::size_t> read(std::span<std::byte> buffer) override { return source_.read(buffer); }

 private:
  std::string text_;
  StringSource source_;
};

FatFile memory_file(const std::string& path, const std::string& text) {
  return {path, false, text.size(),
          [text]() -> Result<std::unique_ptr<Source>> { return std::make_unique<OwnedSource>(text); }};
}

FatSpec spec_of(std::uint64_t bytes) {
  return {.bytes = bytes, .first_sector = 8192, .volume_id = 0x1a2b3c4d, .label = "EFI", .clock = 1'700'000'000};
}

class FatTest : public DiskTest {
 protected:
  fs::path make(const std::vector<FatFile>& files, std::uint64_t bytes = 124 * kMiB) {
    const BlockImage image = must(lay_out_fat(spec_of(bytes), files));
    Disk disk;
    disk.image = image;
    return write(disk, "raw");
  }
  /// Copies everything out by mtools and compares it with what was put in.
  void expect_content(const fs::path& image, const std::vector<FatFile>& files) {
    const fs::path out = fresh("out");
    EXPECT_EQ(run({"mcopy", "-s", "-n", "-i", image, "::/", out}), "");
    for (const FatFile& file : files) {
      if (file.is_dir) {
        EXPECT_TRUE(fs::is_directory(out / file.path)) << file.path;
        continue;
      }
      std::string text(file.bytes, '\0');
      if (file.bytes > 0) must(must(file.open())->read(std::as_writable_bytes(std::span(text))));
      EXPECT_EQ(must(read_file(out / file.path)), text) << file.path;
    }
  }
};

std::vector<FatFile> many_files() {
  std::vector<FatFile> files = {memory_file("EFI/BOOT/BOOTX64.EFI", noise(3'000'001, 7)),
                                memory_file("EFI/BOOT/grub.cfg", "set root=x\n"),
                                memory_file("EFI/BOOT/empty", ""),
                                memory_file("EFI/debian/a name with spaces and.dots.text", noise(1024, 8)),
                                memory_file("startup.nsh", std::string(1025, 'y')),
                                {"EFI/nothing", true, 0, {}}};
  for (int i = 0; i < 100; ++i) files.push_back(memory_file(fmt::format("EFI/many/long-name-{}.conf", i), "x"));
  return files;
}

TEST_F(FatTest, AStrangerFindsNoFaultAndReadsEveryFile) {
  if (!has_tool("fsck.fat") || !has_tool("mcopy")) GTEST_SKIP() << "no fsck.fat or mcopy";
  const fs::path image = make(many_files());
  const std::string judged = run({"fsck.fat", "-n", "-v", image});
  EXPECT_THAT(judged, HasSubstr("2 FATs, 32 bit entries"));
  EXPECT_THAT(judged, testing::Not(HasSubstr("exit code"))) << judged;
  EXPECT_THAT(judged, testing::Not(HasSubstr("differ")));
  expect_content(image, many_files());
}

TEST_F(FatTest, ASmallVolumeIsStillFat32) {
  if (!has_tool("fsck.fat") || !has_tool("mcopy")) GTEST_SKIP() << "no fsck.fat or mcopy";
  const fs::path image = make(many_files(), 34 * kMiB);
  EXPECT_THAT(run({"fsck.fat", "-n", image}), testing::Not(HasSubstr("exit code")));
  expect_content(image, many_files());
}

TEST_F(FatTest, ALargeVolumeIsClean) {
  if (!has_tool("fsck.fat")) GTEST_SKIP() << "no fsck.fat";
  EXPECT_THAT(run({"fsck.fat", "-n", make(many_files(), 3000 * kMiB)}), testing::Not(HasSubstr("exit code")));
}

TEST_F(FatTest, ListsAsMtoolsSeesIt) {
  if (!has_tool("mdir")) GTEST_SKIP() << "no mdir";
  const fs::path image = make({memory_file("EFI/BOOT/BOOTX64.EFI", "1"),
                               memory_file("EFI/BOOT/grub.cfg", "22"),
                               memory_file("EFI/BOOT/grubx64-signed.efi", "333"),
                               {"EFI/debian", true, 0, {}}});
  std::string listing;
  for (const std::string& line : split(run({"mdir", "-/", "-a", "-i", image, "::/"}), '\n')) {
    listing += std::string(line.substr(0, line.find_last_not_of(' ') + 1)) + "\n";
  }
  expect_golden("disk/fat-listing.txt", listing);
}

TEST_F(FatTest, SameBytesAndTheBytesOfTheGoldenDump) {
  const std::vector<FatFile> files = {memory_file("EFI/BOOT/BOOTX64.EFI", "MZ"), memory_file("grub.cfg", "x")};
  const BlockImage image = must(lay_out_fat(spec_of(34 * kMiB), files));
  const std::string bytes = poured(image);
  EXPECT_EQ(bytes, poured(must(lay_out_fat(spec_of(34 * kMiB), {files[1], files[0]}))));
  expect_golden("disk/fat.hex", hex_dump(bytes));
}

TEST_F(FatTest, WhatDoesNotFitSaysHowMuchItIs) {
  const FatFile big{"big", false, 40 * kMiB, {}};
  const auto made = lay_out_fat(spec_of(34 * kMiB), {big});
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().code(), Errc::no_space);
  EXPECT_THAT(made.error().text(), HasSubstr("41 MiB of files do not fit into a FAT file system of 34 MiB"));
  EXPECT_FALSE(lay_out_fat(spec_of(34 * kMiB), {{"huge", false, std::uint64_t{4} << 30, {}}}));
  EXPECT_FALSE(lay_out_fat(spec_of(kMiB), {}));
}

TEST_F(FatTest, AFileThatChangedMeanwhileIsAnError) {
  FatFile file = memory_file("a", "abc");
  file.bytes = 4;
  StringSink out;
  const auto done = must(lay_out_fat(spec_of(34 * kMiB), {file})).pour(out, cancel);
  ASSERT_FALSE(done);
  EXPECT_THAT(done.error().text(), HasSubstr("1 bytes too short"));
}

struct Alias {
  const char *name, *alias;
  std::size_t entries;
};

TEST(FatNamesTest, AliasesAreShortAndDifferent) {
  FatNames names;
  for (const auto& [name, alias, entries] :
       {Alias{"BOOTX64.EFI", "BOOTX64 EFI", 1}, Alias{"README", "README     ", 1}, Alias{"grub.cfg", "GRUB    CFG", 2},
        Alias{"grubx64-signed.efi", "GRUBX6~1EFI", 3}, Alias{"grubx64-other.efi", "GRUBX6~2EFI", 3},
        Alias{".hidden", "HIDDEN~1   ", 2}, Alias{"a+b.tar.gz", "A_BTAR~1GZ ", 2}, Alias{"two words", "TWOWOR~1   ", 2},
        Alias{"\xc3\xbc.txt", "__~1    TXT", 2}, Alias{"name.json", "NAME~1  JSO", 2},
        Alias{"thirteen-13.c", "THIRTE~1C  ", 2}, Alias{"fourteen-14.cc", "FOURTE~1CC ", 3}}) {
    const auto made = must(names.add(name));
    EXPECT_EQ(made.alias, alias) << name;
    EXPECT_EQ(made.entries(), entries) << name;
  }
}

TEST(FatNamesTest, WhatFatCannotHoldIsNamed) {
  for (const std::string name : {"a:b", "a?", "tab\t", "dot.", "space ", "back\\slash", "\xff"}) {
    FatNames names;
    const auto made = names.add(name);
    ASSERT_FALSE(made) << name;
    EXPECT_THAT(made.error().text(), HasSubstr("cannot hold"));
  }
  FatNames names;
  EXPECT_FALSE(names.add(std::string(256, 'a')));
  EXPECT_TRUE(names.add(std::string(255, 'a')));
  must(names.add("File"));
  const auto twin = names.add("fILE");
  ASSERT_FALSE(twin);
  EXPECT_THAT(twin.error().text(), HasSubstr("knows no case"));
}

}  // namespace
}  // namespace kiln::image
