#include <zlib.h>

#include "base/units.h"
#include "image/deflate_chunk.h"
#include "image/disk/qcow2_format.h"
#include "image/disk/test_disk.h"
#include "support/golden.h"

namespace kiln::image {
namespace {

using testing::HasSubstr;

class Qcow2Test : public DiskTest, public testing::WithParamInterface<const char*> {
 protected:
  /// QEMU finds no fault and sees the same disk as in the raw file; what it says of the file.
  std::string judged(const Disk& disk) {
    const fs::path file = write(disk, GetParam()), raw = write(disk, "raw");
    EXPECT_THAT(run({"qemu-img", "check", file}), HasSubstr("No errors were found on the image."));
    EXPECT_EQ(run({"qemu-img", "compare", "-f", "qcow2", "-F", "raw", file, raw}), "Images are identical.\n");
    return run({"qemu-img", "info", "-f", "qcow2", file});
  }
};
INSTANTIATE_TEST_SUITE_P(Formats, Qcow2Test, testing::Values("qcow2", "qcow2-zlib", "qcow2-zstd"));

TEST_P(Qcow2Test, QemuReadsTheDiskBack) {
  if (!has_tool("qemu-img")) GTEST_SKIP() << "no qemu-img";
  const std::string facts = judged(stand_in_disk(kGiB));
  EXPECT_THAT(facts, HasSubstr("virtual size: 1 GiB (1073741824 bytes)"));
  EXPECT_THAT(facts, HasSubstr("compat: 1.1"));
  EXPECT_THAT(facts, HasSubstr(GetParam() == std::string("qcow2-zstd") ? "compression type: zstd" : "type: zlib"));
}

TEST_P(Qcow2Test, ADiskOfMixedContent) {
  if (!has_tool("qemu-img")) GTEST_SKIP() << "no qemu-img";
  Disk disk;
  std::vector<ImagePart> parts;
  std::string mixed;  // clusters that are text, noise and zero by turns, and some that are both
  for (std::size_t i = 0; i < 500; ++i) {
    mixed += i % 7 == 0   ? noise(65'536, i)
             : i % 5 == 0 ? std::string(65'536, '\0')
                          : std::string(50'000, static_cast<char>(i));
  }
  parts.push_back({123, image_from(mixed)});
  parts.push_back({700 * kMiB + 1, image_from(noise(9 * kMiB, 3))});
  disk.image = compose(kGiB + kMiB, std::move(parts));
  judged(disk);
}

TEST_P(Qcow2Test, SizesThatAreNoWholeCluster) {
  if (!has_tool("qemu-img")) GTEST_SKIP() << "no qemu-img";
  judged(stand_in_disk(kMiB * 4 + 512));
  Disk empty;
  empty.image = compose(kMiB, {});
  judged(empty);
}

TEST_P(Qcow2Test, AVeryLargeDiskWithLittleInIt) {
  if (!has_tool("qemu-img")) GTEST_SKIP() << "no qemu-img";
  const fs::path file = write(stand_in_disk(4096 * kGiB), GetParam());
  EXPECT_THAT(run({"qemu-img", "check", file}), HasSubstr("No errors were found on the image."));
  EXPECT_LT(fs::file_size(file), 2 * kMiB);
}

TEST_P(Qcow2Test, ThreadsDoNotChangeTheBytes) {
  const Disk disk = stand_in_disk(64 * kMiB);
  const std::string one = must(read_file(write(disk, GetParam(), 1)));
  EXPECT_EQ(one, must(read_file(write(disk, GetParam(), 4))));
}

using Qcow2TablesTest = DiskTest;

TEST_F(Qcow2TablesTest, PlainTablesAreTheGoldenOnes) {
  Disk disk;
  std::vector<ImagePart> parts;
  parts.push_back({0, image_from("first")});
  parts.push_back({kMiB, image_from(std::string(100'000, 'x'))});
  disk.image = compose(2 * kMiB, std::move(parts));
  const std::string file = must(read_file(write(disk, "qcow2")));
  expect_golden("disk/qcow2.hex", hex_dump(std::string_view(file).substr(0, 5 * qcow2::kCluster)));
}

TEST_F(Qcow2TablesTest, CompressedTablesAreTheGoldenOnes) {
  Disk disk;
  std::vector<ImagePart> parts;
  parts.push_back({0, image_from(noise(65'536, 1))});
  parts.push_back({kMiB, image_from(std::string(100'000, 'x'))});
  disk.image = compose(2 * kMiB, std::move(parts));
  const std::string file = must(read_file(write(disk, "qcow2-zlib")));
  expect_golden("disk/qcow2-zlib.hex",
                hex_dump(std::string_view(file).substr(0, qcow2::kCluster)) +
                    hex_dump(std::string_view(file).substr(3 * qcow2::kCluster), 3 * qcow2::kCluster));
}

/// Inflates with a window of 4 KiB and no more, piece by piece, so that nothing but the window can be looked back to.
std::string inflated(std::span<const std::byte> packed) {
  z_stream stream{};
  EXPECT_EQ(::inflateInit2(&stream, -12), Z_OK);
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<std::byte*>(packed.data()));  // C interface, only read
  stream.avail_in = static_cast<uInt>(packed.size());
  std::string text, piece(100, '\0');
  int state = Z_OK;
  while (state == Z_OK) {
    stream.next_out = reinterpret_cast<Bytef*>(piece.data());
    stream.avail_out = static_cast<uInt>(piece.size());
    state = ::inflate(&stream, Z_NO_FLUSH);
    text.append(piece, 0, piece.size() - stream.avail_out);
  }
  ::inflateEnd(&stream);
  return state == Z_STREAM_END ? text : fmt::format("inflate: {}", stream.msg != nullptr ? stream.msg : "?");
}

std::uint64_t number_at(std::string_view file, std::uint64_t at) {
  be64 number;
  std::copy_n(file.data() + at, sizeof number, reinterpret_cast<char*>(&number));
  return number;
}

TEST_F(Qcow2TablesTest, EveryCompressedClusterNeedsASmallWindowOnlyAndZeroOnesTakeNothing) {
  std::string text;  // repeats itself from further back than the window too
  for (int i = 0; i < 400; ++i) text += noise(3000, static_cast<std::uint64_t>(i % 5)) + std::string(2000, 'x');
  text.resize((text.size() / qcow2::kCluster + 1) * qcow2::kCluster);
  text.append(3 * qcow2::kCluster, '\0');
  Disk disk;
  disk.image = image_from(text);
  const std::string file = must(read_file(write(disk, "qcow2-zlib")));
  const std::uint64_t l2 = number_at(file, number_at(file, 40)) & ~qcow2::kCopied;
  const std::uint64_t clusters = text.size() / qcow2::kCluster;
  for (std::uint64_t i = 0; i < clusters; ++i) {
    const std::uint64_t entry = number_at(file, l2 + 8 * i);
    if (i + 3 >= clusters) {
      EXPECT_EQ(entry, 0U);
      continue;
    }
    ASSERT_EQ(entry >> 62, 1U) << "compressed";
    const std::uint64_t at = entry & ((std::uint64_t{1} << qcow2::kSectorsShift) - 1);
    const std::uint64_t more = (entry & (qcow2::kCompressed - 1)) >> qcow2::kSectorsShift;
    const std::string_view packed = std::string_view(file).substr(at, (at / 512 + more + 1) * 512 - at);
    EXPECT_TRUE(inflated(as_bytes(packed)) == text.substr(i * qcow2::kCluster, qcow2::kCluster)) << i;
  }
}

TEST(DeflatePieceTest, LooksBackNoFurtherThanTheWindow) {
  std::string text;  // repeats itself 5,000, 20,000 and 100 bytes back
  const std::string word = noise(5000, 1);
  for (int i = 0; i < 4; ++i) text += word;
  for (int i = 0; i < 400; ++i) text += noise(100, static_cast<std::uint64_t>(i / 40));
  ChunkDeflater deflater;
  std::vector<std::byte> packed;
  deflater.deflate_piece(as_bytes(text), 12, packed);
  ASSERT_FALSE(packed.empty());
  EXPECT_LT(packed.size(), text.size() * 3 / 4);
  const auto end = as_bytes(kDeflateEnd);
  packed.insert(packed.end(), end.begin(), end.end());
  EXPECT_EQ(inflated(packed), text);
}

TEST(DeflatePieceTest, WhatDoesNotShrinkIsLeftAlone) {
  ChunkDeflater deflater;
  std::vector<std::byte> packed(7);
  deflater.deflate_piece(as_bytes(noise(65'536, 1)), 12, packed);
  EXPECT_TRUE(packed.empty());
}

}  // namespace
}  // namespace kiln::image
