// What is known of unknown values, and edge cases of functions: testdata/unknown.txt and edges.txt have expressions,
// and below each what it gives. hashicorp's own evaluator judges the same tables in
// tests/e2e/unknown-values-as-packer.sh.
#include <gtest/gtest.h>

#include <fstream>

#include "support/golden.h"
#include "template/evaluate.h"
#include "template/parser.h"
#include "template/test_show.h"

namespace kiln::tmpl {
namespace {

Refinement::Bound bound(std::int64_t n, bool inclusive) {
  return {Number(n), inclusive};
}

/// The names of the table; those of tests/differential/unknown_values.go.
void set_names(Scope& scope) {
  const Type text = Type::string();
  const Type number = Type::number();
  const Type list = Type::list(text);
  const Type object = Type::object({{"a", text}, {"b", number}});
  const Type tuple = Type::tuple({text, number});
  const Refinement some = {.not_null = true};
  scope.set("any", Value::unknown());
  scope.set("anys", Value::unknown(Type::list(Type())));
  scope.set("str", Value::unknown(text));
  scope.set("some_str", Value::unknown(text, some));
  scope.set("pre_str", Value::unknown(text, {.not_null = true, .prefix = "pre-"}));
  scope.set("pre_or_null", Value::unknown(text, {.prefix = "pre-"}));
  scope.set("num", Value::unknown(number));
  scope.set("some_num", Value::unknown(number, some));
  scope.set("to_ten", Value::unknown(number, {.not_null = true, .least = bound(1, true), .most = bound(10, true)}));
  scope.set("below_ten", Value::unknown(number, {.most = bound(10, false)}));
  scope.set("above_one", Value::unknown(number, {.not_null = true, .least = bound(1, false)}));
  scope.set("bool", Value::unknown(Type::boolean()));
  scope.set("some_bool", Value::unknown(Type::boolean(), some));
  scope.set("list", Value::unknown(list));
  scope.set("some_list", Value::unknown(list, some));
  scope.set("two_to_four", Value::unknown(list, {.not_null = true, .min_length = 2, .max_length = 4}));
  scope.set("three_most", Value::unknown(list, {.max_length = 3}));
  scope.set("map", Value::unknown(Type::map(text)));
  scope.set("some_map", Value::unknown(Type::map(number), {.not_null = true, .min_length = 1}));
  scope.set("set", Value::unknown(Type::set(text)));
  scope.set("some_set", Value::unknown(Type::set(text), {.not_null = true, .min_length = 1, .max_length = 3}));
  scope.set("object", Value::unknown(object));
  scope.set("some_object", Value::unknown(object, some));
  scope.set("tuple", Value::unknown(tuple));
  scope.set("some_tuple", Value::unknown(tuple, some));
  scope.set("secret", Value::unknown(text, some).marked(Marks::sensitive()));
}

std::string answer(const std::string& expression, const Scope& scope) {
  const SourceFile file("table", expression);
  Diagnostics diagnostics;
  const World world;
  Evaluation evaluation{.world = &world, .root = "/", .diagnostics = &diagnostics};
  const ExprPtr expr = parse_expression(file, diagnostics);
  const Value v = expr ? evaluate(*expr, scope, evaluation) : Value();
  return has_errors(diagnostics) ? "error" : show(v);
}

/// A table with the answers that are given here.
std::string answered(const std::string& name) {
  Scope scope;
  set_names(scope);
  std::ifstream table(fs::path(KILN_SOURCE_DIR) / "src/template/testdata" / name);
  std::string text;
  for (std::string line; std::getline(table, line);) {
    if (line.starts_with(' ')) continue;
    text += line + "\n";
    if (!line.empty() && !line.starts_with('#')) text += "    " + answer(line, scope) + "\n";
  }
  return text;
}

TEST(UnknownTest, GivesWhatTheTableSays) {
  expect_golden("unknown.txt", answered("unknown.txt"));
}

TEST(FunctionsTest, EdgeCasesGiveWhatTheTableSays) {
  expect_golden("edges.txt", answered("edges.txt"));
}

TEST(UnknownTest, KnownWhereOneValueIsLeft) {
  EXPECT_EQ(Value::unknown(Type::number(), {.not_null = true, .least = bound(3, true), .most = bound(3, true)}),
            Value::number(3));
  EXPECT_TRUE(Value::unknown(Type::number(), {.least = bound(3, true), .most = bound(3, true)}).is_unknown());
  EXPECT_EQ(Value::unknown(Type::map(Type::string()), {.not_null = true, .max_length = 0}),
            Value::map(Type::string(), {}));
  EXPECT_EQ(Value::unknown(Type::list(Type::string()), {.not_null = true, .min_length = 2, .max_length = 2}).length(),
            2U);
}

TEST(UnknownTest, RefiningAddsAndKeepsMarks) {
  const Value one = Value::unknown(Type::number(), {.least = bound(1, true), .most = bound(10, true)});
  const Value two = one.marked(Marks::sensitive()).refined({.not_null = true, .least = bound(1, false)});
  EXPECT_EQ(show(two), "!unknown number (not null, > 1, <= 10)");
  EXPECT_EQ(Value::number(5).refined({.most = bound(1, true)}), Value::number(5));
  EXPECT_EQ(Value::unknown().not_null(), Value::unknown());
}

}  // namespace
}  // namespace kiln::tmpl
