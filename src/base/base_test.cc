#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>
#include <thread>

#include "base/cancel.h"
#include "base/endian.h"
#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "base/library.h"
#include "base/lock.h"
#include "base/process.h"
#include "base/sink.h"
#include "base/text.h"
#include "base/time.h"

namespace kiln {
namespace {

Result<int> twice(Result<int> r) {
  return 2 * TRY(std::move(r).context("doubling"));
}

TEST(LibraryTest, FindsWhatIsThereAndSaysWhatIsNot) {
  const Library library = *Library::load("libm.so.6");
  double (*cosine)(double) = nullptr;
  ASSERT_TRUE(library.find("cos", cosine));
  EXPECT_EQ(cosine(0), 1);
  EXPECT_EQ(library.find("no_such_function", cosine).error().text(), "libm.so.6 has no no_such_function");
  const auto missing = Library::load("libnobody.so.1");
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code(), Errc::not_found);
  EXPECT_TRUE(missing.error().text().starts_with("cannot load libnobody.so.1: "));
}

TEST(ErrorTest, PurposesReadFromTheOutside) {
  EXPECT_EQ(*twice(21), 42);
  auto failed = twice(error(Errc::io, "disk on fire"));
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().text(), "doubling: disk on fire");
  EXPECT_EQ(errno_error(ENOSPC, "write x").code(), Errc::no_space);
}

TEST(DigestTest, ParsesOnlyTheExactForm) {
  const std::string hex(64, 'a');
  EXPECT_TRUE(Digest::parse("sha256:" + hex));
  for (const std::string& bad : {hex, "sha256:" + hex.substr(1), "sha256:" + std::string(64, 'A'),
                                 "sha256:../" + hex.substr(3), std::string()}) {
    EXPECT_FALSE(Digest::parse(bad)) << bad;
  }
  EXPECT_EQ(sha256("").hex(), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

class FileTest : public testing::Test {
 protected:
  TempDir dir = TempDir::create(testing::TempDir(), "base").take();
};

TEST_F(FileTest, AtomicFileLeavesNothingWithoutCommit) {
  const fs::path target = dir.path() / "a";
  {
    auto file = AtomicFile::create(target);
    ASSERT_TRUE(file && file->write("half"));
  }
  EXPECT_TRUE(fs::is_empty(dir.path()));
  ASSERT_TRUE(write_file(target, "whole"));
  EXPECT_EQ(*read_file(target), "whole");
}

TEST_F(FileTest, FifoIsRefusedWithoutWaiting) {
  const fs::path fifo = dir.path() / "fifo";
  ASSERT_EQ(::mkfifo(fifo.c_str(), 0600), 0);
  auto read = read_file(fifo);
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().code(), Errc::corrupt);
}

TEST_F(FileTest, RemoveTreeTakesLockedDirectoriesAndLeavesLinkTargets) {
  fs::create_directories(dir.path() / "t/locked/deep");
  ASSERT_TRUE(write_file(dir.path() / "keep", "x"));
  fs::create_symlink(dir.path() / "keep", dir.path() / "t/link");
  fs::permissions(dir.path() / "t/locked", fs::perms::none);
  ASSERT_TRUE(remove_tree(dir.path() / "t"));
  EXPECT_FALSE(fs::exists(dir.path() / "t"));
  EXPECT_TRUE(fs::exists(dir.path() / "keep"));
}

TEST_F(FileTest, OpenAtStaysInsideTheRoot) {
  fs::create_directories(dir.path() / "root/etc");
  ASSERT_TRUE(write_file(dir.path() / "secret", "outside"));
  fs::create_symlink("../../secret", dir.path() / "root/etc/up");
  const Fd root = open_dir(dir.path() / "root").take();
  EXPECT_FALSE(open_at(root.get(), "etc/up", O_RDONLY, Resolve::in_root));
  EXPECT_FALSE(open_at(root.get(), "../secret", O_RDONLY, Resolve::beneath));
}

TEST_F(FileTest, LockDiesWithItsOwner) {
  const fs::path path = dir.path() / "lock";
  {
    auto first = LockFile::try_lock(path, LockKind::exclusive).take();
    ASSERT_TRUE(first);
    EXPECT_FALSE(LockFile::try_lock(path, LockKind::shared).take());
  }
  EXPECT_TRUE(LockFile::try_lock(path, LockKind::exclusive).take());
}

TEST_F(FileTest, FileSinkMakesHolesOfZeros) {
  auto file = AtomicFile::create(dir.path() / "sparse").take();
  FdSink sink(file.fd());
  ASSERT_TRUE(sink.write("a") && sink.zeros(1 << 20) && sink.finish());
  const struct stat st = stat_of(file.fd()).take();
  EXPECT_EQ(st.st_size, (1 << 20) + 1);
  EXPECT_LT(st.st_blocks * 512, 1 << 19);
}

TEST(JsonTest, RefusesRepeatedNamesAndDepth) {
  EXPECT_FALSE(parse_json(R"({"a":1,"b":{"c":1,"c":2}})"));
  EXPECT_FALSE(parse_json(std::string(100'000, '[')));
  EXPECT_EQ(render_json(*parse_json(R"({"b":[1,2],"a":null})")), R"({"a":null,"b":[1,2]})");
}

TEST(TextTest, ControlCharactersBecomeVisible) {
  EXPECT_EQ(visible("a\x1b[31mb\tc\xff\n"), "a\\x1b[31mb\tc\\xff\\x0a");
  EXPECT_EQ(visible("\xc2\x9b z\xc3\xa9"), "\\xc2\\x9b z\xc3\xa9");
}

TEST(TextTest, SuggestsOnlyWhatIsNear) {
  EXPECT_EQ(nearest("proviioner", {"post-processor", "provisioner"}), "provisioner");
  EXPECT_FALSE(nearest("zebra", {"post-processor", "provisioner"}));
}

TEST(TextTest, GlobsAreThoseOfPacker) {
  EXPECT_TRUE(glob_match("*.a", "n.null.a"));
  EXPECT_FALSE(glob_match("null.a", "n.null.a"));
  EXPECT_TRUE(glob_match("{docker,null}.[a-c]?", "null.bz"));
  EXPECT_FALSE(glob_match("[!n]*", "null"));
}

TEST(TextTest, DurationsAreThoseOfPacker) {
  EXPECT_EQ(human_duration(123'000), "2 minutes 3 seconds");
  EXPECT_EQ(human_duration(3'600'000), "1 hour");
  EXPECT_EQ(parse_go_duration("1h15m0.5s").take(), Duration(4'500'500));
  EXPECT_FALSE(parse_go_duration("5 parsecs"));
}

TEST(TimeTest, Rfc3339GoesRound) {
  EXPECT_EQ(rfc3339(*parse_rfc3339("2023-06-10T01:02:03Z")), "2023-06-10T01:02:03Z");
  EXPECT_EQ(*parse_rfc3339("1970-01-01T01:00:00.5+01:00"), 0);
}

TEST(EndianTest, BytesStandAsTheTypeSays) {
  const be32 big(0x01020304);
  EXPECT_EQ(as_text(bytes_of(big)), std::string_view("\1\2\3\4"));
  EXPECT_EQ(std::uint16_t{le16(0xABCD)}, 0xABCD);
}

TEST(ProcessTest, ReportsLinesAndExitCode) {
  std::vector<std::string> lines;
  const Cancel cancel;
  auto result =
      run_process({.argv = {"/bin/sh", "-c", "echo out; echo \"$X\" >&2; exit 3"}, .env = {{"X", "err"}}}, cancel,
                  [&](std::string_view l, bool e) { lines.push_back((e ? "E" : "O") + std::string(l)); });
  ASSERT_TRUE(result);
  EXPECT_EQ(result->exit_code, 3);
  std::sort(lines.begin(), lines.end());
  EXPECT_EQ(lines, (std::vector<std::string>{"Eerr", "Oout"}));
}

TEST(ProcessTest, ProgramThatCannotStartSaysWhy) {
  const Cancel cancel;
  auto result = run_process({.argv = {"/no/such"}}, cancel, [](std::string_view, bool) {});
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().text(), "start /no/such: No such file or directory");
}

TEST(ProcessTest, CancelEndsIt) {
  Cancel cancel;
  std::jthread later([&] {
    (void)cancel.sleep(Duration(50));
    cancel.cancel();
  });
  const auto start = Clock::now();
  auto result = run_process({.argv = {"/bin/sleep", "60"}}, cancel, [](std::string_view, bool) {});
  EXPECT_EQ(result.error().code(), Errc::interrupted);
  EXPECT_LT(ms_since(start), 5000U);
}

TEST(LineSplitterTest, CarriageReturnsEndLinesOnce) {
  LineSplitter splitter;
  std::vector<std::string> lines;
  const auto keep = [&](std::string_view l) { lines.emplace_back(l); };
  splitter.feed("a\r", keep);
  splitter.feed("\nb\rc", keep);
  splitter.finish(keep);
  EXPECT_EQ(lines, (std::vector<std::string>{"a", "b", "c"}));
}

}  // namespace
}  // namespace kiln
