#include "cli/args.h"

#include <gmock/gmock.h>

#include "base/text.h"
#include "cli/cli.h"
#include "cli/help.h"
#include "cli/session.h"

namespace kiln::cli {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Pair;

Args parse(std::vector<std::string> argv) {
  auto args = parse_args(std::move(argv));
  if (!args) ADD_FAILURE() << args.error().text();
  return args ? std::move(args).take() : Args();
}

TEST(ArgsTest, GoFlagsAndLongFlagsAreTheSame) {
  for (const char* dash : {"-", "--"}) {
    const std::string d = dash;
    const Args args = parse({"build", d + "only=a,b", d + "var", "x=1", d + "var=y=2=3", d + "force", "t.pkr.hcl"});
    EXPECT_EQ(args.command, "build");
    EXPECT_EQ(args.template_path, "t.pkr.hcl");
    EXPECT_THAT(args.only, ElementsAre("a", "b"));
    EXPECT_THAT(args.vars, ElementsAre(Pair("x", "1"), Pair("y", "2=3")));
    EXPECT_TRUE(args.force);
  }
}

TEST(ArgsTest, ValuesMayLookLikeFlags) {
  EXPECT_THAT(parse({"build", "-var", "x=-5", "t"}).vars, ElementsAre(Pair("x", "-5")));
  EXPECT_THAT(parse({"build", "-var=x=-var", "t"}).vars, ElementsAre(Pair("x", "-var")));
}

TEST(ArgsTest, BooleansTakeAValueAsInGo) {
  EXPECT_FALSE(parse({"build", "-color=false", "t"}).color);
  EXPECT_TRUE(parse({"build", "-color=true", "t"}).color);
  EXPECT_FALSE(parse({"build", "-force=false", "t"}).force);
}

TEST(ArgsTest, FlagsMayStandBehindTheTemplate) {
  EXPECT_TRUE(parse({"build", "t.pkr.hcl", "-local"}).local);
}

TEST(ArgsTest, MachineReadableStandsAnywhere) {
  EXPECT_TRUE(parse({"-machine-readable", "build", "t"}).machine_readable);
  EXPECT_TRUE(parse({"build", "t", "-machine-readable"}).machine_readable);
}

TEST(ArgsTest, WhatStandsBehindTwoDashesIsTheCommandToRun) {
  const Args args = parse({"run", "-step=a", "t", "--", "ls", "-l", "-machine-readable", "-help"});
  EXPECT_THAT(args.rest, ElementsAre("ls", "-l", "-machine-readable", "-help"));
  EXPECT_FALSE(args.machine_readable);
  EXPECT_FALSE(args.help);
}

TEST(ArgsTest, WhatIsWrongIsNamed) {
  const std::vector<std::pair<std::vector<std::string>, std::string>> cases = {
      {{"build", "-frob", "t"}, "frob"},
      {{"build"}, "template"},
      {{"build", "-var", "x", "t"}, "-var 'name=value'"},
      {{"build", "-parallel-builds=many", "t"}, "many"},
      {{"build", "-parallel-builds=-1", "t"}, "-1"},
      {{"build", "-on-error=explode", "t"}, "explode"},
      {{"build", "-network=mars", "t"}, "mars"},
      {{"build", "t", "u"}, "u"},
      {{"store", "burn"}, "burn"},
      {{"store", "gc", "-keep-bytes=lots"}, "lots"},
  };
  for (const auto& [argv, text] : cases) {
    const auto args = parse_args(argv);
    ASSERT_FALSE(args) << text;
    EXPECT_EQ(args.error().code(), Errc::usage);
    EXPECT_THAT(args.error().text(), HasSubstr(text));
    EXPECT_THAT(args.error().text(), HasSubstr("-"));
  }
}

TEST(ArgsTest, AnUnknownCommandHasNoName) {
  EXPECT_EQ(parse({"frobnicate", "-x"}).command, "");
  EXPECT_EQ(parse({"-version"}).command, "version");
}

TEST(ArgsTest, AWrongWordGetsTheNearestRightOne) {
  const auto complaint = [](const std::vector<std::string>& argv) {
    auto args = parse_args(argv);
    return args ? args->help_text : args.error().text();
  };
  EXPECT_THAT(complaint({"build", "-locale", "t"}), HasSubstr("kiln build has no flag -locale. Did you mean -local?"));
  EXPECT_THAT(complaint({"build", "--vars=x=1", "t"}), HasSubstr("no flag -vars. Did you mean -var?"));
  EXPECT_THAT(complaint({"validate", "t", "-zzzzzzzz"}), HasSubstr("kiln validate has no flag -zzzzzzzz.\n"));
  EXPECT_THAT(complaint({"validate", "t", "-zzzzzzzz"}), HasSubstr("kiln validate -help"));
  EXPECT_THAT(complaint({"buld", "t"}), HasSubstr("kiln has no command \"buld\". Did you mean \"build\"?"));
  EXPECT_THAT(complaint({"buld", "t"}), HasSubstr("Usage: kiln COMMAND"));
  EXPECT_THAT(complaint({"build", "t", "u"}), HasSubstr("u\nkiln build -help"));
  EXPECT_THAT(complaint({"build", "-var"}), testing::StartsWith("-var: "));
}

TEST(ArgsTest, SizesHaveUnits) {
  EXPECT_EQ(parse({"store", "gc", "-keep-bytes=20GB"}).keep_bytes, 20ULL << 30);
}

constexpr const char* kCommands[] = {"",        "build", "validate", "fmt", "inspect",
                                     "console", "init",  "plan",     "run", "store"};

TEST(HelpTest, EveryCommandHasExamples) {
  for (const char* command : kCommands) EXPECT_THAT(help_for(command), HasSubstr("Examples:")) << command;
  for (const char* asked : {"-help", "--help", "-h", "--h"}) EXPECT_TRUE(parse({"build", asked}).help) << asked;
}

TEST(HelpTest, NoLineIsLongerThanATerminal) {
  for (const char* command : kCommands) {
    for (const std::string& line : split(help_for(command), '\n')) EXPECT_LE(line.size(), 80U) << line;
  }
}

TEST(SessionTest, TheStoreIsWhereTheEnvironmentSays) {
  const auto at = [](std::map<std::string, std::string> variables) {
    return store_path({std::move(variables), "/", false}).native();
  };
  EXPECT_EQ(at({{"KILN_STORE", "/s"}, {"HOME", "/h"}}), "/s");
  EXPECT_EQ(at({{"XDG_CACHE_HOME", "/x"}, {"HOME", "/h"}}), "/x/kiln/store");
  EXPECT_EQ(at({{"XDG_CACHE_HOME", "relative"}, {"HOME", "/h"}}), "/h/.cache/kiln/store");
}

}  // namespace
}  // namespace kiln::cli
