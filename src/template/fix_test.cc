#include "template/fix.h"

#include <gtest/gtest.h>

#include "base/json.h"

namespace kiln::tmpl {
namespace {

/// The first builder of a template that has only the one.
Json fixed_builder(const std::string& builder) {
  const auto text = fixed_template("{\"builders\": [" + builder + "]}");
  return parse_json(text ? *text : "{}").take()["builders"][0];
}

TEST(FixTest, OldNamesBecomeNewOnes) {
  EXPECT_EQ(fixed_builder(R"({"type": "amazon-ebs", "shutdown_behaviour": "stop", "enhanced_networking": true})"),
            Json({{"type", "amazon-ebs"}, {"shutdown_behavior", "stop"}, {"ena_support", true}}));
}

TEST(FixTest, ChecksumsOfImagesAreOneOption) {
  EXPECT_EQ(fixed_builder(R"({"type": "qemu", "iso_md5": "abc"})"),
            Json({{"type", "qemu"}, {"iso_checksum", "md5:abc"}}));
}

TEST(FixTest, TagsOfChainsBecomeLists) {
  const auto text = fixed_template(R"({"post-processors": [[{"type": "docker-tag", "tag": "a, b", "tags": ["c"]}]]})");
  ASSERT_TRUE(text);
  EXPECT_EQ(parse_json(*text).take()["post-processors"][0][0]["tags"], Json({"a", "b", "c"}));
}

TEST(FixTest, TextIsAsGoPrintsIt) {
  const auto text = fixed_template(
      "{\"b\": [1e25, 0.000001, 1e-7, 100000000000, -0.0, 1.50, 123456789012345678901],"
      "\"a\": \"<&>\\u2028\\u0001\", \"c\": [], \"d\": {}}");
  ASSERT_TRUE(text);
  EXPECT_EQ(*text, R"({
  "a": "<\u0026>\u2028\u0001",
  "b": [
    1e+25,
    0.000001,
    1e-7,
    100000000000,
    -0,
    1.5,
    123456789012345680000
  ],
  "c": [],
  "d": {}
}
)");
}

TEST(FixTest, WhatIsNoTemplateIsRefused) {
  EXPECT_EQ(fixed_template("[]").error().code(), Errc::corrupt);
  EXPECT_EQ(fixed_template("{").error().code(), Errc::corrupt);
}

}  // namespace
}  // namespace kiln::tmpl
