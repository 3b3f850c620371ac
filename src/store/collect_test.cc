#include "store/collect.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <thread>

#include "store/fixture.h"

namespace kiln::store {
namespace {

constexpr std::int64_t kHour = 3600;

std::string meta_of(const std::string& text) {
  return "layers/" + sha256(text).hex() + "/meta.json";
}

/// Three layers of some size, unused for 1, 2 and 3 hours, in a store that nobody has open.
class CollectTest : public StoreTest {
 protected:
  CollectTest() {
    auto store = open();
    for (std::int64_t hours : {1, 2, 3}) {
      EXPECT_TRUE(add(store, name(hours)));
      age_use(meta_of(name(hours)), hours * kHour);
    }
  }
  static std::string name(std::int64_t hours) { return std::string(static_cast<std::size_t>(100'000 * hours), 'x'); }
  bool has(std::int64_t hours) const { return fs::exists(root / meta_of(name(hours))); }
  GcReport collect(const GcOptions& options) {
    auto collected = open().collect_garbage(options, cancel);
    EXPECT_TRUE(collected) << collected.error().text();
    return std::move(collected).take();
  }
  Cancel cancel;
};

TEST_F(CollectTest, WithoutAGoalEverythingUnusedGoes) {
  {
    auto store = open();
    ASSERT_TRUE(add_blob(store, "b") && store.put_result(sha256("k"), {sha256("l"), {}, {}}));
    ASSERT_TRUE(store.put_alias(sha256("d"), sha256("p"), {sha256("l"), {}, {}}) &&
                store.write_record("a", std::string(128, 'b'), 1));
    ASSERT_TRUE(store.lock_key(sha256("k"), cancel));
  }
  const GcReport report = collect({});
  EXPECT_EQ(report.removed.size(), 7u);
  EXPECT_EQ(report.kept_bytes, 0u);
  EXPECT_GT(report.freed_bytes, 600'000u);
  for (const char* empty : {"layers", "blobs", "results", "aliases", "records", "trash"}) EXPECT_EQ(count(empty), 0u);
  EXPECT_EQ(count("locks"), 2u);  // gc and trash stay
}

TEST_F(CollectTest, WhatALivingProcessUsesStays) {
  auto builder = open();
  ASSERT_TRUE(*builder.find_layer(sha256(name(3))));
  ASSERT_TRUE(builder.lease(sha256(name(2))));
  ASSERT_TRUE(add(builder, "new") && add_blob(builder, "blob"));
  age_use(meta_of(name(3)), 9 * kHour);
  EXPECT_EQ(collect({}).removed.size(), 1u);
  EXPECT_TRUE(has(3) && has(2) && !has(1));
  EXPECT_TRUE(*builder.find_layer(sha256("new")));
  EXPECT_TRUE(*builder.find_blob(sha256("blob")));
}

TEST_F(CollectTest, LeaseOfADeadProcessHoldsNothing) {
  EXPECT_EQ(end_of(start_child([&] {
              auto store = Store::open(root).take();
              const bool found = (*store.find_layer(sha256(name(1)))).has_value();
              ::_exit(found ? 7 : 1);  // as killed: no destructor runs
              return 0;
            })),
            7);
  EXPECT_EQ(count("leases"), 1u);
  EXPECT_EQ(collect({}).removed.size(), 3u);
  EXPECT_EQ(count("leases"), 0u);
}

TEST_F(CollectTest, AgeLimitKeepsWhatIsYounger) {
  const GcReport report = collect({.older_than = 2 * kHour});
  EXPECT_EQ(report.removed.size(), 2u);
  EXPECT_TRUE(has(1) && !has(2) && !has(3));
}

TEST_F(CollectTest, SizeGoalRemovesTheLongestUnusedFirst) {
  const GcReport report = collect({.keep_bytes = 350'000});
  EXPECT_EQ(report.removed.size(), 1u);
  EXPECT_TRUE(has(1) && has(2) && !has(3));
  EXPECT_LE(report.kept_bytes, 350'000u);
}

TEST_F(CollectTest, SizeGoalSparesTheLastHourAndSmallFiles) {
  age_use(meta_of(name(1)), 10);
  {
    auto store = open();
    ASSERT_TRUE(store.put_result(sha256("k"), {sha256("l"), {}, {}}));
  }
  age_use("results/" + sha256("k").hex() + ".json", 24 * kHour);
  EXPECT_EQ(collect({.keep_bytes = 1}).removed.size(), 2u);
  EXPECT_TRUE(has(1));
  EXPECT_TRUE(*open().find_result(sha256("k")));
}

TEST_F(CollectTest, FindingIsUse) {
  EXPECT_TRUE(*open().find_layer(sha256(name(3))));
  collect({.older_than = kHour - 60});
  EXPECT_TRUE(has(3) && !has(2) && !has(1));
}

TEST_F(CollectTest, DryRunSaysTheSameAndRemovesNothing) {
  const GcReport dry = collect({.older_than = 2 * kHour, .dry_run = true});
  EXPECT_TRUE(has(1) && has(2) && has(3));
  const GcReport wet = collect({.older_than = 2 * kHour});
  EXPECT_EQ(dry.removed, wet.removed);
  EXPECT_EQ(dry.freed_bytes, wet.freed_bytes);
  EXPECT_EQ(dry.kept_bytes, wet.kept_bytes);
}

TEST_F(CollectTest, WhatIsUsedBetweenSeeingAndRemovingStays) {
  const Home home = open_home(root).take();
  Entries entries(home);
  const auto items = see_layers(home, entries, Measure::yes).take();
  const auto chosen = choose(items, {}, {}, unix_now());
  ASSERT_EQ(chosen.size(), 3u);
  EXPECT_TRUE(*open().find_layer(sha256(name(2))));  // by a process that is gone again
  EXPECT_EQ(discard(entries, home, items, chosen)->size(), 2u);
  EXPECT_TRUE(has(2) && !has(1) && !has(3));
}

TEST_F(CollectTest, BuilderWaitsForARunningCollector) {
  auto gate = LockFile::lock(root / "locks/gc", LockKind::exclusive, cancel).take();
  auto builder = open();
  std::atomic<bool> leased{false};
  std::thread thread([&] {
    EXPECT_TRUE(builder.lease(sha256("x")));
    leased = true;
  });
  while (count("leases") == 0) std::this_thread::yield();
  EXPECT_FALSE(leased);
  { const LockFile done = std::move(gate); }
  thread.join();
  EXPECT_TRUE(leased);
}

TEST_F(CollectTest, StaleLayersGoWhateverTheirAge) {
  auto store = open();
  ASSERT_TRUE(add(store, "young") && add(store, "other"));
  age_boot(meta_of("other"));
  auto collector = std::move(store);
  ASSERT_TRUE(collector.collect_garbage({.older_than = 9 * kHour}, cancel));
  EXPECT_TRUE(has(1) && has(2) && has(3) && fs::exists(root / meta_of("young")));
}

TEST_F(CollectTest, CancelledCollectionRemovesNothing) {
  cancel.cancel();
  EXPECT_EQ(open().collect_garbage({}, cancel).error().code(), Errc::interrupted);
  EXPECT_TRUE(has(1) && has(2) && has(3));
}

TEST_F(CollectTest, ListTellsOfLayers) {
  const auto uses = open().list().take();
  ASSERT_EQ(uses.size(), 3u);
  for (const LayerUse& use : uses) {
    EXPECT_EQ(use.label, "label of " + read_file(use.layer.tree / "f").take().substr(0, 9));
    EXPECT_GE(use.disk_bytes, use.layer.tar_bytes);
    EXPECT_NEAR(static_cast<double>(unix_now() - use.last_used), static_cast<double>(use.layer.tar_bytes) * 0.036, 60);
  }
}

TEST_F(StoreTest, HardLinksCountOnce) {
  ASSERT_TRUE(make_dirs(dir.path() / "t/sub") && write_file(dir.path() / "t/a", std::string(50'000, 'x')));
  const auto before = disk_bytes(dir.path() / "t").take();
  fs::create_hard_link(dir.path() / "t/a", dir.path() / "t/sub/b");
  EXPECT_EQ(*disk_bytes(dir.path() / "t"), before);
}

TEST_F(StoreTest, VerifyFindsWhatIsDamaged) {
  auto store = open();
  ASSERT_TRUE(add(store, "good") && add(store, "bad") && add_blob(store, "good") && add_blob(store, "bad"));
  const fs::path blob = (*store.find_blob(sha256("bad")))->path;
  fs::permissions(blob, fs::perms(0600));
  ASSERT_TRUE(write_file(blob, "BAD"));
  ASSERT_TRUE(write_file((*store.find_layer(sha256("bad")))->tree / "f", "BAD"));
  const auto content = [](const Layer& layer) { return sha256_file(layer.tree / "f"); };
  const Cancel cancel;
  const auto damaged = store.verify(content, cancel).take();
  ASSERT_EQ(damaged.size(), 2u);
  EXPECT_NE(damaged[0].find("blob " + sha256("bad").brief()), std::string::npos) << damaged[0];
  EXPECT_NE(damaged[1].find("layer " + sha256("bad").brief()), std::string::npos) << damaged[1];
  EXPECT_FALSE(*store.find_blob(sha256("bad")));
  EXPECT_FALSE(*store.find_layer(sha256("bad")));
  EXPECT_TRUE(*store.find_blob(sha256("good")) && *store.find_layer(sha256("good")));
  EXPECT_TRUE(store.verify(content, cancel)->empty());
}

TEST_F(StoreTest, VerifyStopsAtErrorsThatSayNothingOfTheLayer) {
  auto store = open();
  ASSERT_TRUE(add(store, "one"));
  const Cancel cancel;
  const auto stopped = store.verify([](const Layer&) -> Result<Digest> { return error(Errc::denied, "no"); }, cancel);
  EXPECT_EQ(stopped.error().code(), Errc::denied);
  EXPECT_TRUE(*store.find_layer(sha256("one")));
}

}  // namespace
}  // namespace kiln::store
