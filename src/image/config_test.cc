#include "image/manifest.h"
#include "image/test_support.h"
#include "image/word.h"
#include "support/golden.h"

namespace kiln::image {
namespace {

Config base_config() {
  Config config;
  config.env = {{"PATH", "/usr/bin"}, {"HOME", "/root"}};
  config.cmd = {"bash"};
  config.working_dir = "/opt";
  return config;
}

/// The run configuration after some instructions, as one line; or the message.
std::string changed(const std::vector<std::string>& instructions) {
  Config config = base_config();
  auto done = apply_changes(config, instructions);
  if (!done) return done.error().text();
  return render_json(render_config(ImageSpec{.config = config})["config"]);
}

struct ChangeCase {
  std::string instruction, member, wanted;
};

TEST(ChangeTest, InstructionsAreReadAsDockerReadsThem) {
  const ChangeCase cases[] = {
      {R"(CMD ["a", "b c"])", "Cmd", R"(["a","b c"])"},
      {"CMD echo $HOME  'x'", "Cmd", R"(["/bin/sh","-c","echo $HOME  'x'"])"},
      {"cmd x", "Cmd", R"(["/bin/sh","-c","x"])"},
      {"CMD [not json", "Cmd", R"(["/bin/sh","-c","[not json"])"},
      {R"(ENTRYPOINT ["/init"])", "Entrypoint", R"(["/init"])"},
      {"ENV A=1 B='2 3' C=\"4 $HOME\" D=5\\ 6", "Env",
       R"(["A=1","B=2 3","C=4 /root","D=5 6","HOME=/root","PATH=/usr/bin"])"},
      {"ENV PATH /opt/bin:$PATH", "Env", R"(["HOME=/root","PATH=/opt/bin:/usr/bin"])"},
      {"ENV A=${B:-x} PATH=${PATH:+set}", "Env", R"(["A=x","HOME=/root","PATH=set"])"},
      {"ENV A='$HOME' B=\\$HOME", "Env", R"(["A=$HOME","B=$HOME","HOME=/root","PATH=/usr/bin"])"},
      {"ENV A=1 \\\n  B=2", "Env", R"(["A=1","B=2","HOME=/root","PATH=/usr/bin"])"},
      {"LABEL a.b=\"c d\" e=f", "Labels", R"({"a.b":"c d","e":"f"})"},
      {"LABEL version 1.0", "Labels", R"({"version":"1.0"})"},
      {"EXPOSE 8080 53/UDP 7000-7001", "ExposedPorts", R"({"53/udp":{},"7000/tcp":{},"7001/tcp":{},"8080/tcp":{}})"},
      {"VOLUME /data /logs", "Volumes", R"({"/data":{},"/logs":{}})"},
      {R"(VOLUME ["/a b"])", "Volumes", R"({"/a b":{}})"},
      {"USER 185:0", "User", R"("185:0")"},
      {"WORKDIR spark/../work", "WorkingDir", R"("/opt/work")"},
      {"WORKDIR /a/b/", "WorkingDir", R"("/a/b")"},
      {"ONBUILD RUN echo", "OnBuild", R"(["RUN echo"])"},
  };
  for (const ChangeCase& c : cases) {
    const Json result = Json::parse(changed({c.instruction}), nullptr, false);
    ASSERT_FALSE(result.is_discarded()) << changed({c.instruction});
    EXPECT_EQ(render_json(result.value(c.member, Json())), c.wanted) << c.instruction;
  }
}

TEST(ChangeTest, EntrypointForgetsTheBasesCmdButNotAnEarlierOne) {
  EXPECT_EQ(changed({"ENTRYPOINT [\"/x\"]"}).find("\"Cmd\""), std::string::npos);
  EXPECT_NE(changed({"CMD [\"y\"]", "ENTRYPOINT [\"/x\"]"}).find(R"("Cmd":["y"])"), std::string::npos);
  EXPECT_EQ(changed({"ENTRYPOINT []"}).find("Entrypoint"), std::string::npos);
}

TEST(ChangeTest, ShellOfTheImageRunsShellForms) {
  Config config;
  config.other["Shell"] = {"/bin/bash", "-c"};
  ASSERT_TRUE(apply_change(config, "CMD a b"));
  EXPECT_EQ(*config.cmd, (std::vector<std::string>{"/bin/bash", "-c", "a b"}));
}

TEST(ChangeTest, MistakesNameTheInstruction) {
  const std::pair<const char*, const char*> cases[] = {
      {"RUN x", "'RUN' is not one of CMD, ENTRYPOINT"},
      {"CMD", "needs an argument"},
      {"CMD [1]", "strings in double quotes"},
      {"ENV A", "'A' has no value"},
      {"ENV A=1 B", "'B' has no '='"},
      {"ENV A='x", "single quote that is not closed"},
      {"ENV A=\"x", "double quote that is not closed"},
      {"ENV A=${x", "without its }"},
      {"ENV A=${x:?y}", "only :- and :+"},
      {"ENV =x", "a name is empty"},
      {"EXPOSE 0", "not a port"},
      {"EXPOSE 99999", "not a port"},
      {"EXPOSE 9-8", "not a range"},
      {"EXPOSE 80/icmp", "tcp, udp or sctp"},
      {"USER a b", "exactly one"},
      {"ONBUILD FROM x", "cannot be a trigger"},
  };
  for (const auto& [instruction, message] : cases) {
    Config config;
    auto done = apply_change(config, instruction);
    ASSERT_FALSE(done) << instruction;
    EXPECT_EQ(done.error().code(), Errc::usage);
    EXPECT_THAT(done.error().text(), testing::AllOf(testing::HasSubstr(message), testing::HasSubstr(instruction)));
  }
}

TEST(ConfigTest, UnknownMembersSurviveReadingAndWriting) {
  const std::string text =
      R"({"architecture":"amd64","author":"me","config":{"Cmd":["x"],"Entrypoint":["/e"],"Env":["A=1","B="],)"
      R"("ExposedPorts":{"80/tcp":{}},"Healthcheck":{"Test":["NONE"]},"Labels":{"l":"1"},"OnBuild":["RUN x"],)"
      R"("StopSignal":"SIGINT","User":"185","Volumes":{"/v":{}},"WorkingDir":"/w"},"created":"2024-01-01T00:00:00Z",)"
      R"("os":"linux","rootfs":{"diff_ids":[],"type":"layers"}})";
  auto config = parse_config(*parse_json(text));
  ASSERT_TRUE(config);
  EXPECT_EQ(render_json(render_config(ImageSpec{.config = *config})), text);
}

TEST(ConfigTest, VariablesWithoutANameAreIgnored) {
  auto config = parse_config(*parse_json(R"({"config":{"Env":["=x","novalue","A=1"]}})"));
  ASSERT_TRUE(config);
  EXPECT_EQ(config->env, (std::map<std::string, std::string>{{"A", "1"}}));
}

TEST(ConfigTest, WrongTypesAreNamed) {
  for (const char* text : {R"([])", R"({"config":[]})", R"({"config":{"Env":"x"}})", R"({"config":{"Cmd":[1]}})",
                           R"({"config":{"Labels":{"a":1}}})", R"({"config":{"Volumes":[]}})", R"({"os":1})"}) {
    auto config = parse_config(*parse_json(text));
    ASSERT_FALSE(config) << text;
    EXPECT_EQ(config.error().code(), Errc::corrupt);
  }
}

TEST(NameTest, NamesAreCompletedAsDockerCompletesThem) {
  EXPECT_EQ(*full_image_name("spark"), "docker.io/library/spark:latest");
  EXPECT_EQ(*full_image_name("apache/spark:4.3.0"), "docker.io/apache/spark:4.3.0");
  EXPECT_EQ(*full_image_name("localhost:5000/spark"), "localhost:5000/spark:latest");
  for (const char* bad : {"", "Spark", "spark:", "a//b", "spark:a b", "-x", "a:-b", "a@sha256:x", "../x"}) {
    EXPECT_FALSE(full_image_name(bad)) << bad;
  }
}

TEST(WordTest, SplitsAtBlanksOutsideQuotes) {
  EXPECT_EQ(split_words("  a 'b c'  \"d \\\" e\" f\\ g "),
            (std::vector<std::string>{"a", "'b c'", "\"d \\\" e\"", "f\\ g"}));
  EXPECT_EQ(*expand_word("a$", {}), "a$");
  EXPECT_EQ(*expand_word("${A:-${B:-c}}", {{"B", "b"}}), "b");
}

}  // namespace
}  // namespace kiln::image
