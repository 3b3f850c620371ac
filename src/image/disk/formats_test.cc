// What holds for every format: errors of the output and of the disk come through, nothing is left of a file, the same
// disk gives the same bytes.
#include <sys/resource.h>

#include <atomic>
#include <csignal>

#include "base/units.h"
#include "image/disk/test_disk.h"

namespace kiln::image {
namespace {

using testing::HasSubstr;

class EveryFormatTest : public DiskTest, public testing::WithParamInterface<DiskFormat> {
 protected:
  Result<> written(const Disk& disk, DiskOutput& out) {
    return write_disk(disk, GetParam(), out, {.threads = 2, .cancel = cancel});
  }
  /// Small where the format has the whole disk in it.
  static Disk disk_for(const DiskFormat& format) { return stand_in_disk(format.name == "gce" ? kGiB : 4 << 20); }
};
/// The formats of the tree have tests of their own.
std::vector<DiskFormat> formats_of_the_disk() {
  std::vector<DiskFormat> formats;
  for (const DiskFormat& format : disk_formats())
    if (format.of == DiskFormat::Of::disk) formats.push_back(format);
  return formats;
}
INSTANTIATE_TEST_SUITE_P(Table, EveryFormatTest, testing::ValuesIn(formats_of_the_disk()));

TEST_P(EveryFormatTest, AFullDiskIsAnErrorWhereverItIsFull) {
  const Disk disk = disk_for(GetParam());
  ScarceOutput whole;
  must(written(disk, whole));
  for (std::uint64_t room = 0; room < whole.text.size(); room += whole.text.size() / 40 + 1) {
    ScarceOutput out(room);
    const auto done = written(disk, out);
    ASSERT_FALSE(done) << room;
    EXPECT_EQ(done.error().code(), Errc::no_space);
  }
}

TEST_P(EveryFormatTest, APatchThatFailsIsAnError) {
  const Disk disk = disk_for(GetParam());
  ScarceOutput out;
  out.patches_fail = true;
  const bool patches = GetParam().name.starts_with("qcow2-") || GetParam().name == "ova";
  EXPECT_EQ(written(disk, out).ok(), !patches);
}

TEST_P(EveryFormatTest, ADiskThatCannotBeReadLeavesNothing) {
  Disk disk = disk_for(GetParam());
  const BlockImage good = disk.image;
  disk.image.pour = [&good](Sink& out, const Cancel& stop) -> Result<> {
    TRY(good.pour(out, stop));
    return error(Errc::io, "input/output error");
  };
  const fs::path target = fresh("out") / "disk";
  const auto done =
      write_disk_files(disk, std::array{DiskTarget{&GetParam(), target}}, {.threads = 2, .cancel = cancel});
  ASSERT_FALSE(done);
  EXPECT_THAT(done.error().text(), HasSubstr("out/disk: input/output error"));
  EXPECT_TRUE(fs::is_empty(target.parent_path()));
}

TEST_P(EveryFormatTest, StopsWhenCancelled) {
  cancel.cancel();
  ScarceOutput out;
  const auto done = written(disk_for(GetParam()), out);
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code(), Errc::interrupted);
}

TEST_P(EveryFormatTest, SameDiskSameBytesAndProgressToTheEnd) {
  const Disk disk = disk_for(GetParam());
  ScarceOutput first, second;
  std::uint64_t done = 0, last = 0;
  const auto progress = [&](std::uint64_t now) {
    EXPECT_GE(now, done);
    done = last = now;
  };
  must(write_disk(disk, GetParam(), first, {.threads = 1, .cancel = cancel, .progress = progress}));
  must(write_disk(disk, GetParam(), second, {.threads = 3, .cancel = cancel}));
  EXPECT_TRUE(first.text == second.text);
  EXPECT_GE(last, disk.data_bytes());
}

TEST_P(EveryFormatTest, NamesAndSuffixesAreUnique) {
  std::size_t same = 0;
  for (const DiskFormat& other : disk_formats()) {
    same += other.name == GetParam().name || other.suffix == GetParam().suffix ? 1 : 0;
  }
  EXPECT_EQ(same, 1U);
}

/// All formats at once, of a disk that all of them can hold.
class AllFormatsTest : public DiskTest {
 protected:
  const std::vector<DiskFormat> formats = formats_of_the_disk();
  Result<std::vector<std::uint64_t>> write_all(const Disk& disk, const fs::path& to, unsigned threads = 3) {
    std::vector<DiskTarget> targets;
    for (const DiskFormat& format : formats) targets.push_back({&format, to / fmt::format("disk{}", format.suffix)});
    return write_disk_files(disk, targets, {.threads = threads, .cancel = cancel});
  }
};

TEST_F(AllFormatsTest, OnePassGivesTheFilesThatEachGivesAlone) {
  const Disk disk = stand_in_disk(kGiB);
  std::atomic<int> passes = 0;
  Disk counted = disk;
  counted.image.pour = [&](Sink& out, const Cancel& stop) {
    ++passes;
    return disk.image.pour(out, stop);
  };
  const fs::path together = fresh("together");
  const std::vector<std::uint64_t> sizes = must(write_all(counted, together));
  EXPECT_EQ(passes, 1);
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    const fs::path alone = write(disk, formats[i].name, 1);
    EXPECT_EQ(run({"cmp", alone, together / alone.filename()}), "");
    EXPECT_EQ(fs::file_size(alone), sizes[i]);
    fs::remove(alone);
  }
}

TEST_F(AllFormatsTest, OneThatCannotHoldTheDiskLeavesNoFileOfAny) {
  const fs::path out = fresh("out");
  const auto done = write_all(stand_in_disk(kGiB + (1 << 20)), out);
  ASSERT_FALSE(done);
  EXPECT_THAT(done.error().text(), HasSubstr("writing " + (out / "disk.tar.gz").native() + ": Compute Engine takes"));
  EXPECT_TRUE(fs::is_empty(out));
}

TEST_F(AllFormatsTest, ADiskThatCannotBeReadLeavesNoFileOfAny) {
  Disk disk = stand_in_disk(kGiB);
  disk.image.pour = [good = disk.image](Sink& out, const Cancel& stop) -> Result<> {
    TRY(good.pour(out, stop));
    return error(Errc::io, "reading usr/lib: input/output error");
  };
  const fs::path out = fresh("out");
  EXPECT_EQ(write_all(disk, out).error().text(), "reading usr/lib: input/output error");
  EXPECT_TRUE(fs::is_empty(out));
}

TEST_F(AllFormatsTest, AFileThatCannotGrowLeavesNoFileOfAny) {
  const fs::path out = fresh("out");
  struct rlimit before {};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
  const auto ignored = std::signal(SIGXFSZ, SIG_IGN);
  const rlimit little{200'000, before.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &little), 0);
  const auto done = write_all(stand_in_disk(kGiB), out);
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &before), 0);
  std::signal(SIGXFSZ, ignored);
  ASSERT_FALSE(done);
  EXPECT_THAT(done.error().text(), testing::MatchesRegex("writing [^ ]*/out/disk[^ ]*: write: File too large"));
  EXPECT_TRUE(fs::is_empty(out));
}

}  // namespace
}  // namespace kiln::image
