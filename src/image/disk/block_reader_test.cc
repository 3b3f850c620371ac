// Raw and qcow2 disks made by QEMU, by our own writers, and by nobody who means well.
#include "base/units.h"
#include "image/disk/qcow2_format.h"
#include "image/disk/test_reader.h"

namespace kiln::image {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

class BlockReaderTest : public ReaderTest {
 protected:
  void SetUp() override {
    if (!has_tool("qemu-img")) GTEST_SKIP() << "no qemu-img";
  }
  /// QEMU's conversion of a raw file.
  fs::path converted(std::string_view raw, std::vector<std::string> options, const std::string& name = "made.qcow2") {
    fs::path made = dir.path() / name;
    std::vector<std::string> argv = {"qemu-img", "convert", "-f", "raw"};
    argv.insert(argv.end(), options.begin(), options.end());
    argv.insert(argv.end(), {put("raw", raw).string(), made.string()});
    EXPECT_EQ(run(argv), "");
    return made;
  }
};

TEST_F(BlockReaderTest, QcowDisksOfQemuReadAsTheirRawFile) {
  const std::string raw = mixed(5 * kMiB + 512);
  const std::vector<std::vector<std::string>> ways = {
      {"-O", "qcow2"},
      {"-O", "qcow2", "-o", "compat=0.10"},
      {"-O", "qcow2", "-o", "cluster_size=512"},
      {"-O", "qcow2", "-o", "cluster_size=2M"},
      {"-O", "qcow2", "-o", "preallocation=metadata"},
      {"-O", "qcow2", "-c"},
      {"-O", "qcow2", "-c", "-o", "compat=0.10"},
      {"-O", "qcow2", "-c", "-o", "cluster_size=512"},
      {"-O", "qcow2", "-c", "-o", "cluster_size=2M"},
      {"-O", "qcow2", "-c", "-o", "compression_type=zstd"},
      {"-O", "qcow2", "-c", "-o", "compression_type=zstd,cluster_size=2M"},
      {"-O", "raw"},
  };
  for (const auto& way : ways) EXPECT_TRUE(content(converted(raw, way)) == raw) << testing::PrintToString(way);
}

TEST_F(BlockReaderTest, QcowDisksOfOurOwnReadAsTheirRawFile) {
  const Disk disk = stand_in_disk(8 * kMiB);
  const std::string raw = content(write(disk, "raw"));
  EXPECT_EQ(raw, poured(disk.image));
  for (const char* format : {"qcow2", "qcow2-zlib", "qcow2-zstd"}) {
    EXPECT_TRUE(content(write(disk, format)) == raw) << format;
  }
}

TEST_F(BlockReaderTest, ZeroClustersHideWhatTheyStandOn) {
  const fs::path file = converted(std::string(kMiB, 'x'), {"-O", "qcow2"});
  EXPECT_THAT(run({"qemu-io", "-c", "write -z 64k 64k", "-c", "write -z -u 256k 64k", file}), HasSubstr("wrote 65536"));
  std::string wanted(kMiB, 'x');
  wanted.replace(64 << 10, 64 << 10, 64 << 10, '\0');
  wanted.replace(256 << 10, 64 << 10, 64 << 10, '\0');
  EXPECT_TRUE(content(file) == wanted);
}

TEST_F(BlockReaderTest, SnapshotsAreIgnored) {
  const fs::path file = converted(std::string(kMiB, 'x'), {"-O", "qcow2"});
  EXPECT_EQ(run({"qemu-img", "snapshot", "-c", "before", file}), "");
  EXPECT_THAT(run({"qemu-io", "-c", "write -P 121 0 1M", file}), HasSubstr("wrote"));
  EXPECT_TRUE(content(file) == std::string(kMiB, 'y'));
}

TEST_F(BlockReaderTest, FilesThatAreNoWholeDiskSayWhatToDo) {
  const fs::path whole = converted(mixed(kMiB), {"-O", "qcow2"});
  const auto created = [&](const std::string& options, std::vector<std::string> more = {}) {
    fs::path made = dir.path() / "created.qcow2";
    std::vector<std::string> argv = {"qemu-img", "create", "-q", "-f", "qcow2"};
    if (!options.empty()) argv.insert(argv.end(), {"-o", options});
    argv.insert(argv.end(), more.begin(), more.end());
    argv.insert(argv.end(), {made.string(), "1M"});
    EXPECT_EQ(run(argv), "");
    return content(made);
  };
  const std::string remedy = "qemu-img convert -O qcow2 FILE NEW.qcow2";
  EXPECT_EQ(created("", {"-b", whole.string(), "-F", "qcow2"}),
            fmt::format("error: qcow2: it has the backing file '{}', not supported yet: make it whole first: {}", whole,
                        remedy));
  EXPECT_EQ(created(fmt::format("data_file={}/data", dir.path())),
            "error: qcow2: its data is in another file, not supported yet: make it whole first: " + remedy);
  EXPECT_THAT(created("extended_l2=on"), HasSubstr("subclusters (extended_l2), not supported yet: make it whole"));
  const std::string text = must(read_file(whole));
  const auto with = [&](std::size_t at, std::string_view bytes) { return content(put("x", changed(text, at, bytes))); };
  EXPECT_EQ(with(35, "\1"), "error: qcow2: it is encrypted, not supported yet: decrypt it first with qemu-img convert");
  EXPECT_EQ(with(79, "\2"), "error: qcow2: marked as corrupt: repair it first: qemu-img check -r all FILE");
  EXPECT_EQ(with(79, "\1"), "error: qcow2: it was not closed: repair it first: qemu-img check -r all FILE");
  EXPECT_THAT(with(78, "\1"), StartsWith("error: qcow2: it needs features 0x100, not supported yet"));
  EXPECT_EQ(with(7, "\4"), "error: qcow2: version 4, not supported yet: versions 2 and 3 are");
}

TEST_F(BlockReaderTest, OtherFormatsAreNamed) {
  const std::string raw = mixed(kMiB);
  for (const auto& [format, name] : {std::pair{"vmdk", "a VMDK image"}, {"vhdx", "a VHDX image"}}) {
    EXPECT_EQ(
        content(converted(raw, {"-O", format})),
        fmt::format("error: it is {}, not supported yet: raw and qcow2 disk images are; make it one with: qemu-img "
                    "convert -O qcow2 FILE NEW.qcow2",
                    name));
  }
  EXPECT_THAT(content(put("z", "\x1f\x8b and so on")), HasSubstr("compressed with gzip, not supported yet"));
  EXPECT_EQ(content(put("short", "text")), "error: 4 bytes are no disk image");
  EXPECT_EQ(::mkfifo((dir.path() / "fifo").c_str(), 0600), 0);
  EXPECT_THAT(content(dir.path() / "fifo"), HasSubstr("not a regular file"));
}

TEST_F(BlockReaderTest, WhatLiesBeyondTheDiskIsAnError) {
  const auto disk = must(open_disk_file(put("raw", std::string(1000, 'x'))));
  std::array<std::byte, 10> room{};
  EXPECT_TRUE(disk->read(990, room));
  EXPECT_EQ(disk->read(991, room).error().text(), "10 bytes at offset 991 are wanted, and the disk ends at 1000");
  EXPECT_FALSE(disk->read(~std::uint64_t{0} - 4, room));
  const auto part = part_of(*disk, 500, 100);
  EXPECT_FALSE(part->read(95, room));
}

/// Whether a file with something wrong in it is read or refused: a disk that seems large is looked at here and there.
void survive(const fs::path& file) {
  auto disk = open_disk_file(file);
  if (!disk) return;
  std::array<std::byte, 600> room{};
  const std::uint64_t end = (*disk)->bytes();
  for (std::uint64_t at = 0, i = 0; at < end && i < 64; ++i, at = end / 64 * i) {
    (void)(*disk)->read(at, std::span(room).first(std::min<std::uint64_t>(room.size(), end - at)));
  }
}

TEST_F(BlockReaderTest, EveryFieldMayBeWrong) {
  for (const auto& options : std::vector<std::vector<std::string>>{
           {"-O", "qcow2", "-c"}, {"-O", "qcow2", "-o", "compat=0.10"}, {"-O", "qcow2", "-o", "cluster_size=512"}}) {
    const std::string text = must(read_file(converted(mixed(300'000), options)));
    be64 l1;
    std::copy_n(text.data() + 40, sizeof l1, reinterpret_cast<char*>(&l1));
    std::vector<std::size_t> places;
    for (std::size_t i = 0; i < 112; ++i) places.push_back(i);
    for (std::size_t i = 0; i < 64; ++i) places.push_back(l1 + i);
    be64 l2;
    std::copy_n(text.data() + l1, sizeof l2, reinterpret_cast<char*>(&l2));
    for (std::size_t i = 0; i < 64; ++i) places.push_back((l2 & 0xfffffffffffe00) + i);
    for (const std::size_t at : places) {
      for (const char value : {'\0', '\1', '\x7f', '\x80', '\xff'}) {
        survive(put("x", changed(text, at, std::string_view(&value, 1))));
      }
    }
  }
}

TEST_F(BlockReaderTest, CutOffAnywhereIsAnErrorOrTheWholeDisk) {
  const std::string raw = mixed(300'032);
  for (const auto& options :
       std::vector<std::vector<std::string>>{{"-O", "qcow2", "-c"}, {"-O", "qcow2", "-o", "cluster_size=4k"}}) {
    const std::string text = must(read_file(converted(raw, options)));
    for (std::size_t bytes = 0; bytes < text.size(); bytes += bytes < 200 ? 1 : 3001) {
      const std::string read = content(put("x", text.substr(0, bytes)));
      EXPECT_TRUE(read.starts_with("error: ") || read == raw || bytes < 4) << bytes;
    }
  }
}

}  // namespace
}  // namespace kiln::image
