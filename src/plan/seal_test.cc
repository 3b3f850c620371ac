#include "plan/seal.h"

#include "plan/test_graph.h"

namespace kiln::plan {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(SealTest, FindsSecretsInTextsAndInEveryTextOfAValue) {
  Surroundings world = test_world();
  world.secrets = {"hunter22", "", "x\"y\n"};
  const std::vector<std::string> own = {"derived"};
  const Seal seal(world, own);
  EXPECT_TRUE(seal.hides(std::string_view("a hunter22 b")));
  EXPECT_TRUE(seal.hides(std::string_view("derived")));
  EXPECT_FALSE(seal.hides(std::string_view("hunter2")));
  EXPECT_TRUE(seal.hides(Json{{"a", Json::array({1, "x\"y\n"})}})) << "escaped in the JSON text";
  EXPECT_TRUE(seal.hides(Json{{"hunter22", 1}}));
  EXPECT_FALSE(seal.hides(Json{{"a", {{"b", nullptr}}}}));
}

TEST(SealTest, AFingerprintIsABareHashOnlyWithoutSecrets) {
  Surroundings world = test_world();
  world.secrets = {"hunter22"};
  const Seal seal(world);
  EXPECT_EQ(seal.fingerprint("public"), sha256("public").hex());
  EXPECT_EQ(seal.fingerprint("a hunter22"), seal.sealed("a hunter22"));
  EXPECT_EQ(seal.rendered(Json{{"a", "hunter22"}}), seal.sealed(R"({"a":"hunter22"})"));
}

TEST(SealTest, LongSecretsAreMaskedBeforeWhatTheyContain) {
  Surroundings world = test_world();
  world.secrets = {"pass", "password", "abc"};
  EXPECT_EQ(Seal(world).masked("password pass abc"), "<sensitive> <sensitive> abc");
}

constexpr const char* kEverywhere = R"(
variable "pw" {
  default   = "hunter22"
  sensitive = true
}
source "docker" "x" {
  image   = "debian:hunter22"
  commit  = true
  changes = ["ENV P=${var.pw}", "LABEL d=${sha256(var.pw)}"]
  author  = var.pw
  message = upper(var.pw)
}
build {
  sources = ["docker.x"]
  provisioner "shell" {
    inline           = ["echo ${var.pw}"]
    environment_vars = ["P=${var.pw}"]
    env              = { "N_${var.pw}" = "1", DERIVED = md5(var.pw) }
    execute_command  = "X=${var.pw} {{.Vars}} sh {{.Path}}"
    remote_path      = "/tmp/${var.pw}.sh"
  }
  provisioner "shell" { inline = ["echo ${base64encode(var.pw)}"] }
  provisioner "file" {
    content     = "key=${var.pw}"
    destination = "/etc/${var.pw}"
  }
  provisioner "file" {
    source      = "d/${var.pw}"
    destination = "/etc/${sha256(var.pw)}"
  }
  provisioner "file" {
    direction   = "download"
    source      = "/root/${var.pw}"
    destination = "got"
  }
  provisioner "shell-local" {
    command          = "echo ${var.pw}"
    environment_vars = ["P=${md5(var.pw)}"]
  }
  provisioner "shell-local" { inline = ["echo ${var.pw}"] }
  provisioner "shell-local" {
    execute_command = ["sh", var.pw, "{{.Script}}"]
    inline          = ["true"]
  }
  post-processor "manifest" {
    output      = "${var.pw}.json"
    custom_data = { p = var.pw, d = md5(var.pw), plain = "seen" }
  }
  post-processor "checksum" { output = "${var.pw}.sum" }
  post-processor "shell-local" { inline = ["echo ${var.pw}"] }
  post-processors {
    post-processor "docker-tag" {
      repository = "r/${var.pw}"
      tags       = [md5(var.pw)]
    }
    post-processor "docker-push" {
      login          = true
      login_username = var.pw
      login_password = var.pw
    }
  }
  post-processor "docker-save" { path = "${var.pw}.tar" }
}
)";

TEST_F(PlanTest, SecretsEnterDescriptionsAndLabelsOnlySealed) {
  file("d/hunter22", "uploaded");
  const auto plan = make(kEverywhere);
  ASSERT_TRUE(plan) << problems();
  const auto hash = [](std::string_view text) { return sha256(text).hex(); };
  const std::vector<std::string> leaks = {"hunter22",
                                          "HUNTER22",
                                          hash("hunter22"),
                                          "aHVudGVyMjI=",
                                          "cb95015a436fe976eb38e45455372032",  // md5
                                          hash("key=hunter22"),
                                          hash("echo hunter22\n"),
                                          hash("#!/bin/sh -e\necho hunter22\n"),
                                          hash("#!/bin/sh -e\necho aHVudGVyMjI=\n")};
  std::string sealed;
  for (const Step& step : plan->steps) {
    const std::string text = step.label + "\n" + step.slot + "\n" + render_json(step.description.to_json());
    for (const std::string& leak : leaks) EXPECT_THAT(text, Not(HasSubstr(leak))) << step.label;
    sealed += text.find("seal of ") != std::string::npos ? 'S' : '-';
  }
  EXPECT_EQ(sealed, "SSSSSSSSSSSSSSSS") << "every step of this template holds a secret";
}

TEST_F(PlanTest, AnotherSecretIsAnotherKeyAndNothingElseChanges) {
  const auto keys = [&](const std::string& secret, const std::string& line) {
    const auto plan = make("variable \"pw\" {\n  default   = \"" + secret + "\"\n  sensitive = true\n}\n" +
                           docker({"x"}, shell(line) + shell("plain")));
    return std::make_pair(plan->steps[1].description_id, plan->steps[2].description_id);
  };
  EXPECT_NE(keys("hunter22", "echo ${var.pw}").first, keys("hunter23", "echo ${var.pw}").first);
  EXPECT_NE(keys("hunter22", "echo ${md5(var.pw)}").first, keys("hunter23", "echo ${md5(var.pw)}").first);
  EXPECT_EQ(keys("hunter22", "echo ${var.pw}").first, keys("hunter22", "echo ${var.pw}").first);
  EXPECT_EQ(keys("hunter22", "echo ${var.pw}").second, keys("hunter23", "echo ${var.pw}").second);
}

TEST_F(PlanTest, AManifestSaysOfASensitiveValueOnlyThatThereIsOne) {
  file("d/hunter22", "uploaded");
  const auto plan = make(kEverywhere);
  ASSERT_TRUE(plan) << problems();
  for (const Step& step : plan->steps) {
    const auto* post = std::get_if<PostStep>(&step.what);
    if (post == nullptr || post->type != "manifest") continue;
    EXPECT_EQ(render_json(post->options["custom_data"]), R"({"d":"<sensitive>","p":"<sensitive>","plain":"seen"})");
    return;
  }
  ADD_FAILURE() << "no manifest";
}

}  // namespace
}  // namespace kiln::plan
