#include "plan/test_graph.h"
#include "support/golden.h"

namespace kiln::plan {
namespace {

RunStep java() {
  RunStep run;
  run.script = "#!/bin/sh\napt-get install java\n";
  run.script_name = "20-java.sh";
  run.remote_path = "/tmp/script.sh";
  run.execute_command = "chmod +x {{.Path}}; {{.Vars}} {{.Path}}";
  run.env = {{"JAVA", "17"}, {"TOKEN", "secret", true}};
  return run;
}

BootStep boot() {
  BootStep step;
  step.script = "grub";
  step.cloud = "ec2";
  step.kernel_options = "console=ttyS0";
  return step;
}

/// One step of every kind, with every field that can matter filled in.
std::vector<What> one_of_each() {
  HostStep host{.type = "shell-local",
                .scripts = {{{}, "s"}, {"a.sh", {}}},
                .execute = {"/bin/sh", "-c", "{{.Script}}"},
                .env = {{"A", "1"}}};
  PackStep pack{.format = "docker", .output = "/out/x.tar", .changes = {"USER 185"}, .tags = {"a:1", "a:2"}};
  pack.author = "me";
  pack.message = "made";
  PackStep disk{.format = "disk", .output = "/out/x.raw", .changes = {}, .tags = {}};
  disk.disk_bytes = 1 << 30;
  disk.files = {{"raw", "/out/x.raw"}, {"qcow2", "/out/x.qcow2"}};
  PostStep post{.type = "manifest", .options = {{"output", "m.json"}}, .secrets = {{"P", "pw", true}}};
  return {BaseStep{{"debian:12", "docker", "debian:12"}, {{"digest", "sha256:00"}}},
          java(),
          CopyStep{{{"/src/conf", {}, "/etc/conf", true, sha256("conf")}, {{}, "text", "/x", false, sha256("text")}}},
          FetchStep{"/var/log/build", "/host/log"},
          host,
          boot(),
          pack,
          disk,
          post};
}

TEST_F(PlanTest, GoldenKeys) {  // a change here makes every store out of date: raise kKeyVersion
  world.keep = {"/var/log/keep"};
  std::string text;
  Digest parent;
  for (const What& what : one_of_each()) {
    const Description d = describe(what, world);
    for (const auto& [name, value] : d.fields) text += fmt::format("{} = {}\n", name, value);
    parent = key_of(d, parent.empty() ? std::vector<Digest>() : std::vector<Digest>{parent});
    text += "=> " + parent.hex() + "\n\n";
  }
  expect_golden("keys.txt", text);
}

TEST_F(PlanTest, WhatDoesNotMatterIsInNoKey) {
  const auto key = [&](const What& what) { return describe(what, world).hash(); };
  RunStep patient = java();
  patient.max_retries = 3;
  patient.timeout = Duration(1000);
  EXPECT_EQ(key(patient), key(java()));
  EXPECT_EQ(key(PackStep{.format = "docker", .output = "/a"}), key(PackStep{.format = "docker", .output = "/b"}));
  world.cwd = "/elsewhere";
  world.output_dir = "/other";
  EXPECT_EQ(key(java()), describe(java(), world).hash());
}

TEST_F(PlanTest, WhatMattersChangesTheKey) {
  const Digest before = describe(java(), world).hash();
  const std::vector<std::function<void(RunStep&)>> changes = {
      [](RunStep& s) { s.script += "#"; },
      [](RunStep& s) { s.remote_path = "/root/s"; },
      [](RunStep& s) { s.execute_command = "sh {{.Path}}"; },
      [](RunStep& s) { s.env[0].value = "21"; },
      [](RunStep& s) { s.env.pop_back(); },
      [](RunStep& s) { s.user = "spark"; },
      [](RunStep& s) {
        s.valid_exit_codes = {0, 3};
      },
      [](RunStep& s) { s.expect_disconnect = true; },
      [](RunStep& s) { s.skip_clean = true; },
      [](RunStep& s) { s.use_env_var_file = true; },
  };
  for (std::size_t i = 0; i < changes.size(); ++i) {
    RunStep changed = java();
    changes[i](changed);
    EXPECT_NE(describe(changed, world).hash(), before) << "change " << i;
  }
  world.network = "none";
  EXPECT_NE(describe(java(), world).hash(), before);
}

TEST_F(PlanTest, FieldsAreFramedSoThatTheirBorderCounts) {
  Description one, other;
  one.add("ab", "c");
  other.add("a", "bc");
  EXPECT_NE(one.hash(), other.hash());
}

TEST_F(PlanTest, AParentsKeyIsPartOfTheKey) {
  const Description d = describe(java(), world);
  EXPECT_NE(key_of(d, {sha256("a")}), key_of(d, {sha256("b")}));
  EXPECT_NE(key_of(d, {}), key_of(d, {sha256("a")}));
}

TEST_F(PlanTest, ExplainNamesWhatChangedCameAndWent) {
  RunStep now = java();
  now.script += "# comment\n";
  now.env = {{"JAVA", "21"}, {"NEW", "1"}};
  EXPECT_EQ(explain(describe(java(), world), describe(now, world)),
            "script 20-java.sh changed; env JAVA changed; env NEW is new; env TOKEN is gone");
  EXPECT_EQ(explain(describe(now, world), describe(now, world)), "");
}

TEST_F(PlanTest, DescriptionsSurviveJsonAndDamage) {
  const Description d = describe(java(), world);
  EXPECT_EQ(Description::from_json(d.to_json()).hash(), d.hash());
  EXPECT_TRUE(Description::from_json({{"a", 1}}).fields.empty());
  EXPECT_TRUE(Description::from_json(Json::array({1, Json::array({"x"}), nullptr})).fields.empty());
}

TEST(ReferenceTest, TransportsAreThoseOfSkopeo) {
  const std::vector<std::array<std::string, 3>> cases = {
      {"debian:12", "docker", "debian:12"},
      {"docker://host:5000/a/b:t", "docker", "host:5000/a/b:t"},
      {"docker:dind", "docker", "docker:dind"},
      {"bootstrap:debian/bookworm", "bootstrap", "debian/bookworm"},
      {"docker-archive:/a.tar", "docker-archive", "/a.tar"},
      {"oci-archive:a:tag", "oci-archive", "a:tag"},
      {"oci:dir:tag", "oci", "dir:tag"},
      {"tar:x", "tar", "x"},
      {"ami-0123", "ebs", "ami-0123"},
  };
  for (const auto& [text, transport, location] : cases) {
    auto ref = parse_base(text);
    ASSERT_TRUE(ref) << text;
    EXPECT_EQ(ref->transport, transport) << text;
    EXPECT_EQ(ref->location, location) << text;
  }
  EXPECT_FALSE(parse_base(""));
  EXPECT_FALSE(parse_base("tar:"));
}

TEST_F(PlanTest, ADirectorysDigestSeesNamesModesContentsAndLinks) {
  file("d/a", "1");
  fs::create_symlink("a", dir.path() / "d/link");
  const auto digest = [&] { return tree_digest(dir.path() / "d", world.file_digest).take(); };
  const Digest before = digest();
  EXPECT_EQ(digest(), before);
  fs::permissions(dir.path() / "d/a", fs::perms::owner_read);
  const Digest other_mode = digest();
  EXPECT_NE(other_mode, before);
  fs::remove(dir.path() / "d/link");
  fs::create_symlink("b", dir.path() / "d/link");
  EXPECT_NE(digest(), other_mode);
}

}  // namespace
}  // namespace kiln::plan
