#include "image/disk/test_disk.h"

namespace kiln::image {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

TEST(UuidTest, FollowsFromDigestAndWordAndHasTheShapeOfVersion8) {
  const Uuid id = derive_uuid(sha256("tree"), "root");
  EXPECT_EQ(id.text(), "e82b6593-66a5-8f4c-bdc1-1585bd030fed");
  EXPECT_NE(id, derive_uuid(sha256("tree"), "disk"));
  EXPECT_NE(id, derive_uuid(sha256("tree2"), "root"));
  EXPECT_EQ(must(parse_uuid(id.text())), id);
}

TEST(UuidTest, OtherTextIsRefused) {
  EXPECT_TRUE(parse_uuid("C12A7328-F81F-11D2-BA4B-00A0C93EC93B"));
  for (const char* text : {"", "c12a7328-f81f-11d2-ba4b-00a0c93ec93", "c12a7328-f81f-11d2-ba4b-00a0c93ec93g",
                           "c12a7328xf81f-11d2-ba4b-00a0c93ec93b", "c12a7328-f81f-11d2-ba4b-00a0c93ec93b "}) {
    EXPECT_FALSE(parse_uuid(text)) << text;
  }
}

TEST(ComposeTest, PartsStandAtTheirPlacesAndTouchingExtentsAreOne) {
  std::vector<ImagePart> parts;
  parts.push_back({6, image_from("cd")});
  parts.push_back({1, image_from("ab")});
  parts.push_back({3, image_from("x")});
  const BlockImage image = compose(10, std::move(parts));
  EXPECT_EQ(poured(image), std::string("\0abx\0\0cd\0\0", 10));
  EXPECT_THAT(image.data, ElementsAre(Extent{1, 3}, Extent{6, 2}));
}

TEST(ComposeTest, APartThatPoursTooMuchOrTooLittleIsAnError) {
  for (const char* text : {"abc", "a"}) {
    BlockImage part = image_from(text);
    part.bytes = 2;
    std::vector<ImagePart> parts;
    parts.push_back({0, std::move(part)});
    StringSink out;
    const Cancel cancel;
    const auto done = compose(4, std::move(parts)).pour(out, cancel);
    ASSERT_FALSE(done) << text;
    EXPECT_THAT(done.error().text(), HasSubstr("1 bytes too"));
  }
}

TEST(RoundedTest, ExtentsGrowToBlocksAndNoFurtherThanTheImage) {
  EXPECT_THAT(rounded({{5, 2}, {15, 2}, {40, 1}, {58, 1}}, 10, 59), ElementsAre(Extent{0, 20}, Extent{40, 19}));
}

TEST(RangeSinkTest, OnlyRangesPassAndTheirHolesAsZeros) {
  const std::vector<Extent> ranges = {{2, 3}, {8, 4}};
  StringSink out;
  std::uint64_t done = 0;
  RangeSink sink(ranges, out, [&done](std::uint64_t n) { done = n; });
  must(sink.zeros(3));
  must(sink.write("ab"));
  must(sink.zeros(4));
  must(sink.write(std::string_view("cd\0\0\0", 5)));
  EXPECT_EQ(out.text, std::string("\0ab\0cd\0", 7));
  EXPECT_EQ(done, 7U);
}

TEST(RangeSinkTest, DataOutsideIsNeverDroppedSilently) {
  const std::vector<Extent> ranges = {{2, 3}};
  StringSink out;
  RangeSink sink(ranges, out);
  const auto done = sink.write("ab");
  ASSERT_FALSE(done);
  EXPECT_THAT(done.error().text(), HasSubstr("data at byte 0"));
}

using RawTest = DiskTest;

TEST_F(RawTest, HasTheImagesBytesAndHoles) {
  const Disk disk = stand_in_disk(64 << 20);
  const fs::path file = write(disk, "raw");
  EXPECT_EQ(must(read_file(file, 65 << 20)), poured(disk.image));
  struct stat st {};
  ASSERT_EQ(::stat(file.c_str(), &st), 0);
  EXPECT_LT(st.st_blocks * 512, 1 << 20);
}

TEST_F(RawTest, ProgressReachesTheTotal) {
  const Disk disk = stand_in_disk(8 << 20);
  ScarceOutput out;
  std::uint64_t done = 0;
  must(write_disk(disk, *must(find_disk_format("raw")), out,
                  {.cancel = cancel, .progress = [&done](std::uint64_t n) { done = n; }}));
  EXPECT_EQ(done, disk.data_bytes());
}

TEST_F(RawTest, AnErrorLeavesNothingUnderTheName) {
  Disk disk = stand_in_disk(1 << 22);
  disk.image.pour = [](Sink& out, const Cancel&) -> Result<> {
    TRY(out.write("half"));
    return error(Errc::io, "input/output error");
  };
  const fs::path target = fresh("out") / "disk.raw";
  const auto done =
      write_disk_files(disk, std::array{DiskTarget{must(find_disk_format("raw")), target}}, {.cancel = cancel});
  ASSERT_FALSE(done);
  EXPECT_THAT(done.error().text(), HasSubstr("disk.raw: input/output error"));
  EXPECT_TRUE(fs::is_empty(target.parent_path()));
}

TEST(DiskFormatTest, AnUnknownNameListsTheKnown) {
  const auto found = find_disk_format("vdi");
  ASSERT_FALSE(found);
  EXPECT_THAT(found.error().text(), HasSubstr("no disk format 'vdi'; there are raw"));
}

}  // namespace
}  // namespace kiln::image
