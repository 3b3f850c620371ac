#include "template/value.h"

#include <gtest/gtest.h>

#include "template/convert.h"

namespace kiln::tmpl {
namespace {

Value text(std::string_view s) {
  return Value::string(s);
}
Value num(std::int64_t n) {
  return Value::number(n);
}

TEST(NumberTest, KeepsBigIntegersExactly) {
  EXPECT_EQ(Number::parse("9007199254740993")->text(), "9007199254740993");
  EXPECT_EQ(Number::parse("1e30")->text(), "1000000000000000000000000000000");
  EXPECT_EQ((Number(INT64_MAX) + Number(1)).text(), "9223372036854775808");
}

TEST(NumberTest, PrintsTheFewestDigitsThatReadBack) {
  EXPECT_EQ(Number::parse("0.1")->text(), "0.1");
  EXPECT_EQ(Number::parse("-1234.5e-2")->text(), "-12.345");
  const std::string third = divide(1, 3)->text();
  EXPECT_EQ(third.substr(0, 5), "0.333");
  EXPECT_GE(third.size(), 150U);
  EXPECT_EQ(*Number::parse(third), *divide(1, 3));
}

TEST(NumberTest, DivisionAndRemainderFollowGoCty) {
  EXPECT_TRUE(divide(1, 0)->is_infinite());
  EXPECT_FALSE(divide(0, 0));
  EXPECT_EQ(modulo(-5, 3).text(), "-2");
  EXPECT_EQ(modulo(5, 0).text(), "5");
}

TEST(NumberTest, RefusesWhatIsNotDecimal) {
  for (const char* bad : {"", "1x", " 1", "0x10", "1e", "1e1001", "--1", ".", "Inf", "1_000"}) {
    EXPECT_FALSE(Number::parse(bad)) << bad;
  }
  EXPECT_FALSE(Number::parse(std::string(513, '1')));
  EXPECT_TRUE(Number::parse(std::string(512, '1')));
}

TEST(ValueTest, StringsAreNormalised) {
  EXPECT_EQ(text("e\xCC\x81"), text("\xC3\xA9"));
}

TEST(ValueTest, SetsSortAndDropDuplicates) {
  const Value set = Value::set(Type::string(), {text("b"), text("a"), text("b")});
  ASSERT_EQ(set.length(), 2U);
  EXPECT_EQ(set.elements()[0].text(), "a");
}

TEST(ValueTest, SetTakesOverMarksAndUnknowns) {
  const Value secret = Value::set(Type::string(), {text("a").marked(Marks::sensitive())});
  EXPECT_TRUE(secret.marks().contains(Marks::sensitive()));
  EXPECT_TRUE(Value::set(Type::string(), {Value::unknown(Type::string())}).is_unknown());
}

TEST(ValueTest, EqualityNeedsEqualTypes) {
  EXPECT_FALSE(equals(num(1), text("1")).truth());
  EXPECT_TRUE(equals(Value::tuple({num(1)}), Value::tuple({num(1)})).truth());
  EXPECT_TRUE(equals(Value::null(), Value::null(Type::string())).truth());
}

TEST(ValueTest, EqualityIsUnknownOnlyWhereItDepends) {
  const Value unknown = Value::unknown(Type::number());
  EXPECT_TRUE(equals(unknown, num(1)).is_unknown());
  EXPECT_TRUE(equals(Value::tuple({unknown, num(1)}), Value::tuple({unknown, num(2)})).is_unknown());
  EXPECT_FALSE(equals(Value::tuple({num(1), unknown}), Value::tuple({num(2), unknown})).truth());
}

TEST(ValueTest, MarksSurviveEqualityAndConversion) {
  const Value secret = num(5).marked(Marks::sensitive());
  EXPECT_TRUE(equals(secret, num(5)).is_sensitive());
  EXPECT_TRUE((*convert(secret, Type::string())).is_sensitive());
  EXPECT_TRUE(Value::tuple({secret}).is_sensitive());
  EXPECT_FALSE(Value::tuple({secret}).deep_unmarked().is_sensitive());
}

TEST(ConvertTest, PrimitivesConvertAsInGoCty) {
  EXPECT_EQ((*convert(num(5), Type::string())).text(), "5");
  EXPECT_EQ((*convert(text("1.50"), Type::number())).number().text(), "1.5");
  EXPECT_TRUE((*convert(text("1"), Type::boolean())).truth());
  EXPECT_FALSE(convert(text("yes"), Type::boolean()));
  EXPECT_FALSE(convert(num(1), Type::boolean()));
}

TEST(ConvertTest, ErrorsSayWhere) {
  const auto bad = convert(Value::tuple({num(1), text("x")}), Type::list(Type::number()));
  ASSERT_FALSE(bad);
  EXPECT_EQ(bad.error().text(), "element 1: a number is required");
  const auto missing = convert(Value::object({}), Type::object({{"a", Type::string()}}));
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().text(), "attribute \"a\" is required");
}

TEST(ConvertTest, ListOfAnyUnifiesItsElements) {
  const Value list = *convert(Value::tuple({num(1), text("a")}), Type::list(Type::dynamic()));
  EXPECT_EQ(list.type(), Type::list(Type::string()));
}

TEST(ConvertTest, PartsThatStayOpenInsideMustStillBeOfOneType) {
  const auto holding = [](Value part) { return Value::tuple({std::move(part)}); };
  const Value open = holding(Value::null(Type()));
  EXPECT_TRUE(convert(Value::tuple({open, open}), Type::list(Type())));
  const Value both = Value::tuple({open, holding(holding(num(1)))});
  EXPECT_EQ(convert(both, Type::list(Type())).error().text(), "element types must all match for conversion to list");
  const Value named = Value::object({{"a", open}, {"b", holding(holding(num(1)))}});
  EXPECT_EQ(convert(named, Type::map(Type())).error().text(), "attribute types must all match for conversion to map");
}

TEST(ConvertTest, StructuresMeetCollectionsAlsoWhereTheirPartsDiffer) {
  const Type object = Type::object({{"a", Type::number()}, {"b", Type::boolean()}});
  EXPECT_EQ(unify(std::vector<Type>{object, Type::map(Type::string())}, true), Type::map(Type::string()));
  const Type deep = Type::object({{"a", Type::number()}, {"b", object}});
  EXPECT_EQ(unify(std::vector<Type>{deep, Type::map(Type())}, true), deep);
  const Type open =
      Type::object({{"a", object}, {"b", Type()}});  // its own map is of any, which a value may yet become
  EXPECT_EQ(unify(std::vector<Type>{open, Type::map(Type::string())}, true), Type::map(Type::string()));
  const Type tuple = Type::tuple({Type::string()});
  EXPECT_EQ(unify(std::vector<Type>{Type::set(Type::number()), tuple}, true), Type::set(Type::number()));
}

TEST(ConvertTest, UnificationPrefersTheGeneralType) {
  const std::vector<Type> mixed = {Type::number(), Type::string()};
  EXPECT_EQ(unify(mixed), Type::string());
  const std::vector<Type> objects = {Type::object({{"a", Type::number()}}), Type::object({{"b", Type::string()}})};
  EXPECT_EQ(unify(objects), Type::map(Type::string()));
  const std::vector<Type> hopeless = {Type::string(), Type::tuple({})};
  EXPECT_FALSE(unify(hopeless));
}

}  // namespace
}  // namespace kiln::tmpl
