#include "publish/registry_image.h"

#include <gtest/gtest.h>

#include "base/json.h"
#include "support/registry_process.h"

namespace kiln::publish {
namespace {

using testing_support::make_oci_layout;
using testing_support::RegistryProcess;
using testing_support::run_tool;

/// A real registry with an image "base:1" that skopeo pushed.
class RegistryImageTest : public testing::Test {
 protected:
  void SetUp() override {
    if (!testing_support::has_program("docker-registry") || !testing_support::has_program("skopeo")) {
      GTEST_SKIP() << "docker-registry or skopeo is not installed";
    }
    process.emplace(dir.path());
    ASSERT_FALSE(process->authority().empty());
    make_oci_layout(layout, {"one", "two"});
    const auto copied = skopeo({"copy", "--dest-tls-verify=false", "oci:" + layout.native() + ":test", url("base:1")});
    ASSERT_EQ(copied.exit_code, 0) << copied.err;
  }
  static testing_support::ToolResult skopeo(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), {"skopeo", "--insecure-policy"});
    return run_tool(std::move(arguments));
  }
  std::string url(const std::string& rest) const { return "docker://" + process->authority() + "/" + rest; }
  cloud::Reference ref(const std::string& rest) const { return cloud::parse_reference(url(rest)).take(); }
  Result<image::SourceImage> open(const std::string& rest) {
    cloud::Reference there = ref(rest);
    there.digest = TRY(registry.resolve(there, cancel));
    return open_registry_image(registry, there, cancel);
  }
  /// The image base:1 as a writer would hand it over, with its layers as files of the layout.
  image::ImageSpec spec_of_base() {
    const image::SourceImage base = open("base:1").take();
    image::ImageSpec spec{.config = base.config, .history = base.history};
    for (const image::SourceLayer& layer : base.layers) {
      spec.layers.push_back({layer.diff_id, layer.blob, layer.bytes, layout / "blobs/sha256" / layer.blob.hex()});
    }
    return spec;
  }

  TempDir dir = TempDir::create(testing::TempDir(), "registry").take();
  fs::path layout = dir.path() / "layout";
  std::optional<RegistryProcess> process;
  std::unique_ptr<cloud::HttpClient> plain = cloud::make_http_client({}).take();
  cloud::RetryingClient client{*plain};
  cloud::Registry registry{client, {}};
  Cancel cancel;
};

TEST_F(RegistryImageTest, OpensWhatSkopeoPushed) {
  auto base = open("base:1");
  ASSERT_TRUE(base) << base.error().text();
  ASSERT_EQ(base->layers.size(), 2U);
  EXPECT_EQ(base->config.env.at("A"), "b");
  EXPECT_EQ(base->history.at(1).created_by, "step 1");
  HashSink sink;
  const std::unique_ptr<Source> layer = base->layers[0].open().take();
  ASSERT_TRUE(copy_all(*layer, sink));
  EXPECT_EQ(sink.digest(), base->layers[0].blob);
}

TEST_F(RegistryImageTest, MissingImageIsNotFound) {
  EXPECT_EQ(open("base:2").error().code(), Errc::not_found);
  EXPECT_EQ(open("nothing:1").error().code(), Errc::not_found);
  EXPECT_EQ(open_registry_image(registry, ref("base:1"), cancel).error().code(), Errc::usage);
}

TEST_F(RegistryImageTest, PushedImageIsReadBySkopeo) {
  const image::ImageSpec spec = spec_of_base();
  auto pushed = push_image(registry, ref("new/app:1"), spec, {.more_tags = {"latest"}}, cancel);
  ASSERT_TRUE(pushed) << pushed.error().text();
  EXPECT_EQ(pushed->uploaded, 2U);
  const auto inspected = skopeo({"inspect", "--tls-verify=false", url("new/app:latest")});
  ASSERT_EQ(inspected.exit_code, 0) << inspected.err;
  const Json json = parse_json(inspected.out).take();
  EXPECT_EQ(json_string(json, "Digest"), pushed->manifest.text());
  EXPECT_EQ(json["Layers"].size(), 2U);
  // skopeo checks every digest on the way.
  const auto copied =
      skopeo({"copy", "--src-tls-verify=false", url("new/app:1"), "dir:" + (dir.path() / "out").native()});
  EXPECT_EQ(copied.exit_code, 0) << copied.err;
}

TEST_F(RegistryImageTest, SecondPushSendsNothingAndKnownLayersAreMounted) {
  const image::ImageSpec spec = spec_of_base();
  PushOptions options;
  for (const image::ImageLayer& layer : spec.layers) options.known.push_back({layer.blob, ref("base:1")});
  std::uint64_t done = 0;
  options.progress = [&](const PushProgress& p) { done = p.done_bytes == p.total_bytes ? p.total_bytes : 0; };
  EXPECT_EQ(push_image(registry, ref("app:1"), spec, options, cancel)->mounted, 2U);
  EXPECT_EQ(done, spec.layers[0].bytes + spec.layers[1].bytes);
  auto again = push_image(registry, ref("app:2"), spec, options, cancel);
  EXPECT_EQ(again->present, 2U);
  EXPECT_EQ(again->uploaded_bytes, 0U);
}

TEST_F(RegistryImageTest, LayerFileThatIsNotItsDigestIsNotPushed) {
  image::ImageSpec spec = spec_of_base();
  spec.layers[0].path = dir.path() / "changed";
  ASSERT_TRUE(write_file_quick(spec.layers[0].path, std::string(spec.layers[0].bytes, 'x')));
  EXPECT_EQ(push_image(registry, ref("bad:1"), spec, {}, cancel).error().code(), Errc::corrupt);
  EXPECT_EQ(open("bad:1").error().code(), Errc::not_found) << "no tag was made";
}

}  // namespace
}  // namespace kiln::publish
