// The set-up as data: what is done, in which order. No privileges needed.
#include "sandbox/setup.h"

#include <sys/mount.h>

#include "sandbox/test_tree.h"

namespace kiln::sandbox {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::Not;

RunSpec plain() {
  RunSpec spec;
  spec.lowers = {"/old", "/new"};
  spec.scratch = "/s";
  spec.action = Exec{.argv = {"/bin/true"}};
  return spec;
}

template <class Op>
std::vector<Op> only(const std::vector<SetupOp>& ops) {
  std::vector<Op> found;
  for (const SetupOp& op : ops) {
    if (const Op* one = std::get_if<Op>(&op)) found.push_back(*one);
  }
  return found;
}

std::size_t index_of(const std::vector<SetupOp>& ops, const SetupOp& op) {
  return static_cast<std::size_t>(std::find(ops.begin(), ops.end(), op) - ops.begin());
}

TEST(SetupTest, RootIsAnOverlayNewestFirstBelowTheStubs) {
  const auto ops = plan_setup(plain(), {});
  EXPECT_EQ(ops.front(), SetupOp(Overlay{.target = "",
                                         .mount = "/s/upper",
                                         .upper = "/s/upper",
                                         .work = "/s/work",
                                         .lowers = {"/s/stub", "/new", "/old"}}));
}

TEST(SetupTest, ProcIsMaskedBeforeThePivot) {
  const auto ops = plan_setup(plain(), {});
  for (const char* path : {"acpi", "asound", "kcore", "keys", "latency_stats", "sched_debug", "scsi", "timer_list",
                           "timer_stats", "kallsyms", "kmsg"}) {
    EXPECT_LT(index_of(ops, Proc{"proc"}), index_of(ops, Mask{path})) << path;
    EXPECT_LT(index_of(ops, Mask{path}), index_of(ops, Pivot{})) << path;
  }
  EXPECT_EQ(only<ReadOnly>(ops), (std::vector<ReadOnly>{{"sys"}, {"bus"}, {"fs"}, {"irq"}, {"sysrq-trigger"}}));
}

TEST(SetupTest, DevHasTheSixNodesAndNothingElseOfTheHost) {
  const auto ops = plan_setup(plain(), {});
  std::vector<std::string> nodes;
  for (const Device& node : only<Device>(ops))
    nodes.push_back(fmt::format("{} {}:{}", node.target, node.major, node.minor));
  EXPECT_THAT(nodes, ElementsAre("dev/null 1:3", "dev/zero 1:5", "dev/full 1:7", "dev/random 1:8", "dev/urandom 1:9",
                                 "dev/tty 5:0"));
  EXPECT_TRUE(only<BindMount>(ops).empty());
}

TEST(SetupTest, SysIsNotMounted) {
  for (const Tmpfs& mount : only<Tmpfs>(plan_setup(plain(), {}))) EXPECT_NE(mount.target, "sys");
}

TEST(SetupTest, CachesAreOverlaysOfTheirOwn) {
  RunSpec spec = plain();
  spec.caches = {{"/cache/apt", "/var/cache/apt/archives"}};
  const auto ops = plan_setup(spec, {.caches = {"var/cache/apt/archives"}});
  EXPECT_THAT(ops, Contains(SetupOp(Overlay{.target = "var/cache/apt/archives",
                                            .upper = "/s/cache0",
                                            .work = "/s/cache0-work",
                                            .lowers = {"/cache/apt"}})));
}

TEST(SetupTest, ScriptsAreWrittenBeforeThePivotAndRemovedAtTheEnd) {
  RunSpec spec = plain();
  spec.scripts = {{"/tmp/script.sh", "x", 0755}};
  const auto ops = plan_setup(spec, {});
  EXPECT_LT(index_of(ops, WriteFile{"tmp/script.sh", "x", 0755, true}), index_of(ops, Pivot{}));
}

TEST(SetupTest, StubsBelowRunKilnAreFilesOfTheTmpfs) {
  RunSpec spec = plain();
  spec.stubs = {{"/run/kiln/a/b", "x", 0600}, {"/etc/hosts", "y"}};
  const auto ops = plan_setup(spec, {});
  EXPECT_LT(index_of(ops, MakeDir{"run/kiln/a"}), index_of(ops, WriteFile{"run/kiln/a/b", "x", 0600}));
  EXPECT_EQ(only<WriteFile>(ops).size(), 1U);
}

TEST(SetupTest, LoopbackComesUpInANetworkOfItsOwnOnly) {
  RunSpec spec = plain();
  EXPECT_THAT(plan_setup(spec, {}), Not(Contains(SetupOp(Loopback{}))));
  spec.network = Network::none;
  EXPECT_THAT(plan_setup(spec, {}), Contains(SetupOp(Loopback{})));
}

TEST(SetupTest, SourcesOfTheHostAreOpenedBeforeThePivot) {
  RunSpec spec = plain();
  spec.action = std::vector<Upload>{{"/host/a", "/b"}};
  const auto ops = plan_setup(spec, {});
  EXPECT_LT(index_of(ops, HostSource{"/host/a"}), index_of(ops, Pivot{}));
}

TEST(SetupTest, EncodingIsAFunctionOfTheSpec) {
  const auto text = [](const RunSpec& spec) { return encode(plan_setup(spec, {}), spec, {}, "filter", false); };
  RunSpec other = plain();
  other.env["A"] = "1";
  EXPECT_EQ(text(plain()), text(plain()));
  EXPECT_NE(text(plain()), text(other));
}

}  // namespace
}  // namespace kiln::sandbox
