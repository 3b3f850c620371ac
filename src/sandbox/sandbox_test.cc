// Real steps over a small tree: what they see, what holds them, how they end.
#include "sandbox/sandbox.h"

#include "sandbox/test_tree.h"

namespace kiln::sandbox {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

class StepTest : public testing::Test {
 protected:
  void SetUp() override {
    if (const std::string why = no_steps_because(); !why.empty()) GTEST_SKIP() << why;
    fill_busybox(base);
  }
  /// The first line that a script prints.
  std::string first_line(const std::string& script) {
    TestStep step({base.path()}, script);
    must(step.run());
    return step.out.empty() ? "" : step.out.front();
  }
  Tree base;
};

TEST_F(StepTest, ReportsExitCodeAndBothStreams) {
  TestStep step({base.path()}, "echo one; echo two >&2; exit 3");
  const RunResult result = must(step.run());
  EXPECT_EQ(result.exit_code, 3);
  EXPECT_THAT(step.out, ElementsAre("one"));
  EXPECT_THAT(step.err, ElementsAre("two"));
}

}  // namespace
}  // namespace kiln::sandbox
