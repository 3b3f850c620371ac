#include "template/hcldec.h"

#include <gtest/gtest.h>

namespace kiln::tmpl {
namespace {

constexpr const char* kAnything = "attr {\n  name = \"v\"\n  type = any\n}\n";

/// Runs with files that are only in memory: spec and input.hcl or input.json.
class HcldecTest : public testing::Test {
 protected:
  Hcldec run(const std::string& spec, const std::string& input, HcldecOptions options = {}) {
    if (options.input.empty()) options.input = "input.hcl";
    options.spec = "spec";
    const World world{.read_file = [&](const fs::path& p) -> Result<std::string> { return p == "spec" ? spec : input; },
                      .env = {},
                      .cwd = "/"};
    auto result = hcldec(options, world);
    return result ? std::move(result).take() : Hcldec{.output = "error: " + result.error().text()};
  }
  std::string value(const std::string& expr, const std::string& vars = {}) {
    HcldecOptions options{.with_type = true, .keep_nulls = true};
    if (!vars.empty()) options.vars = {vars};
    return run(kAnything, "v = " + expr + "\n", options).output;
  }
  /// "line:column byte-byte" of each problem of an input.
  std::string places(const std::string& input, const std::string& spec = kAnything) {
    std::string out;
    for (const Diagnostic& d : run(spec, input).diagnostics) {
      out += out.empty() ? "" : " ";
      const Range& at = *d.subject;
      out += fmt::format("{}:{}@{}-{}", at.start.line, at.start.column, at.start.byte, at.end.byte);
    }
    return out;
  }
};

TEST_F(HcldecTest, ValuesHaveTheirTypesAndNumbersAllDigits) {
  EXPECT_EQ(value("6.8 % 1.2"),
            "{\"value\":0.80000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
            "000000000000000000000000000000000000000000000000000000000000000000024,\"type\":\"number\"}");
  EXPECT_EQ(value("[1, \"a\"]"), "{\"value\":[1,\"a\"],\"type\":[\"tuple\",[\"number\",\"string\"]]}");
  EXPECT_EQ(value("-0"), "{\"value\":-0,\"type\":\"number\"}");
  EXPECT_EQ(
      value("[0 * -1, 0 / -2, -0 - 0, 0 % 5 * -1.5, -0 % 3]"),
      "{\"value\":[-0,-0,-0,-0,-0],\"type\":[\"tuple\",[\"number\",\"number\",\"number\",\"number\",\"number\"]]}");
  EXPECT_EQ(value("[0 - 0, -0 + 0, -0 * -1, -4 % 2, [5][0 * -1]]"),
            "{\"value\":[0,0,0,0,5],\"type\":[\"tuple\",[\"number\",\"number\",\"number\",\"number\",\"number\"]]}");
  EXPECT_EQ(value("{a = null}"), "{\"value\":{\"a\":null},\"type\":[\"object\",{\"a\":\"dynamic\"}]}");
  EXPECT_EQ(value("\"<&>\""), "{\"value\":\"\\u003c\\u0026\\u003e\",\"type\":\"string\"}");
  EXPECT_EQ(value("true ? 1 : \"a\""), "{\"value\":\"1\",\"type\":\"string\"}");
  EXPECT_EQ(value("[{a = 1}, {a = 2}][*].a"), "{\"value\":[1,2],\"type\":[\"tuple\",[\"number\",\"number\"]]}");
}

TEST_F(HcldecTest, NullsOfObjectsAreLeftOutUnlessKept) {
  EXPECT_EQ(run("object {\n  attr \"a\" {\n  }\n  literal \"b\" {\n    value = 1\n  }\n}\n", "").output, "{\"b\":1}");
}

TEST_F(HcldecTest, VariablesAreLiteralAndArraysAreTuples) {
  EXPECT_EQ(value("x", "{\"x\": [\"${y}\", 1]}"),
            "{\"value\":[\"${y}\",1],\"type\":[\"tuple\",[\"string\",\"number\"]]}");
}

TEST_F(HcldecTest, PlacesAreThoseOfHcl) {
  EXPECT_EQ(places("v = nope\n"), "1:5@4-8");
  EXPECT_EQ(places("v = [1][2]\n"), "1:8@7-10");
  EXPECT_EQ(places("v = {a = 1}.b\n"), "1:12@11-13");
  EXPECT_EQ(places("v = 1 + \"x\"\n"), "1:9@8-11");
  EXPECT_EQ(places("v = !1\n"), "1:6@5-6");
  EXPECT_EQ(places("v = \"\xC3\xA9 ${x}\"\n"), "1:10@10-11");
  EXPECT_EQ(places("v = {(null) = 12}\n"), "1:15@14-16");
  EXPECT_EQ(places("v = [for x in [1, 2] : x.a]\n"), "1:25@24-26 1:25@24-26");
  EXPECT_EQ(places("v = \"a\\q\"\n"), "1:7@6-8");
  EXPECT_EQ(places("v = a b\n"), "1:7@6-7");
  EXPECT_EQ(places("v = [1][[2, 3]\n"), "2:1@15-15");
  EXPECT_EQ(places("v = \"\\"), "1:6@5-6 1:6@5-6");
  EXPECT_EQ(places("v = {}[0][null]\n"), "1:7@6-9");
  EXPECT_EQ(places("v = \"x\n"), "1:7@6-7 1:7@6-7");
  EXPECT_EQ(places("b {\n"), "1:3@2-3");
  EXPECT_EQ(places("v = 1, w = 2\n"), "1:6@5-6");
}

TEST_F(HcldecTest, WhatFollowsAProblemIsJudgedAsInHcl) {
  // A template ends where the first problem of its parts is, but the other parts are still looked at.
  const std::string number = "attr {\n  name = \"v\"\n  type = number\n}\n";
  EXPECT_EQ(places("v = \"${1}${[]}x\"\n", number), "1:12@11-13");
  EXPECT_EQ(places("v = \"${[]}${1}\"\n", number), "1:8@7-9 1:5@4-15");
  EXPECT_EQ(places("v = \"${1}${[]}${nope}\"\n", number), "1:12@11-13 1:17@16-20");
  EXPECT_EQ(places("v = {for k in [[true].*.a, 1] : k => k}\n"), "1:24@23-25");
  // What is not known for want of a condition still has its type.
  EXPECT_EQ(places("v = ([] ? [] : [1, 2])[\"b\"]\n"), "1:6@5-7 1:23@22-27");
  EXPECT_EQ(places("v = ([] ? {a = 1} : {a = 2})[\"b\"]\n"), "1:6@5-7 1:29@28-33");
  EXPECT_EQ(places("v = ([] ? {a = 1} : {a = 2})[\"a\"]\n"), "1:6@5-7");
}

TEST_F(HcldecTest, NamesOfALoopCanBeUsedWhereThereAreNoVariables) {
  EXPECT_EQ(run(kAnything, "v = nope\n").diagnostics.at(0).summary, "Variables not allowed");
  EXPECT_EQ(run(kAnything, "v = [for x in [1] : nope]\n").diagnostics.at(0).summary, "Unknown variable");
}

TEST_F(HcldecTest, WhatDoesNotFitTheSpecificationIsAProblem) {
  EXPECT_EQ(places("w = 1\n"), "1:1@0-1");
  EXPECT_EQ(places("b {\n}\n"), "1:1@0-1");
  EXPECT_EQ(places("\n", "attr {\n  name = \"v\"\n  required = true\n}\n"), "1:1@0-0");
  const std::string list = "block_list {\n  block_type = \"b\"\n  max_items = 1\n  attr {\n    name = \"a\"\n  }\n}\n";
  EXPECT_EQ(places("b {\n  a = 1\n}\nb {\n  a = 2\n}\n", list), "5:7@24-25");
}

TEST_F(HcldecTest, JsonInputHoldsTemplates) {
  HcldecOptions options{.input = "input.json"};
  options.vars = {"{\"x\": 5}"};
  EXPECT_EQ(run(kAnything, "{\"v\": [\"${x}\", \"a${x}\", 1.50, null]}", options).output, "[5,\"a5\",1.5,null]");
  const Hcldec bad = run(kAnything, "{\n\t\"v\": \"\xC3\xA9${}\"}", options);
  ASSERT_EQ(bad.diagnostics.size(), 1U);
  EXPECT_EQ(bad.diagnostics[0].subject->start, (Pos{2, 12, 13}));
}

TEST_F(HcldecTest, JsonStringsAreLiteralWhereThereIsNothingToReferTo) {
  HcldecOptions options{.input = "input.json"};
  EXPECT_EQ(run(kAnything, "{\"v\": \"${x}${\"}", options).output, "\"${x}${\"");
}

TEST_F(HcldecTest, FunctionsOfTheSpecificationServeTheInput) {
  const std::string spec =
      "function \"pair\" {\n  params = [a]\n  variadic_param = rest\n  result = [a, length(rest)]\n}\n" +
      std::string(kAnything);
  EXPECT_EQ(run(spec, "v = pair(1, 2, 3)\n").output, "[1,2]");
  EXPECT_EQ(places("v = pair()\n", spec), "1:10@9-10");
  EXPECT_EQ(places("v = upper(\"x\")\n", spec), "1:5@4-9");
}

TEST_F(HcldecTest, ReferencesAreListedWithTheirValues) {
  HcldecOptions options{.var_refs = true};
  EXPECT_EQ(run(kAnything, "v = 1\n", options).output, "[]");
  options.vars = {"{\"x\": {\"y\": [7]}}"};
  const std::string out = run(kAnything, "v = [x.y[0], z[x.k]]\n", options).output;
  EXPECT_NE(out.find("\"root_name\":\"x\",\"value\":7"), std::string::npos) << out;
  EXPECT_NE(out.find("\"kind\":\"index\",\"key\":0"), std::string::npos) << out;
  EXPECT_NE(out.find("\"root_name\":\"z\",\"steps\""), std::string::npos) << out;
}

TEST_F(HcldecTest, BlocksBecomeListsSetsTuplesAndMaps) {
  const auto spec = [](const std::string& kind, const std::string& more) {
    return kind + " {\n  block_type = \"b\"\n" + more + "  attr {\n    name = \"a\"\n    type = number\n  }\n}\n";
  };
  const std::string two = "b {\n  a = 2\n}\nb {\n  a = \"2\"\n}\n";
  EXPECT_EQ(run(spec("block_list", ""), two).output, "[2,2]");
  EXPECT_EQ(run(spec("block_set", ""), two).output, "[2]");
  EXPECT_EQ(run(spec("block_tuple", ""), two).output, "[2,2]");
  EXPECT_EQ(run(spec("block_map", "  labels = [\"k\", \"l\"]\n"), "b \"x\" \"y\" { a = 1 }\nb x z { a = 2 }\n").output,
            "{\"x\":{\"y\":1,\"z\":2}}");
  EXPECT_EQ(run("block_attrs {\n  block_type = \"b\"\n  element_type = string\n}\n", "b {\n  k = 1\n}\n").output,
            "{\"k\":\"1\"}");
}

}  // namespace
}  // namespace kiln::tmpl
