#include "image/archive_index.h"
#include "image/manifest.h"
#include "image/test_support.h"
#include "support/golden.h"

namespace kiln::image {
namespace {

class WriteImageTest : public ImageTest {
 protected:
  ImageLayer layer(const std::string& name, const std::string& content) {
    const fs::path tree = dir.path() / name;
    put(name + "/etc/" + name, content);
    set_mtimes(tree, 1'600'000'000);
    const fs::path blob = dir.path() / (name + ".tar.gz");
    const Fd fd(::open(blob.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0644));
    FdSink sink(fd.get());
    auto made = compress_layer(tree, sink, 1, cancel);
    EXPECT_TRUE(made);
    return {made->tar.diff_id, made->blob, made->bytes, blob};
  }

  ImageSpec spec() {
    ImageSpec spec;
    spec.config.created = "2024-05-06T07:08:09Z";
    spec.config.env["PATH"] = "/usr/bin:/bin";
    spec.config.entrypoint = {"/opt/entrypoint.sh"};
    spec.config.labels["org.opencontainers.image.title"] = "spark";
    spec.config.user = "185";
    spec.layers = {layer("one", "1"), layer("two", "2")};
    spec.history = {{"base", false}, {"ENTRYPOINT", true}, {"scripts/10.sh", false}};
    spec.tags = {"spark:4.3.0", "spark"};
    return spec;
  }

  fs::path archive(const ImageSpec& image, const std::vector<Digest>& absent = {}) {
    StringSink out;
    auto ids = write_hybrid_archive(image, out, absent);
    EXPECT_TRUE(ids) << (ids ? "" : ids.error().text());
    return put("image.tar", out.text);
  }
  /// The text with digests and sizes of compressed blobs replaced, which depend on the compressor.
  static std::string neutral(std::string text, const ImageSpec& image, const ImageIds& ids) {
    for (std::size_t i = 0; i < image.layers.size(); ++i) {
      text = replace(text, image.layers[i].blob.hex(), fmt::format("<layer {}>", i));
      text = replace(text, fmt::format("\"size\":{}}}", image.layers[i].bytes), "\"size\":<n>}");
    }
    return replace(text, ids.manifest.hex(), "<manifest>");
  }
  static std::string replace(std::string text, const std::string& from, const std::string& to) {
    for (std::size_t at = 0; (at = text.find(from, at)) != std::string::npos; at += to.size()) {
      text.replace(at, from.size(), to);
    }
    return text;
  }
};

TEST_F(WriteImageTest, DocumentsAreGolden) {
  const ImageSpec image = spec();
  auto made = render_documents(image);
  ASSERT_TRUE(made);
  expect_golden("image-documents.txt", neutral(made->config + "\n" + made->manifest + "\n" + made->index + "\n" +
                                                   made->docker_manifest + "\n" + made->oci_layout + "\n",
                                               image, made->ids));
}

TEST_F(WriteImageTest, ArchiveListingIsGolden) {
  const ImageSpec image = spec();
  const ImageIds ids = *image_ids(image);
  std::string listing = run({"tar", "-tf", archive(image)});
  expect_golden("hybrid-listing.txt", neutral(replace(listing, ids.config.hex(), "<config>"), image, ids));
}

TEST_F(WriteImageTest, SameImageSameBytes) {
  const ImageSpec image = spec();
  StringSink first, second;
  auto ids = write_hybrid_archive(image, first);
  ASSERT_TRUE(ids && write_hybrid_archive(image, second));
  EXPECT_EQ(first.text, second.text);
  EXPECT_EQ(image_ids(image)->manifest, ids->manifest);
  EXPECT_EQ(image_ids(image)->config, ids->config);
}

TEST_F(WriteImageTest, ReadsBackThroughEachDoor) {
  const ImageSpec image = spec();
  const fs::path file = archive(image);
  ASSERT_TRUE(write_oci_layout(image, dir.path() / "layout"));
  for (auto opened : {open_docker_archive(file, ""), open_oci_archive(file, ""), open_oci_archive(file, "4.3.0"),
                      open_docker_archive(file, "docker.io/library/spark:4.3.0"), open_docker_archive(file, "spark"),
                      open_oci_layout(dir.path() / "layout", "spark:4.3.0")}) {
    ASSERT_TRUE(opened) << opened.error().text();
    EXPECT_EQ(opened->config_digest, image_ids(image)->config);
    EXPECT_EQ(opened->config.entrypoint, image.config.entrypoint);
    EXPECT_EQ(opened->history.size(), 3U);
    ASSERT_EQ(opened->layers.size(), 2U);
    EXPECT_EQ(opened->layers[1].blob, image.layers[1].blob);
    const fs::path tree = fresh("tree");
    auto unpacked = unpack_image_layer(opened->layers[1], tree, {}, cancel);
    ASSERT_TRUE(unpacked) << unpacked.error().text();
    EXPECT_EQ(*read_file(tree / "etc/two"), "2");
    ASSERT_TRUE(remove_tree(tree));
  }
}

TEST_F(WriteImageTest, SkopeoReadsBothHalves) {
  if (!has_tool("skopeo")) GTEST_SKIP() << "skopeo is not installed";
  const ImageSpec image = spec();
  const std::string file = archive(image);
  for (const std::string transport : {"docker-archive:", "oci-archive:"}) {
    const std::string seen = run({"skopeo", "inspect", transport + file});
    EXPECT_THAT(seen, testing::HasSubstr("2024-05-06T07:08:09Z")) << transport;
    EXPECT_THAT(seen, testing::HasSubstr("\"org.opencontainers.image.title\": \"spark\"")) << transport;
    const std::string config = run({"skopeo", "inspect", "--config", transport + file});
    EXPECT_THAT(config, testing::HasSubstr(image.layers[1].diff_id.text())) << transport;
  }
  EXPECT_THAT(
      run({"skopeo", "--insecure-policy", "copy", "docker-archive:" + file, "dir:" + (dir.path() / "d").string()}),
      testing::HasSubstr("Storing signatures"));
  EXPECT_THAT(run({"skopeo", "--insecure-policy", "copy", "oci-archive:" + file, "dir:" + (dir.path() / "o").string()}),
              testing::HasSubstr("Storing signatures"));
}

TEST_F(WriteImageTest, UmociUnpacksTheLayout) {
  if (!has_tool("umoci")) GTEST_SKIP() << "umoci is not installed";
  const fs::path file = archive(spec());
  fresh("layout");
  EXPECT_EQ(run({"tar", "-C", "layout", "-xf", file}), "");
  EXPECT_THAT(run({"umoci", "list", "--layout", "layout"}), testing::HasSubstr("4.3.0"));
  EXPECT_EQ(run({"umoci", "raw", "unpack", "--image", "layout:4.3.0", "bundle"}).find("exit code"), std::string::npos);
  EXPECT_EQ(*read_file(dir.path() / "bundle/etc/two"), "2");
  EXPECT_EQ(*read_file(dir.path() / "bundle/etc/one"), "1");
}

TEST_F(WriteImageTest, AbsentLayersAreNamedButNotThere) {
  const ImageSpec image = spec();
  const fs::path file = archive(image, {image.layers[0].diff_id});
  auto index = ArchiveIndex::open(file);
  ASSERT_TRUE(index);
  EXPECT_FALSE(index->find(blob_path(image.layers[0].blob)));
  EXPECT_TRUE(index->find(blob_path(image.layers[1].blob)));
  const std::string manifest = *read_range(*index->find("manifest.json"), 1 << 20);
  EXPECT_NE(manifest.find(image.layers[0].blob.hex()), std::string::npos);
}

TEST_F(WriteImageTest, EqualLayersAreStoredOnce) {
  ImageSpec image = spec();
  image.layers[1] = image.layers[0];
  auto opened = open_docker_archive(archive(image), "");
  ASSERT_TRUE(opened) << opened.error().text();
  EXPECT_EQ(opened->layers.size(), 2U);
}

TEST_F(WriteImageTest, MistakesOfTheCallerAreErrors) {
  ImageSpec image = spec();
  image.history.pop_back();
  EXPECT_FALSE(image_ids(image));
  image = spec();
  image.tags = {"Bad Name"};
  EXPECT_EQ(image_ids(image).error().code(), Errc::usage);
  image = spec();
  image.layers[0].bytes += 1;
  StringSink out;
  EXPECT_EQ(write_hybrid_archive(image, out).error().code(), Errc::corrupt);
  EXPECT_EQ(write_oci_layout(image, dir.path() / "layout").error().code(), Errc::corrupt);
  EXPECT_FALSE(fs::exists(dir.path() / "layout") || fs::exists(dir.path() / "layout.partial"));
  EXPECT_EQ(write_oci_layout(spec(), fresh("there")).error().code(), Errc::usage);
}

}  // namespace
}  // namespace kiln::image
