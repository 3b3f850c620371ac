#include <gmock/gmock.h>
#include <sys/stat.h>

#include "base/file.h"
#include "steps/artifact.h"
#include "steps/manifest.h"

namespace kiln::steps {
namespace {

using testing::HasSubstr;

class ManifestTest : public testing::Test {
 protected:
  ManifestEntry entry(const std::string& run) const {
    return {"x", "docker", 0, {image.native()}, "sha256:1", run, {{"k", "v"}}, true};
  }
  Json read() const { return parse_json(read_file(path).take()).take(); }

  TempDir dir = TempDir::create(testing::TempDir(), "manifest").take();
  fs::path path = dir.path() / "deep/packer-manifest.json", image = dir.path() / "x.tar";
};

TEST_F(ManifestTest, EntriesAreAddedWithPackersFieldsInPackersOrder) {
  ASSERT_TRUE(write_file(image, "12345"));
  ASSERT_TRUE(append_manifest(path, entry("run-1"), false));
  EXPECT_EQ(read_file(path).take(), R"({
  "builds": [
    {
      "name": "x",
      "builder_type": "docker",
      "files": [
        {
          "name": "x.tar",
          "size": 5
        }
      ],
      "artifact_id": "sha256:1",
      "packer_run_uuid": "run-1",
      "custom_data": {
        "k": "v"
      }
    }
  ],
  "last_run_uuid": "run-1"
})");
  ASSERT_TRUE(append_manifest(path, entry("run-2"), false));
  EXPECT_EQ(read()["builds"].size(), 2U);
  EXPECT_TRUE(manifest_has(path, "x", "sha256:1", "run-2"));
  EXPECT_FALSE(manifest_has(path, "x", "sha256:2", "run-2"));
}

TEST_F(ManifestTest, ForceBeginsAnewOnceARun) {
  ASSERT_TRUE(append_manifest(path, entry("run-1"), false));
  ASSERT_TRUE(append_manifest(path, entry("run-2"), true));
  ASSERT_TRUE(append_manifest(path, entry("run-2"), true));
  EXPECT_EQ(read()["builds"].size(), 2U);
}

TEST_F(ManifestTest, AFileThatIsNoManifestIsLeftAlone) {
  for (const char* text : {"precious", "[]", "{}", "{\"builds\":5}", ""}) {
    fs::create_directories(path.parent_path());
    ASSERT_TRUE(write_file(path, text));
    const auto added = append_manifest(path, entry("r"), true);
    ASSERT_FALSE(added) << text;
    EXPECT_THAT(added.error().text(), HasSubstr("move it away"));
    EXPECT_EQ(read_file(path).take(), text);
    EXPECT_FALSE(manifest_has(path, "x", "sha256:1", "r"));
  }
}

TEST_F(ManifestTest, AStrangeLastRunIsAnotherRun) {
  fs::create_directories(path.parent_path());
  ASSERT_TRUE(write_file(path, R"({"builds":[{"name":"old"}],"last_run_uuid":5})"));
  ASSERT_TRUE(append_manifest(path, entry("r"), true));
  EXPECT_EQ(read()["builds"].size(), 1U);
}

class StepsTest : public testing::Test {
 protected:
  TempDir dir = TempDir::create(testing::TempDir(), "steps").take();
  store::Store store = store::Store::open(dir.path() / "store").take();
  fs::path output = dir.path() / "x.tar";
  plan::Step step;
  engine::Tree tree;
  event::Artifact artifact{"packer.docker", "sha256:1", "Exported", {output.native()}};
};

TEST_F(StepsTest, AnArtifactIsCurrentWhileItsFileStandsUntouched) {
  ASSERT_TRUE(write_file(output, "image"));
  EXPECT_FALSE(recorded_artifact(store, step, tree, output).take()) << "nobody recorded it";
  ASSERT_TRUE(record_artifact(store, step, tree, output, artifact));
  EXPECT_EQ(recorded_artifact(store, step, tree, output).take(), artifact);
  ASSERT_TRUE(write_file(output, "image"));
  EXPECT_FALSE(recorded_artifact(store, step, tree, output).take()) << "the same bytes, but not the same file";
}

TEST_F(StepsTest, AnArtifactOfAnotherTreeOrStepIsNotCurrent) {
  ASSERT_TRUE(write_file(output, "image"));
  ASSERT_TRUE(record_artifact(store, step, tree, output, artifact));
  engine::Tree other;
  other.layers.push_back(sha256("layer"));
  EXPECT_FALSE(recorded_artifact(store, step, other, output).take());
  plan::Step changed;
  changed.description_id = sha256("changed");
  EXPECT_FALSE(recorded_artifact(store, changed, tree, output).take());
}

TEST_F(StepsTest, AnArtifactThatIsGoneOrAFifoIsNotCurrent) {
  ASSERT_TRUE(write_file(output, "image"));
  ASSERT_TRUE(record_artifact(store, step, tree, output, artifact));
  fs::remove(output);
  EXPECT_FALSE(recorded_artifact(store, step, tree, output).take());
  ASSERT_EQ(::mkfifo(output.c_str(), 0600), 0);
  EXPECT_FALSE(recorded_artifact(store, step, tree, output).take());
}

TEST_F(StepsTest, ArtifactsSurviveJson) {
  EXPECT_EQ(artifact_from(artifact_json(artifact)), artifact);
  EXPECT_EQ(artifact_from(nullptr), event::Artifact());
}

TEST_F(StepsTest, OnlyVariablesOfPackageClientsAreBorrowed) {
  const fs::path bundle = dir.path() / "ca.pem";
  ASSERT_TRUE(write_file(bundle, "PEM"));
  const Machine machine = borrow_machine({{"https_proxy", "http://p:1"},
                                          {"AWS_SECRET_ACCESS_KEY", "no"},
                                          {"HOME", "/root"},
                                          {"SSL_CERT_FILE", bundle.native()}});
  EXPECT_EQ(machine.env, (std::map<std::string, std::string>{{"https_proxy", "http://p:1"}}));
  EXPECT_EQ(machine.ca_bundle, "PEM");
}

class PinTest : public StepsTest {
 protected:
  PinTest() { settings.lock_file = dir.path() / "kiln.lock.json"; }
  Result<Json> pin(const std::string& reference, const std::string& fingerprint = "") {
    return pin_base(plan::parse_base(reference).take(), fingerprint.empty() ? sha256(reference).hex() : fingerprint,
                    store, settings, cancel);
  }
  /// As if an earlier build had asked the network.
  void remember(const std::string& reference, const Json& what) {
    ASSERT_TRUE(store.write_record("pin", sha256(reference).hex(), what));
  }
  Settings settings;
  Cancel cancel;
};

TEST_F(PinTest, ALocalBaseIsPinnedToItsContent) {
  const fs::path tar = dir.path() / "base.tar";
  ASSERT_TRUE(write_file(tar, "one"));
  EXPECT_EQ(json_string(*pin("tar:" + tar.native()), "sha256"), sha256("one").text());
  ASSERT_TRUE(write_file(tar, "two"));
  EXPECT_EQ(json_string(*pin("tar:" + tar.native()), "sha256"), sha256("two").text());
  EXPECT_THAT(pin("tar:/no/such.tar").error().text(), HasSubstr("/no/such.tar"));
}

TEST_F(PinTest, WhatWasResolvedOnceIsAskedNoMore) {
  remember("debian:12", {{"digest", "sha256:aa"}});
  EXPECT_EQ(pin("debian:12").take(), (Json{{"digest", "sha256:aa"}}));
  EXPECT_FALSE(fs::exists(settings.lock_file)) << "only -lock writes it";
}

TEST_F(PinTest, LockWritesThePinAndTheLockWinsOverTheStore) {
  remember("debian:12", {{"digest", "sha256:aa"}});
  settings.write_lock = true;
  ASSERT_TRUE(pin("debian:12"));
  settings.write_lock = false;
  remember("debian:12", {{"digest", "sha256:bb"}});
  EXPECT_EQ(pin("debian:12").take(), (Json{{"digest", "sha256:aa"}}));
  EXPECT_EQ(pin("debian:12").take(), (Json{{"digest", "sha256:aa"}}));
}

TEST_F(PinTest, ASecretReferenceIsRememberedSealedAndNeverLocked) {
  ASSERT_TRUE(store.write_record("pin", "ab12", {{"digest", "sha256:aa"}}));
  EXPECT_EQ(pin("registry:5000/secret:12", "sealed:ab12").take(), (Json{{"digest", "sha256:aa"}}));
  settings.write_lock = true;
  EXPECT_THAT(pin("registry:5000/secret:12", "sealed:ab12").error().text(), HasSubstr("leave out -lock"));
  EXPECT_FALSE(fs::exists(settings.lock_file));
}

TEST_F(PinTest, ALockFileThatIsNoJsonIsNamed) {
  ASSERT_TRUE(write_file(settings.lock_file, "{"));
  EXPECT_THAT(pin("debian:12").error().text(), HasSubstr("kiln.lock.json"));
}

}  // namespace
}  // namespace kiln::steps
