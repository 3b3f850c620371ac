#include "event/mask.h"

#include <gtest/gtest.h>

#include "base/process.h"
#include "event/json.h"
#include "support/recording_sink.h"

namespace kiln::event {

namespace {

std::string masked(const std::vector<std::string>& secrets, std::string_view text) {
  return SecretMask(secrets).mask(text);
}

/// What a reader sees of these events behind a mask.
std::vector<Event> seen(const std::vector<std::string>& secrets, const std::vector<Fact>& facts) {
  const SecretMask mask(secrets);
  RecordingSink reader;
  MaskingSink sink(mask, reader);
  for (const Fact& fact : facts) sink.on({1, fact});
  return reader.events;
}

}  // namespace

TEST(SecretMaskTest, ReplacesEveryOccurrence) {
  EXPECT_EQ(masked({"hunter2"}, "hunter2 and hunter2hunter2."), "<sensitive> and <sensitive><sensitive>.");
  EXPECT_EQ(masked({"hunter2"}, "hunter"), "hunter");
  EXPECT_EQ(masked({}, "hunter2"), "hunter2");
}

TEST(SecretMaskTest, LongestWinsAndOverlapsBecomeOne) {
  EXPECT_EQ(masked({"pass", "password"}, "password pass"), "<sensitive> <sensitive>");
  EXPECT_EQ(masked({"abcdef", "efghij"}, "xabcdefghijx"), "x<sensitive>x");
}

TEST(SecretMaskTest, ShorterThanFourCharactersIsIgnored) {
  EXPECT_EQ(masked({"abc", "", "  a ", "\n\n\n\n"}, "abc   a \n\n\n\n"), "abc   a \n\n\n\n");
  EXPECT_EQ(masked({"abcd"}, "abcd"), "<sensitive>");
}

TEST(SecretMaskTest, EachLineOfAMultiLineSecret) {
  const std::string key = "-----BEGIN KEY-----\r\n  c2VjcmV0\nab\n-----END KEY-----\n";
  EXPECT_EQ(masked({key}, "c2VjcmV0"), "<sensitive>");
  EXPECT_EQ(masked({key}, "x-----END KEY-----y"), "x<sensitive>y");
  EXPECT_EQ(masked({key}, "ab"), "ab");
  EXPECT_EQ(masked({key}, "got:" + key), "got:<sensitive>");
}

TEST(SecretMaskTest, EncodedFormsOfLongSecrets) {
  const std::vector<std::string> secret = {"it's \"se/cret\""};
  EXPECT_EQ(masked(secret, R"({"p":"it's \"se/cret\""})"), R"({"p":"<sensitive>"})");
  EXPECT_EQ(masked(secret, "a=it%27s%20%22se%2Fcret%22"), "a=<sensitive>");
  EXPECT_EQ(masked(secret, R"(+ echo 'it'\''s "se/cret"')"), "+ echo '<sensitive>'");
  EXPECT_EQ(masked(secret, "hex 69742773202273652f6372657422 69742773202273652F6372657422"),
            "hex <sensitive> <sensitive>");
}

TEST(SecretMaskTest, Base64AtEveryAlignment) {  // texts made with coreutils' base64
  const std::vector<std::string> secret = {"secretpassword"};
  EXPECT_EQ(masked(secret, "c2VjcmV0cGFzc3dvcmQ="), "<sensitive>Q=");          // secretpassword
  EXPECT_EQ(masked(secret, "eHNlY3JldHBhc3N3b3Jk"), "eH<sensitive>");          // xsecretpassword
  EXPECT_EQ(masked(secret, "eHhzZWNyZXRwYXNzd29yZA=="), "eHh<sensitive>A==");  // xxsecretpassword
}

TEST(MaskingSinkTest, EveryTextOfEveryFact) {
  const std::string s = "s3cr3t";
  const std::vector<Fact> facts = {
      RunStarted{"0.1", "run", s, {{s, "docker"}}, {{0, "run", s, {}, {s}}}},
      StepStarted{0, s},
      StepLine{0, s, false},
      StepProgress{0, s, 1, 2},
      StepFinished{0, Outcome::failed, 1, "", s},
      Warning{0, s, s},
      BuildMessage{s, s, false},
      BuildFinished{s, Outcome::failed, 1, {{"b", s, s, {s}}}, s},
      RunFinished{Outcome::failed, 1, "step"},
  };
  const std::vector<Event> events = seen({s}, facts);
  ASSERT_EQ(events.size(), std::variant_size_v<Fact>);
  for (const Event& event : events) {
    EXPECT_EQ(render_event(event).find(s), std::string::npos) << render_event(event);
  }
}

TEST(MaskingSinkTest, KilnsOwnWordsAreLeftAlone) {
  const std::vector<Fact> facts = {RunStarted{"0.1.0", "run", "", {{"a", "docker"}}, {{0, "base", "", {}, {}}}},
                                   StepFinished{0, Outcome::built, 1, "sha256:base", ""},
                                   RunFinished{Outcome::failed, 1, "step"}};
  const std::vector<Event> events = seen({"base", "step", "docker", "failed", "0.1.0"}, facts);
  for (std::size_t i = 0; i < facts.size(); ++i) EXPECT_EQ(events[i].what, facts[i]);
}

TEST(MaskingSinkTest, SecretAcrossTheCutOfALongLine) {
  const std::string secret = "correct horse battery";
  for (std::size_t before = 0; before <= secret.size(); ++before) {
    const std::string first = std::string(LineSplitter::kMaxLine - before, 'x') + secret.substr(0, before);
    const std::vector<Event> events = seen({secret}, {StepLine{3, first, false}, StepLine{3, "other stream", true},
                                                      StepLine{3, secret.substr(before) + "y", false}});
    std::string text;
    for (const Event& event : events) {
      const auto& line = std::get<StepLine>(event.what);
      if (!line.is_stderr) text += line.text;
    }
    EXPECT_EQ(text, std::string(LineSplitter::kMaxLine - before, 'x') + "<sensitive>y") << before;
  }
}

TEST(MaskingSinkTest, HeldEndOfALineComesBeforeTheStepFinished) {
  const std::string line(LineSplitter::kMaxLine, 'x');
  const std::vector<Event> events =
      seen({"secret"}, {StepLine{0, line, false}, StepFinished{0, Outcome::built, 1, "", ""}});
  ASSERT_EQ(events.size(), 3U);
  EXPECT_EQ(std::get<StepLine>(events[0].what).text + std::get<StepLine>(events[1].what).text, line);
}

TEST(MaskingSinkTest, EndlessSecretDoesNotFillMemory) {
  const std::string line(LineSplitter::kMaxLine, 'a');
  const std::vector<Event> events = seen({"aaaa"}, std::vector<Fact>(6, StepLine{0, line, false}));
  EXPECT_EQ(std::get<StepLine>(events[4].what).text, "<sensitive>");
}

}  // namespace kiln::event
