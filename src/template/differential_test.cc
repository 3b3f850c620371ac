// Expressions evaluated here and by the real Packer (Debian's package, 1.6.6), side by side.
#include <gtest/gtest.h>

#include "base/text.h"
#include "template/console.h"
#include "template/evaluate.h"
#include "template/parser.h"
#include "template/test_packer.h"

namespace kiln::tmpl {
namespace {

bool has_packer() {
  return packer_console("1") == "1\n";
}

std::optional<Value> value_of(const std::string& text) {
  const SourceFile file("test", text);
  Diagnostics diagnostics;
  const World world;
  Evaluation evaluation{&world, ".", &diagnostics};
  const ExprPtr expr = parse_expression(file, diagnostics);
  const Value v = expr ? evaluate(*expr, Scope(), evaluation) : Value();
  return has_errors(diagnostics) ? std::nullopt : std::optional(v);
}

constexpr const char* kGood[] = {
    "1 + 2 * 3",
    "(1 + 2) * 3",
    "7 % 4",
    "-7 % 4",
    "7 % -4",
    "6.8 % 1.2",
    "1 / 3",
    "2 / 4",
    "1 / 0",
    "-1 / 0",
    "10 - 3 - 2",
    "2.5e3",
    "1e30",
    "1e6",
    "1000000.5",
    "9007199254740993",
    "9223372036854775807",
    "9223372036854775808",
    "0.1 + 0.2",
    "1e-7",
    "0.0001",
    "0.00001",
    "123456.75",
    "1e21",
    "1e20",
    "12345678901234567890.5",
    "-0",
    "\"x${-0}\"",
    "jsonencode(-0)",
    "-0 == 0",
    "[1][-0]",
    "-0 + 0",
    "format(\"%d %s\", -0, -0)",
    "abs(-0)",
    "-(-0)",
    "-(-3)",
    "1 == 1",
    "1 == \"1\"",
    "\"5\" + 1",
    "\"a\" == \"a\"",
    "1 != 2",
    "1 < 2",
    "2 <= 2",
    "3 > 4",
    "\"10\" > 9",
    "true && false",
    "true || false",
    "!true",
    "!!false",
    "\"true\" && true",
    "null == null",
    "1 == null",
    "[] == []",
    "[1] == [1]",
    "[1] == [\"1\"]",
    "{a = 1} == {a = 1}",
    "{a = 1} == {a = 2}",
    "true ? 1 : 2",
    "false ? 1 : \"a\"",
    "true ? 1 : \"a\"",
    "true ? null : 1",
    "true ? [1] : [1, 2]",
    "false ? {a = 1} : {b = \"x\"}",
    "true ? [1, \"a\"] : [\"b\", 2]",
    "\"x\"",
    "\"a\\tb\\\"c\\\\d\"",
    "\"\\u00e9\\U0001F600\"",
    "\"$${a} %%{b}\"",
    "\"$5 100%\"",
    "\"${1 + 1}\"",
    "\"n${1 + 1}\"",
    "\"${true}!\"",
    "\"${[1, 2]}\"",
    "\"x${1 / 3}\"",
    "\"x${0.1}\"",
    "\"x${1e30}\"",
    "\"x${1000000.5}\"",
    "\"x${1 / 0}\"",
    "\"${\"a${\"b\"}\"}\"",
    "\" ${~ \"x\" ~} y\"",
    "\"%{if true}a%{else}b%{endif}\"",
    "\"%{if false}a%{endif}.\"",
    "\"%{for x in [1, 2]}<${x}>%{endfor}\"",
    "\"%{for i, x in [\"a\"]}${i}${x}%{endfor}\"",
    "\"a %{~ if true ~} b %{~ endif ~} c\"",
    "[1, \"a\", true, null]",
    "[]",
    "{}",
    "[[], {}]",
    "{a = null, b = [null]}",
    "{a = 1, \"b c\" = 2, (upper(\"d\")) = 3}",
    "{a : 1, b : 2}",
    "{1 = 2}",
    "{a = {b = [1]}}",
    "[1, 2,]",
    "{a = 1,}",
    "[1, 2][0]",
    "[1, 2][\"1\"]",
    "{a = 1}[\"a\"]",
    "{a = 1}.a",
    "[[1, 2]].0[1]",
    "[[1, 2]][0][1]",
    "{a = [{b = 5}]}.a[0].b",
    "[{a = 1}, {a = 2}][*].a",
    "[{a = 1}, {a = 2}].*.a",
    "{a = 3}[*].a",

    "\"x\"[*]",
    "[{a = [1, 2]}].*.a[0]",
    "[{a = [1, 2]}][*].a[0]",
    "[{a = {b = 1}}].*.a.b",
    "[for x in [1, 2] : x * 2]",
    "[for i, x in [\"a\", \"b\"] : \"${i}${x}\"]",
    "[for x in [1, 2, 3] : x if x != 2]",
    "{for k, v in {a = 1, b = 2} : upper(k) => v}",
    "{for x in [\"aa\", \"ab\", \"b\"] : substr(x, 0, 1) => x...}",
    "[for k, v in {b = 1, a = 2} : \"${k}${v}\"]",
    "[for x in [] : x]",
    "{for x in [] : x => x}",
    "[for x in [[1], [2]] : [for y in x : y + 1]]",
    "upper([\"x\"]...)",
    "max([1, 5, 3]...)",
    "length([1, 2])",
    "length({a = 1})",
    "can(1 + 1)",
    "can([][0])",
    "try([][0], 7)",
    "convert(\"5\", number) + 1",
    "convert([1, \"a\"], list(string))",
    "convert([\"b\", \"a\", \"b\"], set(string))",
    "convert({a = 1}, map(string))",
    "convert([1, 2], tuple([string, number]))",
    "convert({a = 1, b = 2}, object({a = string}))",
    "convert(1, string) == \"1\"",
    "convert(\"1\", bool)",
    "convert(null, string)",
    "[for x in convert([\"b\", \"a\"], set(string)) : x]",
    "\"\\u0065\\u0301\" == \"\\u00e9\"",
    "-2 + 5",
    "!false == true",
    "1 < 2 == true",
    "2 * 3 % 4",
    "true ? false ? 1 : 2 : 3",
};

constexpr const char* kBad[] = {
    "nothing",
    "upper(",
    "upper(1, 2)",
    "upper()",
    "nope(1)",
    "\"abc",
    "1 +",
    "[1, 2",
    "{a = 1",
    "[1][1]",
    "{}.a",
    "{}[\"a\"]",
    "null.a",
    "1.a",
    "\"x\" + 1",
    "1 + true",
    "!1",
    "-\"x\"",
    "null + 1",
    "true ? [] : \"x\"",
    "null ? 1 : 2",
    "\"maybe\" ? 1 : 2",
    "0 / 0",
    "\"x${null}\"",
    "[[1, 2]].0.1",
    "\"x${[1]}\"",
    "[for x in 1 : x]",
    "[for x in null : x]",
    "{for x in [1, 1] : x => x}",
    "{(null) = 1}",
    "1 2",
    "a b",
    "\"\\q\"",
    "\"%{if true}\"",
    "\"%{endif}\"",
    "convert(\"x\", number)",
    "convert(1, strin)",
    "try()",
    "'x'",
    "1 & 2",
    "[1, 2].*.*",
    "{a.b = 1}",
    "[for x of [] : x]",
};

TEST(DifferentialTest, ValuesAreThoseOfPacker) {
  if (!has_packer()) GTEST_SKIP() << "packer is not installed";
  std::string all;  // in one list at first, as starting packer takes long
  for (const char* expr : kGood) all += fmt::format("{}, ", expr);
  const auto together = value_of("[" + all + "]");
  ASSERT_TRUE(together);
  if (packer_console("[" + all + "]") == console_text(*together) + "\n") return;
  for (const char* expr : kGood) {
    const auto ours = value_of(expr);
    EXPECT_EQ((ours ? console_text(*ours) : "(error)") + "\n", *packer_console(expr)) << expr;
  }
}

TEST(DifferentialTest, WhatPackerRefusesIsRefused) {
  if (!has_packer()) GTEST_SKIP() << "packer is not installed";
  for (const char* expr : kBad) {
    EXPECT_FALSE(value_of(expr)) << expr;
    EXPECT_TRUE(packer_console(expr)->starts_with("Error")) << expr << ": " << *packer_console(expr);
  }
}

}  // namespace
}  // namespace kiln::tmpl
