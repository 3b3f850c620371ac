#include "base/units.h"
#include "image/disk/test_disk.h"
#include "support/golden.h"

namespace kiln::image {
namespace {

using testing::HasSubstr;

class GceTest : public DiskTest {
 protected:
  /// The first blocks of the tar in an archive.
  std::string tar_start(const fs::path& archive, std::size_t bytes) {
    return run({"sh", "-c", fmt::format("gzip -dc '{}' | head -c {} | od -An -v -tx1 -w16", archive, bytes)});
  }
  /// The raw disk that GNU tar unpacks.
  fs::path unpacked(const fs::path& archive) {
    const fs::path out = fresh("unpacked");
    EXPECT_EQ(run({"tar", "-xSzf", archive, "-C", out}), "");
    return out / "disk.raw";
  }
};

/// A disk of many pieces: its map takes several blocks.
Disk scattered_disk(std::uint64_t bytes, std::size_t pieces) {
  Disk disk;
  std::vector<ImagePart> parts;
  for (std::size_t i = 0; i < pieces; ++i) parts.push_back({i * 100'000 + i, image_from(noise(700 + i, i))});
  disk.image = compose(bytes, std::move(parts));
  return disk;
}

TEST_F(GceTest, GnuTarReadsTheDiskBack) {
  const Disk disk = stand_in_disk(kGiB);
  const fs::path archive = write(disk, "gce"), raw = write(disk, "raw");
  EXPECT_EQ(run({"gzip", "-t", archive}), "");
  EXPECT_EQ(run({"tar", "-tvSzf", archive}), "-rw-r--r-- 0/0      1073741824 1970-01-01 00:00 disk.raw\n");
  const fs::path back = unpacked(archive);
  EXPECT_EQ(run({"cmp", back, raw}), "");
  struct stat st {};
  ASSERT_EQ(::stat(back.c_str(), &st), 0);
  EXPECT_LT(st.st_blocks * 512, 2 << 20) << "holes stay holes";
}

TEST_F(GceTest, AMapOfManyBlocksAndAHoleAtTheEnd) {
  for (const std::size_t pieces : {4U, 24U, 60U}) {
    const Disk disk = scattered_disk(kGiB, pieces);
    const fs::path archive = write(disk, "gce");
    EXPECT_EQ(run({"cmp", unpacked(archive), write(disk, "raw")}), "") << pieces;
    EXPECT_EQ(
        run({"python3", "-c",
             "import sys, tarfile\nt = tarfile.open(sys.argv[1])\nprint([(m.name, m.size) for m in t])", archive}),
        "[('disk.raw', 1073741824)]\n");
    fs::remove_all(dir.path() / "unpacked");
  }
}

TEST_F(GceTest, NothingButADisk) {
  Disk empty;
  empty.image = compose(kGiB, {});
  EXPECT_EQ(run({"cmp", unpacked(write(empty, "gce")), write(empty, "raw")}), "");
}

TEST_F(GceTest, TheHeaderIsTheGoldenOne) {
  expect_golden("disk/gce-header.hex", tar_start(write(stand_in_disk(kGiB), "gce"), 512));
}

TEST_F(GceTest, NumbersFrom8GiBOnAreBase256) {
  const fs::path archive = write(stand_in_disk(9 * kGiB), "gce");
  EXPECT_EQ(run({"tar", "-tvSzf", archive}), "-rw-r--r-- 0/0      9663676416 1970-01-01 00:00 disk.raw\n");
  expect_golden("disk/gce-header-9-gib.hex", tar_start(archive, 512));
}

TEST_F(GceTest, OneGzipMemberWithoutNameAndTime) {
  const std::string bytes = must(read_file(write(stand_in_disk(kGiB), "gce")));
  EXPECT_EQ(bytes.substr(0, 10), std::string("\x1f\x8b\x08\0\0\0\0\0\0\xff", 10));
  EXPECT_EQ(run({"python3", "-c",
                 "import sys, zlib\nd = zlib.decompressobj(31)\nd.decompress(open(sys.argv[1], 'rb').read())\n"
                 "print(d.eof, len(d.unused_data))",
                 dir.path() / "disk.tar.gz"}),
            "True 0\n");
}

TEST_F(GceTest, SizesThatComputeEngineRefusesAreRefusedHere) {
  ScarceOutput out;
  const DiskFormat* gce = must(find_disk_format("gce"));
  const auto half = write_disk(stand_in_disk(kGiB + kGiB / 2), *gce, out, {.cancel = cancel});
  ASSERT_FALSE(half);
  EXPECT_EQ(half.error().code(), Errc::usage);
  EXPECT_THAT(half.error().text(), HasSubstr("whole GiB; this one has 1610612736 bytes"));
  EXPECT_THAT(write_disk(stand_in_disk(2049 * kGiB), *gce, out, {.cancel = cancel}).error().text(),
              HasSubstr("2048 GiB"));
  EXPECT_EQ(out.text, "");
}

}  // namespace
}  // namespace kiln::image
