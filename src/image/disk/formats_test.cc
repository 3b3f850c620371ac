// What holds for every format: errors of the output and of the disk come through, nothing is left of a file, the same
// disk gives the same bytes.
#include "image/disk/test_disk.h"

namespace kiln::image {
namespace {

using testing::HasSubstr;

constexpr std::uint64_t kGiB = std::uint64_t{1} << 30;

class EveryFormatTest : public DiskTest, public testing::WithParamInterface<DiskFormat> {
 protected:
  Result<> written(const Disk& disk, DiskOutput& out) {
    return GetParam().write(disk, out, {.threads = 2, .cancel = cancel});
  }
  /// Small where the format has the whole disk in it.
  static Disk disk_for(const DiskFormat& format) { return stand_in_disk(format.name == "gce" ? kGiB : 4 << 20); }
};
INSTANTIATE_TEST_SUITE_P(Table, EveryFormatTest, testing::ValuesIn(disk_formats().begin(), disk_formats().end()));

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
  const bool patches = GetParam().name.starts_with("qcow2-");
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
  const auto done = write_disk_file(disk, GetParam(), target, {.threads = 2, .cancel = cancel});
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
  must(GetParam().write(disk, first, {.threads = 1, .cancel = cancel, .progress = progress}));
  must(GetParam().write(disk, second, {.threads = 3, .cancel = cancel}));
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

}  // namespace
}  // namespace kiln::image
