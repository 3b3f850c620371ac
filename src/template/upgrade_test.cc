#include "template/upgrade.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "template/overview.h"
#include "template/test_world.h"

namespace kiln::tmpl {
namespace {

/// The new text of a template with one null builder and what else is given.
std::string upgraded(const std::string& rest) {
  return upgraded_template("t.json", R"({"builders": [{"type": "null", "name": "n"}])" + rest + "}", false).text;
}

TEST(UpgradeTest, TextOfTheNewLanguageStaysText) {
  const std::string text = upgraded(R"(, "provisioners": [{"type": "shell", "inline": ["${a} %{b} \"\\\n"]}])");
  EXPECT_NE(text.find(R"(inline = ["$${a} %%{b} \"\\\n"])"), std::string::npos) << text;
}

TEST(UpgradeTest, VariablesMadeOfOthersAreLocals) {
  const std::string text =
      upgraded(R"(, "variables": {"a": "1", "b": "{{user `a`}}{{env `X`}}", "c": "{{user `b`}}"})");
  EXPECT_NE(text.find("  b = \"${var.a}${var.env_X}\""), std::string::npos) << text;
  EXPECT_NE(text.find("  c = \"${local.b}\""), std::string::npos) << text;
  EXPECT_NE(text.find("  default = env(\"X\")"), std::string::npos) << text;
}

TEST(UpgradeTest, ChoicesAreConditionals) {
  const std::string text = upgraded(
      R"(, "provisioners": [{"type": "shell-local", "command": "{{if eq build_type `null`}}a{{else}}b{{end}}"}])");
  EXPECT_NE(text.find(R"(command = "${(source.type == "null") ? "a" : "b"}")"), std::string::npos) << text;
}

std::string upgraded_command(const std::string& text) {
  return upgraded(R"(, "provisioners": [{"type": "shell-local", "command": ")" + text + "\"}]");
}

TEST(UpgradeTest, CallsOfWhatTheTemplateSaysAreWorkedOut) {
  const std::string text = upgraded_command(
      "{{print 1 true `a` 2 1e6 nil}}|{{printf `%05d|%-5s|%%|%c` 7 `b` 65}}|{{len `abc`}}|{{index `abc` 1}}|"
      "{{or 0 `x`}}|{{upper (print 5)}}|{{split `a-b` `-` 1}}|{{replace `a` `b` 1 `aa`}}|{{if 0}}a{{else}}b{{end}}");
  EXPECT_NE(text.find(R"(command = "1 truea2 1e+06 <nil>|00007|b    |%|A|3|98|x|5|b|ba|b")"), std::string::npos)
      << text;
}

TEST(UpgradeTest, WhatAnActionGivesIsKnownOfAVariableToo) {
  const std::string text = upgraded(R"(, "variables": {"a": "{{upper `x`}}", "b": "{{user `a` | len}}"})");
  EXPECT_NE(text.find("  default = \"X\""), std::string::npos) << text;
  EXPECT_NE(text.find(R"-(b = "${format("%v", length(regex_replace(urlencode(var.a), "%..", "-")))}")-"),
            std::string::npos)
      << text;
}

TEST(UpgradeTest, AloneANumberOrTruthIsATextAsBefore) {
  for (const char* text : {"{{eq build_name `x`}}", "{{``}}{{if true}}{{len build_name}}{{end}}",
                           "{{print (not build_name)}}", "{{printf `%v` (len build_name)}}"})
    EXPECT_NE(upgraded_command(text).find("command = \"${format(\"%v\", "), std::string::npos)
        << upgraded_command(text);
  EXPECT_NE(upgraded_command("{{eq build_name `x`}}.").find(R"(command = "${source.name == "x"}.")"),
            std::string::npos);
}

TEST(UpgradeTest, AndAndOrChooseTheirValues) {
  const std::string text =
      upgraded_command("{{or build_name `x`}}{{if and build_name 1}}y{{end}}{{or true build_name}}");
  EXPECT_NE(text.find(R"("${("${source.name}" != "") ? source.name : "x"}${("${source.name}" != "") ? "y" : ""}true")"),
            std::string::npos)
      << text;
}

TEST(UpgradeTest, PrintfIsFormattedInPartsWhereFormatDoesOtherwise) {
  const std::string alike = upgraded_command("{{printf `%5s|%v` build_name 7}}");
  EXPECT_NE(alike.find(R"-("${format("%5s|%v", source.name, 7)}")-"), std::string::npos) << alike;
  const std::string parts = upgraded_command("{{printf `%s|%c|%5s|%d` build_name 65 build_type build_name}}");
  EXPECT_NE(parts.find(R"-("${source.name}|A|${format("%5s", source.type)}|%!d(string=${source.name})")-"),
            std::string::npos)
      << parts;
}

TEST(UpgradeTest, AValueTooLongToStandTwiceIsRefused) {
  std::string call = "build_name";
  const auto twice = [](const std::string& value) { return fmt::format("or (print ({}) `x`) `y`", value); };
  for (int i = 0; i < 5; ++i) call = twice(call);
  EXPECT_NE(upgraded_command("{{" + call + "}}"), "");
  for (int i = 0; i < 50; ++i) call = twice(call);
  EXPECT_EQ(upgraded_command("{{" + call + "}}"), "");
}

TEST(UpgradeTest, WhatTheLanguageCannotFormatIsRefused) {
  for (const char* call :
       {"printf `%q` build_name", "printf `%x` build_name", "printf `%.2s` build_name", "printf build_name",
        "printf `%[1]s` build_name", "printf `%*d` 5 build_name", "printf `%05s` build_name", "js build_name",
        "index build_name 0", "lt build_name 5", "printf `%s` (env `X`) .Vars"})
    EXPECT_EQ(upgraded_command(std::string("{{") + call + "}}"), "") << call;
}

TEST(UpgradeTest, WhatIsKnownStandsInsideOfWhatTheComponentRenders) {
  const std::string text =
      upgraded_command("{{if .Vars -}} {{build_name}}{{.Vars}} {{else}}{{range .L}}{{.}}{{continue}}{{end}}{{end}}");
  EXPECT_NE(text.find(R"("{{if .Vars }}${source.name}{{.Vars}} {{else}}{{range .L}}{{.}}{{continue}}{{end}}{{end}}")"),
            std::string::npos)
      << text;
}

/// The value of the local that stands for {{timestamp}} when a build begins at that time.
std::string stamped(std::int64_t now) {
  World world = world_of("t.pkr.hcl", upgraded_command("{{timestamp}}"));
  world.now = now;
  const Overview overview = look_at({.path = "/t/t.pkr.hcl"}, world);
  for (const Diagnostic& d : overview.diagnostics) ADD_FAILURE() << render(d, overview.sources);
  for (const VariableInfo& local : overview.locals) {
    if (local.name == "timestamp") return local.value.text();
  }
  return {};
}

TEST(UpgradeTest, TheTimestampCountsSecondsAsBefore) {
  for (const std::int64_t now : {0LL, 951'782'399LL, 951'782'400LL, 951'868'800LL, 1'709'164'800LL, 1'735'689'599LL,
                                 1'795'718'881LL, 4'107'542'400LL})
    EXPECT_EQ(stamped(now), std::to_string(now));
}

TEST(UpgradeTest, TheLocalForTheTimeHasANameOfItsOwn) {
  const std::string text = upgraded(R"(, "variables": {"timestamp": "{{timestamp}}"})");
  EXPECT_NE(text.find("  timestamp = \"${local.build_timestamp}\""), std::string::npos) << text;
}

TEST(UpgradeTest, OneTextWhereAListIsMeantBecomesOne) {
  const std::string text = upgraded(R"(, "provisioners": [{"type": "shell", "inline": "x,y", "only": ["n"]}])");
  EXPECT_NE(text.find("inline = [\"x\", \"y\"]"), std::string::npos) << text;
  EXPECT_NE(text.find("only   = [\"null.n\"]"), std::string::npos) << text;
}

TEST(UpgradeTest, WhatCannotBeReadHasAPlaceAndNoText) {
  const Upgraded out = upgraded_template("t.json", R"({"builders": [{"type": "null", "x": "{{nope}}"}]})", false);
  EXPECT_TRUE(out.text.empty());
  ASSERT_EQ(out.diagnostics.size(), 1U);
  EXPECT_EQ(out.diagnostics[0].subject->file, "t.json");
  EXPECT_FALSE(upgraded_template("t.json", "[]", false).diagnostics.empty());
}

}  // namespace
}  // namespace kiln::tmpl
