#include "base/process.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <thread>

#include "base/file.h"
#include "base/lock.h"
#include "base/sink.h"
#include "base/text.h"

namespace kiln {
namespace {

/// What a shell command prints, its lines joined.
std::string output_of(const std::string& command, ProcessSpec spec = {}) {
  std::vector<std::string> lines;
  const Cancel cancel;
  spec.argv = {"/bin/sh", "-c", command};
  auto ran = run_process(spec, cancel, [&](std::string_view line, bool) { lines.emplace_back(line); });
  return ran ? join(lines, "\n") : ran.error().text();
}

struct KernelAction {  // what rt_sigaction takes on x86-64
  void (*handler)(int);
  std::uint64_t flags;
  void (*restorer)();
  std::uint64_t mask;
};

/// Ignores a signal of this process for a time, also one that the C library keeps for itself.
class Ignored {
 public:
  explicit Ignored(int number) : number_(number) {
    const KernelAction ignore{SIG_IGN, 0, nullptr, 0};
    ::syscall(SYS_rt_sigaction, number_, &ignore, &before_, sizeof ignore.mask);
  }
  Ignored(const Ignored&) = delete;
  Ignored& operator=(const Ignored&) = delete;
  ~Ignored() { ::syscall(SYS_rt_sigaction, number_, &before_, nullptr, sizeof before_.mask); }

 private:
  int number_;
  KernelAction before_{};
};

TEST(ProcessTest, EverySignalOfAChildIsAtItsDefault) {
  const Ignored hangup(SIGHUP), pipe(SIGPIPE), cancel(32), setxid(33), last(64);
  EXPECT_EQ(output_of("grep -E 'Sig(Ign|Blk)' /proc/self/status | tr -d '\\t'"),
            "SigBlk:0000000000000000\nSigIgn:0000000000000000");
}

TEST(ProcessTest, AChildHasOnlyTheEnvironmentThatWasGiven) {
  EXPECT_EQ(output_of("/usr/bin/env | grep -v -e ^PWD= -e ^_= -e ^SHLVL=", {.env = {{"ONE", "1"}}}), "ONE=1");
}

TEST(ProcessTest, AChildHasNoDescriptorOfOurs) {
  const Pipe leaky = make_pipe().take();
  const int inherited = ::dup(leaky.read.get());  // without close-on-exec, as a careless parent leaves them
  EXPECT_EQ(output_of("exec ls /proc/self/fd"), "0\n1\n2\n3") << "3 is the directory that ls reads";
  ::close(inherited);
}

TEST(ProcessTest, AProgramThatIgnoresTheTimeoutIsKilled) {
  const Cancel cancel;
  ProcessSpec spec{.argv = {"/bin/sh", "-c", "trap '' TERM; sleep 60 & wait; sleep 60"}};
  spec.timeout = Duration(100);
  spec.grace = Duration(100);
  const auto start = Clock::now();
  auto ran = run_process(spec, cancel, [](std::string_view, bool) {});
  ASSERT_TRUE(ran);
  EXPECT_TRUE(ran->timed_out);
  EXPECT_LT(ms_since(start), 20'000U);
}

TEST(ProcessTest, AGrandchildThatKeepsThePipeDoesNotHoldIt) {
  const auto start = Clock::now();
  EXPECT_EQ(output_of("echo done; sleep 30 &"), "done");
  EXPECT_LT(ms_since(start), 20'000U);
}

TEST(ProcessTest, TheDeathOfAChildIsItsExitCode) {
  const Cancel cancel;
  auto ran = run_process({.argv = {"/bin/sh", "-c", "kill -9 $$"}}, cancel, [](std::string_view, bool) {});
  ASSERT_TRUE(ran);
  EXPECT_EQ(ran->exit_code, 128 + SIGKILL);
}

TEST(CancelTest, WakesWhoSleepsAndWhoPolls) {
  Cancel cancel;
  EXPECT_TRUE(cancel.check());
  EXPECT_TRUE(cancel.sleep(Duration(1)));
  const std::jthread later([&] { cancel.cancel(); });
  EXPECT_FALSE(cancel.sleep(Duration(60'000)));
  pollfd waiting{cancel.fd(), POLLIN, 0};
  EXPECT_EQ(::poll(&waiting, 1, 0), 1);
  EXPECT_EQ(cancel.check().error().code(), Errc::interrupted);
}

class LockTest : public testing::Test {
 protected:
  TempDir dir = TempDir::create(testing::TempDir(), "lock").take();
  fs::path path = dir.path() / "lock";
};

TEST_F(LockTest, WhoWaitsIsToldWhoHoldsIt) {
  auto held = std::make_unique<LockFile>(*LockFile::try_lock(path, LockKind::exclusive).take());
  ASSERT_TRUE(held->note("pid 7"));
  const Cancel cancel;
  std::string told;
  auto mine = LockFile::lock(path, LockKind::exclusive, cancel, [&](const std::string& holder) {
    told = holder;
    held.reset();
  });
  EXPECT_TRUE(mine);
  EXPECT_EQ(told, "pid 7");
}

TEST_F(LockTest, WaitingEndsWhenCancelled) {
  const auto held = LockFile::try_lock(path, LockKind::exclusive).take();
  Cancel cancel;
  cancel.cancel();
  const auto mine = LockFile::lock(path, LockKind::shared, cancel);
  ASSERT_FALSE(mine);
  EXPECT_EQ(mine.error().code(), Errc::interrupted);
}

TEST_F(LockTest, SharedLocksStandTogether) {
  const auto first = LockFile::try_lock(path, LockKind::shared).take();
  EXPECT_TRUE(LockFile::try_lock(path, LockKind::shared).take());
  EXPECT_FALSE(LockFile::try_lock(path, LockKind::exclusive).take());
}

TEST(SinkTest, HashSinkPassesOnAndKnowsWhatPassed) {
  StringSink end;
  HashSink hashing(&end);
  ASSERT_TRUE(hashing.write("ab") && hashing.zeros(3) && hashing.write("c"));
  EXPECT_EQ(end.text, std::string("ab\0\0\0c", 6));
  EXPECT_EQ(hashing.bytes(), 6U);
  EXPECT_EQ(hashing.digest(), sha256(end.text));
}

TEST(SinkTest, LongRunsOfZerosArriveWhole) {
  StringSink end;
  ASSERT_TRUE(end.zeros(1'000'003));
  EXPECT_EQ(end.text, std::string(1'000'003, '\0'));
}

TEST_F(LockTest, ARangeOfAFileIsReadAndNoMore) {
  ASSERT_TRUE(write_file(path, "0123456789"));
  const Fd fd = open_read(path).take();
  FileRangeSource range(fd.get(), 3, 4), beyond(fd.get(), 8, 5);
  StringSink end;
  EXPECT_EQ(*copy_all(range, end), 4U);
  EXPECT_EQ(end.text, "3456");
  StringSink cut;
  EXPECT_FALSE(copy_all(beyond, cut)) << "a file that ends too early is an error";
}

TEST_F(LockTest, AFullDiskIsAnErrorOfItsOwnKind) {
  const Fd full(::open("/dev/full", O_WRONLY | O_CLOEXEC));
  FdSink sink(full.get());
  const auto wrote = sink.write("x");
  ASSERT_FALSE(wrote);
  EXPECT_EQ(wrote.error().code(), Errc::no_space);
}

}  // namespace
}  // namespace kiln
