#include "store/store.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <thread>

#include "store/fixture.h"
#include "store/home.h"

namespace kiln::store {
namespace {

TEST_F(StoreTest, IsPrivateWhateverTheUmask) {
  const mode_t before = ::umask(0);
  open();
  ::umask(before);
  EXPECT_EQ(fs::status(root).permissions(), fs::perms::owner_all);
  fs::permissions(root, fs::perms(0755));
  open();
  EXPECT_EQ(fs::status(root).permissions(), fs::perms::owner_all);
}

TEST_F(StoreTest, RefusesANewerFormat) {
  open();
  ASSERT_TRUE(write_file(root / "format", "kiln store 2\n"));
  const auto refused = Store::open(root);
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().text().find("format 2"), std::string::npos) << refused.error().text();
  EXPECT_NE(refused.error().text().find("KILN_STORE"), std::string::npos);
}

TEST_F(StoreTest, RefusesADirectoryThatHoldsOtherThings) {
  ASSERT_TRUE(make_dirs(root / "photos"));
  const auto refused = Store::open(root);
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().text().find("photos"), std::string::npos);
  EXPECT_EQ(count("."), 1u);
}

TEST_F(StoreTest, RefusesAnUnreadableFormatAndAFileForARoot) {
  open();
  ASSERT_TRUE(write_file(root / "format", "something"));
  EXPECT_EQ(Store::open(root).error().code(), Errc::corrupt);
  EXPECT_FALSE(Store::open(root / "format"));
  EXPECT_FALSE(Store::open(""));
}

TEST(HomeTest, NamesFileSystemsThatHoldNoLayers) {
  EXPECT_NE(unfit_file_system(0x794c7630), "");  // overlayfs
  EXPECT_NE(unfit_file_system(0x6969), "");      // NFS
  EXPECT_EQ(unfit_file_system(0xef53), "");      // ext4
}

TEST_F(StoreTest, FindsLayerAfterReopening) {
  {
    auto store = open();
    ASSERT_TRUE(add(store, "one"));
  }
  auto store = open();
  const auto layer = *store.find_layer(sha256("one"));
  ASSERT_TRUE(layer);
  EXPECT_EQ(*read_file(layer->tree / "f"), "one");
  EXPECT_EQ(layer->tar_bytes, 3u);
  EXPECT_EQ(layer->entries, 1u);
  EXPECT_FALSE(layer->foreign);
  EXPECT_FALSE(*store.find_layer(sha256("two")));
}

TEST_F(StoreTest, SecondLayerWithTheSameIdIsDropped) {
  auto store = open();
  const fs::path tree = (*add(store, "one")).tree;
  const auto scratch = store.scratch("again").take();
  ASSERT_TRUE(make_dirs(scratch.path() / "upper"));
  Layer same;
  same.id = sha256("one");
  ASSERT_TRUE(store.add_layer(scratch.path() / "upper", same, "again"));
  EXPECT_FALSE(fs::exists(scratch.path() / "upper"));
  EXPECT_EQ(*read_file(tree / "f"), "one");
}

TEST_F(StoreTest, LayerKeepsThatItIsForeign) {
  auto store = open();
  const auto scratch = store.scratch("import").take();
  ASSERT_TRUE(make_dirs(scratch.path() / "tree"));
  Layer layer;
  layer.id = sha256("x");
  layer.foreign = true;
  ASSERT_TRUE(store.add_layer(scratch.path() / "tree", layer, ""));
  EXPECT_TRUE((*store.find_layer(layer.id))->foreign);
}

TEST_F(StoreTest, FailedAddLeavesTheTreeWhereItWas) {
  auto store = open();
  const auto scratch = store.scratch("x").take();
  Layer layer;
  layer.id = sha256("x");
  EXPECT_EQ(store.add_layer(scratch.path() / "missing", layer, "").error().code(), Errc::not_found);
  EXPECT_EQ(count("layers"), 0u);
}

TEST_F(StoreTest, ResultsAndAliasesComeBack) {
  auto store = open();
  const StepResult made{sha256("layer"), sha256("volatile"), Json{{"warnings", 2}}};
  ASSERT_TRUE(store.put_result(sha256("key"), made));
  const auto found = *store.find_result(sha256("key"));
  ASSERT_TRUE(found);
  EXPECT_EQ(found->layer, made.layer);
  EXPECT_EQ(found->volatile_layer, made.volatile_layer);
  EXPECT_EQ(found->facts, made.facts);
  EXPECT_FALSE(*store.find_result(sha256("other")));
  EXPECT_FALSE(store.has_alias(sha256("text")));
  ASSERT_TRUE(store.put_alias(sha256("text"), sha256("parents"), {sha256("layer"), {}, {}}));
  EXPECT_TRUE(store.has_alias(sha256("text")));
  EXPECT_TRUE((*store.find_alias(sha256("text"), sha256("parents")))->volatile_layer.empty());
  EXPECT_FALSE(*store.find_alias(sha256("text"), sha256("others")));
}

TEST_F(StoreTest, ResultOutlivesItsLayer) {
  auto store = open();
  ASSERT_TRUE(store.put_result(sha256("key"), {sha256("gone"), {}, {}}));
  EXPECT_FALSE(*store.find_layer(sha256("gone")));
  EXPECT_EQ((*store.find_result(sha256("key")))->layer, sha256("gone"));
}

TEST_F(StoreTest, DamagedSmallFileIsAbsent) {
  auto store = open();
  ASSERT_TRUE(store.put_result(sha256("key"), {sha256("layer"), {}, {}}));
  const fs::path file = root / "results" / (sha256("key").hex() + ".json");
  for (const std::string& damage :
       {std::string(), std::string(100, '\0'), read_file(file)->substr(0, 50), std::string("{}"), std::string("[1]")}) {
    ASSERT_TRUE(write_file_quick(file, damage));
    EXPECT_FALSE(*store.find_result(sha256("key"))) << damage;
  }
}

TEST_F(StoreTest, RecordsAreKeptByKindAndName) {
  auto store = open();
  ASSERT_TRUE(store.write_record("pin", "debian_bookworm", "sha256:1"));
  ASSERT_TRUE(store.write_record("pin", "debian_bookworm", "sha256:2"));
  EXPECT_EQ(**store.read_record("pin", "debian_bookworm"), "sha256:2");
  EXPECT_FALSE(*store.read_record("pin", "other"));
  for (const char* bad : {"", ".", "..", "a/b", "../x", ".hidden", "ü"}) {
    EXPECT_EQ(store.write_record("pin", bad, 1).error().code(), Errc::usage) << bad;
    EXPECT_EQ(store.read_record(bad, "x").error().code(), Errc::usage) << bad;
  }
  EXPECT_TRUE(store.write_record("pin", std::string(128, 'a'), 1));
  EXPECT_FALSE(store.write_record("pin", std::string(129, 'a'), 1));
}

TEST_F(StoreTest, BlobIsNamedByItsContentAndReadOnly) {
  auto store = open();
  const auto blob = add_blob(store, "content");
  ASSERT_TRUE(blob) << blob.error().text();
  EXPECT_EQ((*blob).digest, sha256("content"));
  EXPECT_EQ((*blob).bytes, 7u);
  EXPECT_EQ(fs::status((*blob).path).permissions(), fs::perms(0444));
  EXPECT_EQ(*read_file((*store.find_blob(sha256("content")))->path), "content");
  EXPECT_FALSE(*store.find_blob(sha256("other")));
}

TEST_F(StoreTest, BlobWithANameWorksTheSame) {
  auto store = open();
  const std::size_t before = count("tmp");
  {
    auto dropped = BlobWriter::named(root / "tmp").take();
    ASSERT_TRUE(dropped.write("half"));
    EXPECT_EQ(count("tmp"), before + 1);
  }
  EXPECT_EQ(count("tmp"), before);
  auto writer = BlobWriter::named(root / "tmp").take();
  ASSERT_TRUE(writer.write("content"));
  ASSERT_TRUE(store.commit(std::move(writer)));
  EXPECT_EQ(*read_file((*store.find_blob(sha256("content")))->path), "content");
}

TEST_F(StoreTest, BlobThatLostItsEndIsAbsentAndWrittenAgain) {
  auto store = open();
  const fs::path path = (*add_blob(store, "content")).path;
  fs::permissions(path, fs::perms(0600));
  fs::resize_file(path, 3);
  EXPECT_FALSE(*store.find_blob(sha256("content")));
  ASSERT_TRUE(add_blob(store, "content"));
  EXPECT_EQ(*read_file(path), "content");
}

TEST_F(StoreTest, DroppedWritersAndClosedStoresLeaveNothing) {
  {
    auto store = open();
    auto writer = store.new_blob().take();
    ASSERT_TRUE(writer.write("half") && store.write_record("a", "b", 1) && store.lease(sha256("x")));
    const auto scratch = store.scratch("name/with spaces").take();
    ASSERT_TRUE(write_file(scratch.path() / "f", "x"));
  }
  EXPECT_EQ(count("tmp") + count("trash") + count("leases") + count("blobs"), 0u);
}

TEST_F(StoreTest, ScratchIsRemovedBehindTheScenesAndNotTakenForDead) {
  auto store = open();
  fs::path path;
  {
    const auto scratch = store.scratch("step").take();
    path = scratch.path();
    for (int i = 0; i < 500; ++i) ASSERT_TRUE(write_file_quick(path / std::to_string(i), "x"));
  }
  auto other = open();  // sweeps what is dead only; the rest is on its way
  for (int i = 0; i < 1000 && fs::exists(path); ++i) std::this_thread::sleep_for(std::chrono::milliseconds(10));
  EXPECT_FALSE(fs::exists(path));
}

TEST_F(StoreTest, DirectoriesStayBelowTheStore) {
  auto store = open();
  EXPECT_EQ(*store.directory("cache/apt"), root / "dirs/cache/apt");
  EXPECT_TRUE(fs::is_directory(root / "dirs/cache/apt"));
  for (const char* bad : {"", "..", "a/../b", "/etc", "a//b"}) EXPECT_FALSE(store.directory(bad)) << bad;
}

TEST_F(StoreTest, KeyLockKeepsOthersOutAndSaysWhoHoldsIt) {
  auto store = open();
  auto other = open();
  Cancel cancel;
  auto held = std::make_optional(store.lock_key(sha256("k"), cancel).take());
  std::string holder;
  std::thread release;
  const auto on_wait = [&](const std::string& note) {
    holder = note;
    release = std::thread([&] { held.reset(); });
  };
  EXPECT_TRUE(other.lock_key(sha256("k"), cancel, on_wait));
  release.join();
  EXPECT_EQ(holder, fmt::format("process {}", ::getpid()));
}

TEST_F(StoreTest, ManyThreadsUseOneStore) {
  auto store = open();
  std::atomic<int> failures{0};
  std::vector<std::thread> threads;
  threads.reserve(4);
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 20; ++i) {
        if (!add(store, std::to_string(i)) || !add_blob(store, std::to_string(i))) ++failures;
        if (!*store.find_layer(sha256(std::to_string(i))) || !store.file_digest("/proc/self/exe")) ++failures;
      }
    });
  }
  for (std::thread& t : threads) t.join();
  EXPECT_EQ(failures, 0);
  EXPECT_EQ(store.list()->size(), 20u);
}

}  // namespace
}  // namespace kiln::store
