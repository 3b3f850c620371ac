#include <random>

#include "image/manifest.h"
#include "image/test_support.h"

namespace kiln::image {
namespace {

/// An OCI image of one layer as documents that a test can spoil before they are put together.
struct Parts {
  std::string layer = TarMaker().file("f", "content").end();
  std::string layer_type = "application/vnd.oci.image.layer.v1.tar";
  Json config = {{"architecture", "amd64"}, {"os", "linux"}, {"config", Json::object()}};
  std::map<std::string, std::string> blobs;

  Json add_blob(const std::string& text, const std::string& media_type) {
    blobs[sha256(text).hex()] = text;
    return {{"mediaType", media_type}, {"digest", sha256(text).text()}, {"size", text.size()}};
  }
  /// The descriptor of the manifest.
  Json manifest() {
    if (!config.contains("rootfs")) config["rootfs"] = {{"type", "layers"}, {"diff_ids", {sha256(layer).text()}}};
    const Json layers = Json::array({add_blob(layer, layer_type)});
    const Json config_descriptor = add_blob(config.dump(), kOciConfig);
    const Json text = {{"schemaVersion", 2}, {"config", config_descriptor}, {"layers", layers}};
    return add_blob(text.dump(), kOciManifest);
  }
  template <class... Descriptors>
  static Json index_of(const Descriptors&... descriptors) {
    Json list = Json::array();
    (list.push_back(descriptors), ...);
    return {{"schemaVersion", 2}, {"manifests", std::move(list)}};
  }
  /// The whole as an archive; extra members go in front.
  std::string archive(const Json& index, TarMaker tar = {}) const {
    tar.file("oci-layout", R"({"imageLayoutVersion":"1.0.0"})");
    if (!index.is_null()) tar.file("index.json", index.dump());
    for (const auto& [hex, text] : blobs) tar.file("blobs/sha256/" + hex, text);
    return tar.end();
  }
};

class ReadImageTest : public ImageTest {
 protected:
  std::string oci_message(const std::string& archive, const std::string& name = "") {
    auto opened = open_oci_archive(put("image.tar", archive), name);
    if (!opened) return opened.error().text();
    for (const SourceLayer& layer : opened->layers) {
      const fs::path tree = fresh("tree");
      auto done = unpack_image_layer(layer, tree, {}, cancel);
      EXPECT_TRUE(remove_tree(tree));
      if (!done) return done.error().text();
    }
    return "accepted";
  }
  std::string docker_message(const std::string& archive, const std::string& name = "") {
    auto opened = open_docker_archive(put("image.tar", archive), name);
    return opened ? "accepted" : opened.error().text();
  }
};

TEST_F(ReadImageTest, GoodOciArchiveIsAccepted) {
  Parts parts;
  EXPECT_EQ(oci_message(parts.archive(Parts::index_of(parts.manifest()))), "accepted");
}

TEST_F(ReadImageTest, SpoiltBlobsAreFound) {
  Parts parts;
  const Json index = Parts::index_of(parts.manifest());
  for (auto& [hex, text] : parts.blobs) {
    const std::string good = text;
    text.back() = text.back() == 'x' ? 'y' : 'x';
    EXPECT_THAT(oci_message(parts.archive(index)), testing::HasSubstr("its digest is")) << hex;
    text = good + " ";
    EXPECT_THAT(oci_message(parts.archive(index)), testing::HasSubstr("its descriptor says")) << hex;
    text = good;
  }
}

TEST_F(ReadImageTest, LayerMustUnpackToItsDiffId) {
  Parts parts;
  parts.config["rootfs"] = {{"type", "layers"}, {"diff_ids", {sha256("other").text()}}};
  EXPECT_THAT(oci_message(parts.archive(Parts::index_of(parts.manifest()))), testing::HasSubstr("unpacked its digest"));
}

TEST_F(ReadImageTest, MediaTypeMustMatchTheBytes) {
  Parts parts;
  parts.layer_type += "+gzip";
  EXPECT_THAT(oci_message(parts.archive(Parts::index_of(parts.manifest()))),
              testing::HasSubstr("not compressed as its media type says"));
  parts.layer_type = "application/octet-stream";
  EXPECT_THAT(oci_message(parts.archive(Parts::index_of(parts.manifest()))), testing::HasSubstr("no media type"));
}

TEST_F(ReadImageTest, OnlyAmd64IsTaken) {
  Parts parts;
  parts.config["architecture"] = "arm64";
  EXPECT_THAT(oci_message(parts.archive(Parts::index_of(parts.manifest()))), testing::HasSubstr("'linux/arm64'"));
}

TEST_F(ReadImageTest, PlatformIsChosenFromAnIndexInAnIndex) {
  Parts parts;
  Json wanted = parts.manifest(), other = wanted;
  wanted["platform"] = {{"os", "linux"}, {"architecture", "amd64"}};
  other["platform"] = {{"os", "linux"}, {"architecture", "arm64"}};
  other["digest"] = sha256("nowhere").text();
  Json inner = parts.add_blob(Parts::index_of(other, wanted).dump(), kOciIndex);
  EXPECT_EQ(oci_message(parts.archive(Parts::index_of(inner))), "accepted");
  EXPECT_THAT(oci_message(parts.archive(Parts::index_of(other))), testing::HasSubstr("no image for linux/amd64"));
  for (int depth = 0; depth < 2; ++depth) inner = parts.add_blob(Parts::index_of(inner).dump(), kOciIndex);
  EXPECT_THAT(oci_message(parts.archive(Parts::index_of(inner))), testing::HasSubstr("nested deeper than 2"));
}

TEST_F(ReadImageTest, SeveralImagesAskForAName) {
  Parts parts;
  Json one = parts.manifest();
  one["annotations"] = {{"org.opencontainers.image.ref.name", "one"}};
  parts.config["author"] = "x";
  Json two = parts.manifest();
  two["annotations"] = {{"org.opencontainers.image.ref.name", "two"}};
  const std::string archive = parts.archive(Parts::index_of(one, two));
  EXPECT_EQ(oci_message(archive, "two"), "accepted");
  EXPECT_THAT(oci_message(archive), testing::HasSubstr("name one of: one, two"));
  EXPECT_THAT(oci_message(archive, "three"), testing::HasSubstr("no image 'three'"));
}

TEST_F(ReadImageTest, OuterArchiveIsAsHostileAsLayers) {
  Parts parts;
  const Json index = Parts::index_of(parts.manifest());
  const fs::path secret = put("secret", index.dump());
  const std::pair<std::string, const char*> cases[] = {
      {parts.archive(Json(), TarMaker().symlink("index.json", secret)), "has no"},
      {parts.archive(Json(), TarMaker().symlink("index.json", "../secret")), "outside the archive"},
      {parts.archive(Json(), TarMaker().symlink("index.json", "index.json")), "too many links"},
      {parts.archive(Json(), TarMaker().add({.path = "index.json", .type = TarType::fifo})), "neither a file"},
      {parts.archive(Json(), TarMaker().hard_link("index.json", secret)), "neither a file"},
      {parts.archive(index, TarMaker().file("index.json", "{}")), "is there twice"},
      {parts.archive(index, TarMaker().file("../x", "{}")), "'..'"},
      {parts.archive(index).substr(0, 2000), "cut off"},
      {parts.archive(Json()), "has no 'index.json'"},
      {parts.archive("text"), "not an image index"},
      {parts.archive(Json::array()), "not an image index"},
      {parts.archive(Parts::index_of(Json{{"digest", "sha256:../../x"}, {"size", 1}})), "is not a sha256 digest"},
      {parts.archive(Parts::index_of(1)), "is not a sha256 digest"},
      {TarMaker().file("oci-layout", "[]").end(), "not an OCI image layout"},
      {std::string("\x1f\x8b\x08\0\0\0\0\0\0\0", 10), "decompress the archive first"},
  };
  for (const auto& [archive, message] : cases) {
    EXPECT_THAT(oci_message(archive), testing::HasSubstr(message));
  }
}

TEST_F(ReadImageTest, ManifestsAreLimited) {
  Parts parts;
  Json index = Parts::index_of(parts.manifest());
  index["annotations"] = {{"pad", std::string(kMaxManifestBytes, 'x')}};
  EXPECT_THAT(oci_message(parts.archive(index)), testing::HasSubstr("more than 4194304"));
}

TEST_F(ReadImageTest, LayoutOfFifosAndLinksIsRefusedWithoutWaiting) {
  const fs::path layout = fresh("layout");
  put("layout/oci-layout", R"({"imageLayoutVersion":"1.0.0"})");
  ASSERT_EQ(::mkfifo((layout / "index.json").c_str(), 0600), 0);
  EXPECT_THAT(open_oci_layout(layout, "").error().text(), testing::HasSubstr("not a regular file"));
  fs::remove(layout / "index.json");
  fs::create_symlink("/dev/zero", layout / "index.json");
  EXPECT_FALSE(open_oci_layout(layout, ""));
}

/// A docker-archive as `docker save` of Docker 20.10 writes it.
TarMaker docker_save(const std::string& layer, const Json& tags) {
  const Json config = {{"architecture", "amd64"},
                       {"os", "linux"},
                       {"rootfs", {{"diff_ids", {sha256(layer).text(), sha256(layer).text()}}}}};
  const std::string text = config.dump(), name = sha256(text).hex() + ".json";
  const Json manifest = {{{"Config", name}, {"RepoTags", tags}, {"Layers", {"one/layer.tar", "two/layer.tar"}}}};
  TarMaker tar;
  tar.dir("one").file("one/layer.tar", layer).dir("two").symlink("two/layer.tar", "../one/layer.tar");
  return tar.file(name, text).file("manifest.json", manifest.dump());
}

TEST_F(ReadImageTest, DockerSaveWithLinkedLayers) {
  const std::string layer = TarMaker().file("f", "content").end();
  const fs::path file = put("image.tar", docker_save(layer, {"debian:bookworm"}).end());
  auto opened = open_docker_archive(file, "");
  ASSERT_TRUE(opened) << opened.error().text();
  EXPECT_EQ(opened->name, "debian:bookworm");
  ASSERT_EQ(opened->layers.size(), 2U);
  const fs::path tree = fresh("tree");
  EXPECT_TRUE(unpack_image_layer(opened->layers[1], tree, {}, cancel));
  EXPECT_EQ(*read_file(tree / "f"), "content");
}

TEST_F(ReadImageTest, DockerArchivesThatCannotBe) {
  const std::string layer = TarMaker().file("f", "content").end();
  const std::string good = docker_save(layer, Json()).end();
  EXPECT_EQ(docker_message(good), "accepted");
  EXPECT_THAT(docker_message(good, "debian"), testing::HasSubstr("no image 'debian', only: <no name>"));
  EXPECT_THAT(docker_message(TarMaker().file("x").end()), testing::HasSubstr("no manifest.json"));
  const auto with = [](const Json& manifest) { return TarMaker().file("manifest.json", manifest.dump()).end(); };
  EXPECT_THAT(docker_message(with(Json::array())), testing::HasSubstr("holds no image"));
  EXPECT_THAT(docker_message(with({{{"Config", "../../etc/passwd"}}})), testing::HasSubstr("'..'"));
  EXPECT_THAT(docker_message(with({{{"Config", "x"}, {"Layers", 1}}})), testing::HasSubstr("not a list"));
  std::string wrong = good;
  wrong.replace(wrong.find("\"amd64\""), 7, "\"AMD64\"");
  EXPECT_THAT(docker_message(wrong), testing::HasSubstr("its digest is"));
}

TEST_F(ReadImageTest, MutatedArchivesAreReadOrRefused) {
  Parts parts;
  const std::string good = parts.archive(Parts::index_of(parts.manifest()));
  std::mt19937 random(42);
  for (int round = 0; round < 300; ++round) {
    std::string bad = good;
    for (auto changes = random() % 3 + 1; changes > 0; --changes)
      bad[random() % bad.size()] = static_cast<char>(random());
    const std::string message = oci_message(bad);
    EXPECT_FALSE(message.empty());
  }
}

}  // namespace
}  // namespace kiln::image
