// What is left after a kill, a power cut and a full disk, and what two processes do to each other.
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "store/fixture.h"
#include "store/space.h"

namespace kiln::store {
namespace {

TEST_F(StoreTest, ProcessesRacingForTheSameThingsAllGetThem) {
  std::vector<pid_t> children;
  children.reserve(4);
  for (int c = 0; c < 4; ++c) {
    children.push_back(start_child([&] {
      auto store = Store::open(root);  // the first opening is part of the race
      if (!store) return 1;
      for (int i = 0; i < 30; ++i) {
        const std::string text = std::to_string(i);
        const auto layer = add(*store, text);
        const auto blob = add_blob(*store, text);
        if (!layer || !blob) return 2;
        if (*read_file((*layer).tree / "f") != text || *read_file((*blob).path) != text) return 3;
        if (!store->put_result(sha256("k" + text), {sha256(text), {}, {}})) return 4;
        if (!*store->find_result(sha256("k" + text))) return 5;
      }
      return 0;
    }));
  }
  for (const pid_t pid : children) EXPECT_EQ(end_of(pid), 0);
  auto store = open();
  EXPECT_EQ(store.list()->size(), 30u);
  EXPECT_EQ(count("tmp") + count("trash") + count("leases"), 0u);
}

/// Starts a child that prepares something, waits until it says so, kills it.
template <class F>
void kill_after(F&& prepare) {
  Pipe pipe = make_pipe().take();
  const pid_t pid = start_child([&] {
    [[maybe_unused]] const auto kept = prepare();  // lives until the kill
    (void)write_full(pipe.write.get(), "x");
    for (;;) ::pause();
    return 0;
  });
  std::byte ready[1];
  ASSERT_EQ(*read_full(pipe.read.get(), ready), 1u);
  ::kill(pid, SIGKILL);
  EXPECT_EQ(end_of(pid), 128 + SIGKILL);
}

TEST_F(StoreTest, NextOpeningRemovesWhatAKilledProcessLeft) {
  open();
  kill_after([&] {
    auto store = Store::open(root).take();
    auto scratch = store.scratch("step").take();
    (void)make_dirs(scratch.path() / "work/work");  // as overlay leaves it
    (void)write_file(scratch.path() / "work" / "work" / "f", "x");
    (void)::chmod((scratch.path() / "work/work").c_str(), 0);
    auto writer = store.new_blob().take();
    (void)writer.write("half");
    (void)store.lease(sha256("x"));
    return std::tuple(std::move(store), std::move(scratch), std::move(writer));
  });
  EXPECT_GT(count("tmp"), 2u);
  open();
  EXPECT_EQ(count("tmp") + count("leases") + count("trash"), 0u);
}

TEST_F(StoreTest, KilledAtAnyMomentItStaysWhole) {
  std::srand(20);  // the moments differ by load; the seed only spreads them
  for (int round = 0; round < 30; ++round) {
    const pid_t pid = start_child([&] {
      for (int i = 0;; ++i) {
        auto store = Store::open(root).take();
        const std::string text = std::to_string(i % 7);
        if (!add(store, text) || !add_blob(store, text)) return 1;
        const Cancel cancel;
        if (i % 5 == 4 && !Store::open(root).take().collect_garbage({}, cancel)) return 2;
      }
    });
    ::usleep(static_cast<useconds_t>(1000 + std::rand() % 20'000));
    ::kill(pid, SIGKILL);
    EXPECT_EQ(end_of(pid), 128 + SIGKILL);
    {
      auto store = open();
      for (const LayerUse& use : store.list().take()) EXPECT_EQ(sha256_file(use.layer.tree / "f").take(), use.layer.id);
      const Cancel cancel;
      EXPECT_TRUE(store.verify([](const Layer& l) { return sha256_file(l.tree / "f"); }, cancel)->empty());
    }
    EXPECT_EQ(count("tmp") + count("trash") + count("leases"), 0u);
  }
}

TEST_F(StoreTest, NextOpeningLeavesWhatALivingProcessHas) {
  auto store = open();
  const auto scratch = store.scratch("step").take();
  ASSERT_TRUE(write_file(scratch.path() / "f", "x"));
  EXPECT_EQ(end_of(start_child([&] { return Store::open(root) ? 0 : 1; })), 0);
  EXPECT_EQ(*read_file(scratch.path() / "f"), "x");
}

TEST_F(StoreTest, NextOpeningFinishesWhatWasInTrash) {
  open();
  ASSERT_TRUE(make_dirs(root / "trash/layer/tree"));
  open();
  EXPECT_EQ(count("trash"), 0u);
}

TEST_F(StoreTest, WhatEarlierBootsDidNotSyncIsGone) {
  {
    auto store = open();
    ASSERT_TRUE(add(store, "one") && add_blob(store, "two"));
    ASSERT_TRUE(store.put_result(sha256("key"), {sha256("one"), {}, {}}));
  }
  age_boot("layers/" + sha256("one").hex() + "/meta.json");
  age_boot(fmt::format("blobs/{}/{}.json", sha256("two").hex().substr(0, 2), sha256("two").hex()));
  age_boot("results/" + sha256("key").hex() + ".json");
  auto store = open();
  EXPECT_FALSE(*store.find_layer(sha256("one")));
  EXPECT_FALSE(*store.find_blob(sha256("two")));
  EXPECT_FALSE(*store.find_result(sha256("key")));
  EXPECT_EQ(count("layers") + count("trash"), 0u);
  ASSERT_TRUE(add(store, "one") && add_blob(store, "two"));
  EXPECT_TRUE(*store.find_layer(sha256("one")));
}

TEST_F(StoreTest, WhatEarlierBootsSyncedStays) {
  {
    auto store = open();
    ASSERT_TRUE(add(store, "one"));
    ASSERT_TRUE(store.make_durable());
    ASSERT_TRUE(add(store, "late"));
  }
  for (const char* text : {"one", "late"}) age_boot("layers/" + sha256(text).hex() + "/meta.json", "old");
  for (const auto& mark : fs::directory_iterator(root / "durable")) fs::rename(mark, root / "durable/old");
  auto store = open();
  EXPECT_TRUE(*store.find_layer(sha256("one")));
  EXPECT_FALSE(*store.find_layer(sha256("late")));
}

TEST_F(StoreTest, LayerOfAnEarlierBootIsReplacedWithoutASweep) {
  auto store = open();
  ASSERT_TRUE(add(store, "one"));
  age_boot("layers/" + sha256("one").hex() + "/meta.json");
  const fs::path file = root / "layers" / sha256("one").hex() / "tree/f";
  ASSERT_TRUE(write_file_quick(file, std::string(3, '\0')));
  ASSERT_TRUE(add(store, "one"));
  EXPECT_EQ(*read_file(file), "one");
}

TEST_F(StoreTest, NothingIsMarkedAfterTheDiskLostData) {
  auto store = open();
  ASSERT_TRUE(add(store, "one"));
  const auto boot = parse_json(*read_file(root / "layers" / sha256("one").hex() / "meta.json")).take()["boot"];
  ASSERT_TRUE(write_file(root / "durable" / (boot.get<std::string>() + ".failed"), ""));
  EXPECT_EQ(store.make_durable().error().code(), Errc::io);
  EXPECT_FALSE(fs::exists(root / "durable" / boot.get<std::string>()));
}

/// Runs f with a tiny tmpfs at the store's root in a mount namespace of its own. 77: not permitted.
template <class F>
int with_tiny_disk(const fs::path& root, const char* options, F&& f) {
  return end_of(start_child([&] {
    if (::unshare(CLONE_NEWNS) != 0 || ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) return 77;
    if (!make_dirs(root) || ::mount("tiny", root.c_str(), "tmpfs", 0, options) != 0) return 77;
    return f();
  }));
}

TEST_F(StoreTest, FullDiskIsSaidAndTheStoreWorksOnceThereIsRoom) {
  const int code = with_tiny_disk(root, "size=1m", [&] {
    auto store = Store::open(root);
    if (!store || !add(*store, "before")) return 1;
    {
      auto writer = store->new_blob();
      Result<> full;
      const std::string chunk(64 << 10, 'x');
      for (int i = 0; i < 32 && full; ++i) full = writer->write(chunk);
      if (full || full.error().code() != Errc::no_space) return 2;
      if (full.error().text().find("no space left for " + root.native()) == std::string::npos) return 3;
      while (writer->write("x")) continue;  // to the last byte
      auto other = Store::open(root);       // even now what is there is found, without room for a lease
      if (!other || !*other->find_layer(sha256("before"))) return 4;
      const auto refused = add(*store, std::string(8192, 'y'));
      if (refused || refused.error().code() != Errc::no_space) return 5;
    }
    if (!add(*store, "after") || !add_blob(*store, "after")) return 6;
    auto again = Store::open(root);
    return again && *again->find_layer(sha256("before")) ? 0 : 7;
  });
  if (code == 77) GTEST_SKIP() << "mounting is not permitted here";
  EXPECT_EQ(code, 0);
}

TEST_F(StoreTest, MissingInodesAreSaid) {
  const int code = with_tiny_disk(root, "size=10m,nr_inodes=40", [&] {
    auto store = Store::open(root);
    if (!store) return 1;
    Result<> last;
    for (int i = 0; i < 40 && last; ++i) last = store->write_record("kind", std::to_string(i), i);
    if (last || last.error().code() != Errc::no_space) return 2;
    if (last.error().text().find("no inode left for " + root.native()) == std::string::npos) return 3;
    return Store::open(root) ? 0 : 4;
  });
  if (code == 77) GTEST_SKIP() << "mounting is not permitted here";
  EXPECT_EQ(code, 0);
}

TEST_F(StoreTest, StoreOnAnOverlayNamesTheVariable) {
  const int code = with_tiny_disk(dir.path() / "disk", "size=1m", [&] {
    const fs::path disk = dir.path() / "disk";
    for (const char* name : {"lower", "upper", "work", "merged"}) fs::create_directory(disk / name);
    const auto options = fmt::format("lowerdir={0}/lower,upperdir={0}/upper,workdir={0}/work", disk);
    if (::mount("overlay", (disk / "merged").c_str(), "overlay", 0, options.c_str()) != 0) return 77;
    const auto refused = Store::open(disk / "merged/store");
    return !refused && refused.error().text().find("KILN_STORE") != std::string::npos ? 0 : 1;
  });
  if (code == 77) GTEST_SKIP() << "mounting is not permitted here";
  EXPECT_EQ(code, 0);
}

TEST_F(StoreTest, SweepDoesNotEnterMounts) {
  open();
  const fs::path mine = dir.path() / "mine";
  ASSERT_TRUE(make_dirs(mine) && write_file(mine / "precious", "x"));
  const int code = with_tiny_disk(dir.path() / "disk", "size=1m", [&] {
    fs::create_directories(root / "tmp/dead/bound");
    if (::mount(mine.c_str(), (root / "tmp/dead/bound").c_str(), nullptr, MS_BIND, nullptr) != 0) return 77;
    return Store::open(root) && fs::exists(mine / "precious") ? 0 : 1;
  });
  if (code == 77) GTEST_SKIP() << "mounting is not permitted here";
  EXPECT_EQ(code, 0);
  open();
  EXPECT_EQ(count("tmp"), 0u);
}

TEST(SpaceTest, NamesThePathAndPassesOtherErrors) {
  const auto full = with_space(Result<>(errno_error(ENOSPC, "write f")), "/proc/none/such");
  EXPECT_NE(full.error().text().find("/proc/none/such"), std::string::npos) << full.error().text();
  EXPECT_EQ(with_space(Result<>(errno_error(EIO, "write f")), "/").error().frames().size(), 1u);
  EXPECT_EQ(*with_space(Result<int>(3), "/"), 3);
}

}  // namespace
}  // namespace kiln::store
