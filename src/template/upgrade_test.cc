#include "template/upgrade.h"

#include <gtest/gtest.h>

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

TEST(UpgradeTest, NumbersAndTruthsArePrintedAndJudgedAsByGo) {
  const std::string printed = upgraded_command("{{print 1 true `a` 2}}{{printf `%05d|%-5s%%` 7 `b`}}");
  EXPECT_NE(printed.find(R"("${1} ${true}a${2}${format("%05d|%-5s%%", 7, "b")}")"), std::string::npos) << printed;
  const std::string judged = upgraded_command("{{if 0}}a{{end}}");
  EXPECT_NE(judged.find("0 != 0"), std::string::npos) << judged;
}

TEST(UpgradeTest, WhatTheLanguageCannotFormatIsRefused) {
  for (const char* call : {"printf `%c` 65", "printf `%d` `a`", "printf `%s`", "printf `a` 1", "printf `%05s` `a`",
                           "printf `%.2s` `abc`", "printf (user `a`)", "printf `%[1]s` `a`", "print nil", "print 1.5"})
    EXPECT_EQ(upgraded_command(std::string("{{") + call + "}}"), "") << call;
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
