#include "template/evaluate.h"

#include <gtest/gtest.h>

#include "template/parser.h"

namespace kiln::tmpl {
namespace {

/// Evaluates with u unknown, s a secret "pw" and list of unknown elements.
class EvaluateTest : public testing::Test {
 protected:
  EvaluateTest() {
    scope.set("u", Value::unknown());
    scope.set("un", Value::unknown(Type::number()));
    scope.set("ul", Value::unknown(Type::list(Type::string())));
    scope.set("o", Value::object({{"known", Value::string("k")}, {"unknown", Value::unknown(Type::string())}}));
    scope.set("s", Value::string("pw").marked(Marks::sensitive()));
    scope.set("sn", Value::number(1).marked(Marks::sensitive()));
    scope.set("sl", Value::tuple({Value::string("a"), Value::string("pw").marked(Marks::sensitive())}));
    world.read_file = [](const fs::path& p) -> Result<std::string> {
      if (p.filename() == "greet.tpl") return std::string("hi ${name}%{ for x in list } ${x}%{ endfor }");
      if (p.filename() == "nested.tpl") return std::string("${templatefile(\"greet.tpl\", {})}");
      return error(Errc::not_found, "no {}", p);
    };
  }
  Value value(const std::string& text) {
    const SourceFile file("test", text);
    Evaluation evaluation{&world, "/root", &problems};
    const ExprPtr expr = parse_expression(file, problems);
    return expr ? evaluate(*expr, scope, evaluation) : Value();
  }
  World world;
  Scope scope;
  Diagnostics problems;
};

TEST_F(EvaluateTest, UnknownOperandsMakeUnknownResultsOfTheRightType) {
  EXPECT_EQ(value("un + 1").type(), Type::number());
  EXPECT_TRUE(value("u + 1").is_unknown());
  EXPECT_EQ(value("un < 1").type(), Type::boolean());
  EXPECT_EQ(value("\"a ${u}\"").type(), Type::string());
  EXPECT_EQ(value("upper(u)").type(), Type::string());
  EXPECT_EQ(value("ul[0]").type(), Type::string());
  EXPECT_TRUE(value("u.a.b[0][*].c").is_unknown());
  EXPECT_TRUE(value("[for x in ul : x]").is_unknown());
  EXPECT_TRUE(problems.empty());
}

TEST_F(EvaluateTest, WhatDoesNotDependOnTheUnknownIsKnown) {
  EXPECT_EQ(value("o.known").text(), "k");
  EXPECT_EQ(value("length([u, u])").number(), Number(2));
  EXPECT_FALSE(value("un == 1 && false").truth());
  EXPECT_TRUE(value("true || u").truth());
  EXPECT_EQ(value("[u, 2][1]").number(), Number(2));
}

TEST_F(EvaluateTest, ConditionalWithUnknownConditionHasTheUnifiedType) {
  EXPECT_EQ(value("u ? 1 : \"a\"").type(), Type::string());
  EXPECT_EQ(value("u ? null : 2").type(), Type::number());
}

TEST_F(EvaluateTest, TheBranchNotTakenMayBeWrong) {
  EXPECT_EQ(value("true ? 1 : [][0]").number(), Number(1));
  EXPECT_TRUE(problems.empty());
  value("false ? 1 : [][0]");
  EXPECT_EQ(problems.size(), 1U);
}

TEST_F(EvaluateTest, MarksSurviveEveryForm) {
  for (const char* expr : {"s",
                           "\"${s}\"",
                           "\"a ${s}\"",
                           "upper(s)",
                           "[s]",
                           "{a = s}",
                           "{(s) = 1}",
                           "[for x in [s] : x]",
                           "{for x in [s] : x => 1}",
                           "[for x in [1] : x if s == \"pw\"]",
                           "s == \"pw\"",
                           "sn + 1",
                           "-sn",
                           "sn < 2",
                           "sn == 1 ? 1 : 2",
                           "[1, 2][sn]",
                           "{pw = 1}[s]",
                           "sl[1]",
                           "sl[*]",
                           "[sl][*][1]",
                           "length(s)",
                           "try(s)",
                           "convert(s, string)",
                           "convert([s], set(string))",
                           "sn == 1 && true",
                           "!(sn == 1)",
                           "\"%{ if sn == 1 }x%{ endif }\"",
                           "\"%{ for x in [s] }${x}%{ endfor }\"",
                           "max([sn]...)",
                           "sort(sl)",
                           "<<EOT\n${s}\nEOT\n"}) {
    EXPECT_TRUE(value(expr).is_sensitive()) << expr;
  }
  EXPECT_FALSE(value("sl[0]").is_sensitive());
  EXPECT_FALSE(value("{a = s, b = 1}.b").is_sensitive());
}

TEST_F(EvaluateTest, MessagesDoNotShowSensitiveKeys) {
  value("{for x in [s, s] : x => 1}");
  value("{a = 1}[s]");
  ASSERT_EQ(problems.size(), 2U);
  for (const Diagnostic& d : problems) EXPECT_EQ(d.detail.find("pw"), std::string::npos) << d.detail;
}

TEST_F(EvaluateTest, OneProblemIsReportedOnce) {
  value("\"${upper(nope + 1)} ${nope2}\"");
  ASSERT_EQ(problems.size(), 2U);
  EXPECT_EQ(problems[0].summary, "Unknown variable");
  EXPECT_EQ(problems[0].subject->start.column, 10U);
}

TEST_F(EvaluateTest, TemplatefileRendersWithItsNamesOnly) {
  EXPECT_EQ(value("templatefile(\"greet.tpl\", {name = \"you\", list = [1, 2]})").text(), "hi you 1 2");
  EXPECT_TRUE(problems.empty());
  value("templatefile(\"greet.tpl\", {list = []})");
  value("templatefile(\"nested.tpl\", {})");
  EXPECT_EQ(problems.size(), 2U);
}

TEST_F(EvaluateTest, ValuesThatGrowWithoutEndAreRefused) {
  std::string doubling = "[1]";
  for (int i = 0; i < 40; ++i) doubling = fmt::format("[for x in [{}] : [x, x]]", doubling);
  value(doubling);
  ASSERT_FALSE(problems.empty());
  EXPECT_EQ(problems[0].summary, "Value too large");
}

TEST_F(EvaluateTest, WhatMayBeNestedCanBeEvaluated) {
  for (const auto& [open, close] : {std::pair("(", ")"), std::pair("[", "][0]"), std::pair("\"${", "}\"")}) {
    std::string text = "1";
    for (int i = 0; i < 60; ++i) text = fmt::format("{}{}{}", open, text, close);
    EXPECT_EQ(value(text).number(), Number(1)) << open;
  }
  EXPECT_TRUE(problems.empty());
}

TEST_F(EvaluateTest, EndlessWorkIsRefused) {
  world.max_steps = 100'000;
  std::string loop = "1";
  for (int i = 0; i < 8; ++i) loop = fmt::format("length([for x in [0,1,2,3,4,5,6,7,8,9] : {}])", loop);
  value(loop);
  ASSERT_FALSE(problems.empty());
  EXPECT_TRUE(problems[0].summary.starts_with("Evaluation takes too")) << problems[0].summary;
}

}  // namespace
}  // namespace kiln::tmpl
