#include "cloud/reference.h"

#include <gtest/gtest.h>

#include "cloud/registry_auth.h"
#include "cloud/registry_config.h"

namespace kiln::cloud {
namespace {

const std::string kDigest = "sha256:" + std::string(64, 'a');

TEST(ReferenceTest, ReadsTheFormsOfDockerAndSkopeo) {
  struct Case {
    std::string text, host, path, tag;
  };
  for (const Case& c : {Case{"debian:bookworm", "", "debian", "bookworm"}, Case{"debian", "", "debian", "latest"},
                        Case{"team/app", "", "team/app", "latest"},
                        Case{"docker://h.example:5000/a/b__c/d-e.f:T_1", "h.example:5000", "a/b__c/d-e.f", "T_1"},
                        Case{"localhost/x", "localhost", "x", "latest"}, Case{"[::1]:5000/x:1", "[::1]:5000", "x", "1"},
                        Case{"h.example/x:1@" + kDigest, "h.example", "x", "1"}, Case{"x@" + kDigest, "", "x", ""}}) {
    auto ref = parse_reference(c.text);
    ASSERT_TRUE(ref) << c.text;
    EXPECT_EQ(ref->host + "|" + ref->path + "|" + ref->tag, c.host + "|" + c.path + "|" + c.tag) << c.text;
  }
  EXPECT_EQ(parse_reference("h.example/x:1@" + kDigest)->version(), kDigest);
}

TEST(ReferenceTest, RefusesEverythingElse) {
  for (const std::string& bad : {std::string(),
                                 std::string(":tag"),
                                 std::string("Debian"),
                                 std::string("a//b"),
                                 std::string("a/../b"),
                                 std::string("a:"),
                                 std::string("a:b:c"),
                                 std::string("h.example:x/a"),
                                 std::string("a@sha256:12"),
                                 std::string("a___b"),
                                 std::string("a..b"),
                                 std::string("-a"),
                                 std::string("a-"),
                                 std::string("h.example/"),
                                 std::string(64, 'a'),
                                 "a/" + std::string(255, 'b'),
                                 "a:" + std::string(129, 't'),
                                 std::string("a b"),
                                 std::string("u@h.example/a"),
                                 std::string("https://h.example/a"),
                                 std::string("a\n"),
                                 std::string("a?b")}) {
    auto ref = parse_reference(bad);
    ASSERT_FALSE(ref) << bad;
    EXPECT_EQ(ref.error().code(), Errc::usage);
  }
}

TEST(RegistryConfigTest, ShortNamesNeedAConfiguredRegistry) {
  RegistryConfig config;
  auto nowhere = qualify(config, "debian:bookworm");
  ASSERT_FALSE(nowhere);
  EXPECT_NE(nowhere.error().text().find("unqualified-search-registries"), std::string::npos);
  config.default_registry = "h.example/library";
  config.aliases["tool"] = "other.example/team/tool";
  EXPECT_EQ(qualify(config, "debian:bookworm")->text(), "h.example/library/debian:bookworm");
  EXPECT_EQ(qualify(config, "team/app")->text(), "h.example/team/app:latest");
  EXPECT_EQ(qualify(config, "tool@" + kDigest)->text(), "other.example/team/tool@" + kDigest);
  EXPECT_EQ(qualify(config, "own.example/x")->text(), "own.example/x:latest");
}

TEST(RegistryConfigTest, ReadsRegistriesConf) {
  RegistryConfig config;
  ASSERT_TRUE(add_registries_conf(config, R"(# comment
unqualified-search-registries = [ "h.example", # first
  'second.example' ]
short-name-mode = "enforcing"
[[registry]]
prefix = "h.example"
location = "api.h.example"
[[registry]]
location = "lab.example:5000"
insecure = true
[[registry.mirror]]
location = "mirror.example"
insecure = true
[aliases]
  "tool" = "h.example/library/tool"
)"));
  EXPECT_EQ(config.default_registry, "h.example");
  EXPECT_EQ(config.locations, (std::map<std::string, std::string>{{"h.example", "api.h.example"}}));
  EXPECT_EQ(config.insecure_hosts, std::vector<std::string>{"lab.example:5000"});
  EXPECT_EQ(config.aliases.at("tool"), "h.example/library/tool");
  auto bad = add_registries_conf(config, "a = 1\nb \"x\"");
  ASSERT_FALSE(bad);
  EXPECT_EQ(bad.error().text(), "line 2: \"=\" is missing");
}

TEST(RegistryConfigTest, ReadsTheMachinesOwnFiles) {
  EXPECT_TRUE(read_registry_config(usual_registry_files({{"HOME", "/nonexistent"}})));
}

TEST(RegistryConfigTest, ReadsDockersCredentials) {
  RegistryConfig config;
  ASSERT_TRUE(add_docker_config(config, R"({"auths":{"https://h.example/v1/":{"auth":"dXNlcjpwOnc="},
    "stored.example":{}},"credsStore":"pass","credHelpers":{"cloud.example":"x"}})"));
  EXPECT_EQ(config.credentials.at("h.example").user, "user");
  EXPECT_EQ(config.credentials.at("h.example").password, "p:w");
  EXPECT_EQ(config.hosts_with_helpers, (std::vector<std::string>{"stored.example", "cloud.example"}));
  auto bad = add_docker_config(config, R"({"auths":{"h.example":{"auth":"S3CRET!"}}})");
  ASSERT_FALSE(bad);
  EXPECT_EQ(bad.error().text().find("S3CRET"), std::string::npos);
}

TEST(ChallengeTest, ReadsSchemesAndQuotedValues) {
  const auto all = parse_challenges(R"(Basic realm="a, b=\"c\"", Bearer realm="https://t/x",service=s ,scope="p:q")");
  ASSERT_EQ(all.size(), 2U);
  EXPECT_EQ(all[0].values.at("realm"), "a, b=\"c\"");
  EXPECT_EQ(all[1].scheme, "bearer");
  EXPECT_EQ(all[1].values.at("realm"), "https://t/x");
  EXPECT_EQ(all[1].values.at("service"), "s");
  EXPECT_TRUE(parse_challenges("=\"").empty());
  EXPECT_EQ(parse_challenges("Bearer realm=\"open").at(0).values.at("realm"), "open");
}

}  // namespace
}  // namespace kiln::cloud
