#include <gtest/gtest.h>

#include "base/file.h"
#include "template/body_reader.h"

namespace kiln::tmpl {
namespace {

/// The body of one shell provisioner, with secret and unknown values at hand.
class ReaderTest : public testing::Test {
 protected:
  void read(const std::string& options) {
    const std::string text =
        "variable \"s\" {\n default = \"pw\"\n sensitive = true\n}\nsource \"null\" \"a\" {}\n"
        "build {\n sources = [\"null.a\"]\n provisioner \"shell\" {\n" +
        options + "\n }\n}\n";
    const World world{.read_file = [&](const fs::path&) { return Result<std::string>(text); }, .env = {}, .cwd = "/"};
    loaded = load({.path = "t.pkr.hcl"}, world);
    ASSERT_TRUE(loaded.result) << render(loaded.diagnostics.at(0), loaded.sources);
    body = loaded.result->builds[0].provisioners[0].decode(problems, values.empty() ? nullptr : &values);
    ASSERT_TRUE(body);
    reader.emplace(*body, problems, "provisioner \"shell\"");
  }
  Loaded loaded;
  BuildValues values;
  Diagnostics problems;
  std::optional<Body> body;
  std::optional<BodyReader> reader;
};

TEST_F(ReaderTest, ReadsEveryType) {
  read(
      "a = 5\nb = \"true\"\nc = \"7\"\nd = [1, \"x\"]\ne = { k = 1 }\nf = \"1m\"\ng = 1.5\nh = [1, 2]\nblk {\n x = "
      "1\n}");
  EXPECT_EQ(reader->string("a"), "5");
  EXPECT_EQ(reader->boolean("b"), true);
  EXPECT_EQ(reader->integer("c"), 7);
  EXPECT_EQ(reader->strings("d"), (std::vector<std::string>{"1", "x"}));
  EXPECT_EQ(reader->string_map("e"), (std::map<std::string, std::string>{{"k", "1"}}));
  EXPECT_EQ(reader->duration("f"), Duration(60'000));
  EXPECT_EQ(reader->number("g"), 1.5);
  EXPECT_EQ(reader->integers("h"), (std::vector<std::int64_t>{1, 2}));
  EXPECT_EQ(reader->blocks("blk").size(), 1U);
  EXPECT_FALSE(reader->string("absent"));
  reader->finish();
  EXPECT_TRUE(problems.empty());
}

TEST_F(ReaderTest, ReportsWhatNobodyReadWithASuggestion) {
  read("inlin = [\"a\"]\nother {}");
  reader->strings("inline");
  reader->blocks("others");
  reader->finish();
  ASSERT_EQ(problems.size(), 2U);
  EXPECT_EQ(problems[0].detail,
            "An argument named \"inlin\" is not expected in provisioner \"shell\". Did you mean \"inline\"?");
  EXPECT_NE(problems[1].detail.find("Did you mean \"others\"?"), std::string::npos);
}

TEST_F(ReaderTest, ReportsWrongTypesAtTheValue) {
  read("inline = \"one\"\ntimes = 1.5\nwait = \"soon\"");
  EXPECT_FALSE(reader->strings("inline"));
  EXPECT_FALSE(reader->integer("times"));
  EXPECT_FALSE(reader->duration("wait"));
  reader->required_string("script");
  ASSERT_EQ(problems.size(), 4U);
  EXPECT_EQ(problems[0].subject->start.line, 9U);
  EXPECT_EQ(problems[3].summary, "Missing required argument");
}

TEST_F(ReaderTest, SecretsAndUnknownsAreRecognised) {
  read("env = [\"P=${var.s}\"]\nid = build.ID\nplain = \"x\"");
  EXPECT_TRUE(reader->is_sensitive("env"));
  EXPECT_FALSE(reader->is_sensitive("plain"));
  EXPECT_FALSE(reader->string("id"));
  reader->string("plain");
  EXPECT_EQ(reader->unknown(), std::set<std::string>{"id"});
  EXPECT_EQ(loaded.result->secrets, std::vector<std::string>{"pw"});
}

TEST_F(ReaderTest, DecodingAgainHasTheValuesOfTheBuild) {
  values = {{"ID", "i-1"}, {"Custom", "x"}};
  read("id = \"${build.ID} ${build.name}\"");
  EXPECT_EQ(reader->string("id"), "i-1 ");
}

TEST_F(ReaderTest, IgnoredOptionsAreNamed) {
  read("ssh_username = \"x\"\nfilter {}");
  EXPECT_EQ(reader->ignore({"filter", "region", "ssh_username"}), (std::vector<std::string>{"filter", "ssh_username"}));
  reader->finish();
  EXPECT_TRUE(problems.empty());
}

TEST(LoadTest, TheSparkTemplateLoads) {
  const World world{.read_file = [](const fs::path& p) { return read_file(p); }, .env = {}, .cwd = "/"};
  const Loaded loaded = load({.path = fs::path(KILN_SOURCE_DIR) / "images/spark/spark.pkr.hcl"}, world);
  ASSERT_TRUE(loaded.result) << render(loaded.diagnostics.at(0), loaded.sources);
  EXPECT_EQ(loaded.result->builds.size(), 3U);
  EXPECT_TRUE(loaded.diagnostics.empty());
}

TEST(LoadTest, AMissingTemplateIsAnErrorThatNamesIt) {
  const World world{.read_file = [](const fs::path& p) { return read_file(p); }, .env = {}, .cwd = "/"};
  const Loaded loaded = load({.path = "/nonexistent/x.pkr.hcl"}, world);
  EXPECT_FALSE(loaded.result);
  ASSERT_EQ(loaded.diagnostics.size(), 1U);
  EXPECT_NE(loaded.diagnostics[0].detail.find("/nonexistent/x.pkr.hcl"), std::string::npos);
}

}  // namespace
}  // namespace kiln::tmpl
