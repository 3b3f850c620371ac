#include "publish/engine.h"

#include <gtest/gtest.h>

#include "base/file.h"
#include "base/json.h"
#include "support/http_server.h"
#include "support/registry_process.h"

namespace kiln::publish {
namespace {

using testing_support::HttpServer;
using testing_support::Reply;
using testing_support::Request;
using testing_support::run_tool;

/// An Engine's socket with a server behind it that has the images given: id to diff_ids.
class EngineTest : public testing::Test {
 protected:
  EngineTest()
      : server([this](const Request& r) { return answer(r); }, socket),
        engine(Engine::create(*client, "unix://" + socket).take()) {}

  Reply answer(const Request& request) {
    if (replies.count(request.target) != 0) return replies[request.target];
    if (request.target == "/_ping") return {.body = "OK"};
    if (request.target == "/images/json") {
      Json list = Json::array();
      for (const auto& [id, layers] : images) list.push_back({{"Id", id.text()}});
      return {.body = list.dump()};
    }
    for (const auto& [id, layers] : images) {
      if (request.target != "/images/" + id.text() + "/json") continue;
      Json texts = Json::array();
      for (const Digest& layer : layers) texts.push_back(layer.text());
      return {.body = Json{{"Id", id.text()}, {"RepoTags", {"a:b"}}, {"RootFS", {{"Layers", texts}}}}.dump()};
    }
    if (on_load && request.target.starts_with("/images/load")) return on_load(request.body);
    return {.status = 404, .body = R"({"message":"No such image"})"};
  }

  TempDir dir = TempDir::create(testing::TempDir(), "engine").take();
  std::string socket = dir.path() / "docker.sock";
  std::map<Digest, std::vector<Digest>> images;
  std::map<std::string, Reply> replies;
  std::function<Reply(const std::string& archive)> on_load;
  HttpServer server;
  std::unique_ptr<cloud::HttpClient> client = cloud::make_http_client({}).take();
  Engine engine;
  Cancel cancel;
  const Digest a = sha256("a"), b = sha256("b"), c = sha256("c");
};

TEST_F(EngineTest, PingTellsAnEngineFromNothingAndFromAnother) {
  EXPECT_TRUE(*engine.ping(cancel));
  Engine nothing = Engine::create(*client, "unix://" + socket + "x").take();
  EXPECT_FALSE(*nothing.ping(cancel));
  replies["/_ping"] = Reply{.body = "hello"};
  EXPECT_FALSE(engine.ping(cancel));
}

TEST_F(EngineTest, AddressesAreSocketsAndThisMachine) {
  EXPECT_EQ(Engine::create(*client, "")->address(), "unix:///var/run/docker.sock");
  EXPECT_TRUE(Engine::create(*client, "tcp://127.0.0.1:2375"));
  for (const char* bad : {"tcp://10.0.0.1:2375", "ssh://host", "tcp://"})
    EXPECT_FALSE(Engine::create(*client, bad)) << bad;
}

TEST_F(EngineTest, InspectReadsWhatItNeedsAndRefusesTheRest) {
  images[a] = {b, c};
  auto image = engine.inspect(a.text(), cancel);
  ASSERT_TRUE(image) << image.error().text();
  EXPECT_EQ(image->diff_ids, (std::vector<Digest>{b, c}));
  EXPECT_EQ(engine.inspect("none:1", cancel).error().code(), Errc::not_found);
  for (const char* bad : {"[]", "{}", R"({"Id":"../x"})", "nonsense"}) {
    replies["/images/x:latest/json"] = Reply{.body = bad};
    EXPECT_FALSE(engine.inspect("x:latest", cancel)) << bad;
  }
  EXPECT_EQ(engine.inspect("../containers", cancel).error().code(), Errc::usage);
}

TEST_F(EngineTest, KnownLayersAreTheLongestCommonStart) {
  images[sha256("1")] = {a, c};
  images[sha256("2")] = {a, b};
  images[sha256("3")] = {b, c};
  EXPECT_EQ(*engine.known_layers({a, b, c}, cancel), 2U);
  EXPECT_EQ(*engine.known_layers({c, b}, cancel), 0U);
  EXPECT_EQ(*engine.known_layers({a, b, c}, cancel, 0), 0U);
}

ArchiveWriter writer_that_tells() {
  return
      [](Sink& out, const std::vector<Digest>& absent) { return out.write(fmt::format("absent {}", absent.size())); };
}

TEST_F(EngineTest, LoadsWithoutTheLayersThatAreThere) {
  images[sha256("1")] = {a, b};
  on_load = [](const std::string& archive) {
    return Reply{.body = fmt::format("{{\"stream\":\"Loaded image: {}\\n\"}}\n", archive)};
  };
  EXPECT_EQ(engine.load_missing({a, b, c}, writer_that_tells(), {}, cancel)->names.at(0), "absent 2");
  // The last one needs the layer "a" again, on top of others.
  EXPECT_EQ(engine.load_missing({a, b, a}, writer_that_tells(), {}, cancel)->names.at(0), "absent 1");
}

TEST_F(EngineTest, LoadsWholeWhenTheShortWayFails) {
  images[sha256("1")] = {a, b};
  std::vector<std::string> archives;
  on_load = [&](const std::string& archive) {
    archives.push_back(archive);
    return Reply{.body = archive == "absent 0" ? R"({"stream":"Loaded image ID: )" + a.text() + "\"}"
                                               : R"({"errorDetail":{"message":"gone"},"error":"gone"})"};
  };
  auto loaded = engine.load_missing({a, b}, writer_that_tells(), {}, cancel);
  ASSERT_TRUE(loaded) << loaded.error().text();
  EXPECT_EQ(loaded->ids, std::vector<Digest>{a});
  EXPECT_EQ(archives, (std::vector<std::string>{"absent 2", "absent 0"}));
}

TEST_F(EngineTest, LoadStreamsAndReportsProgress) {
  std::size_t arrived = 0;
  on_load = [&](const std::string& archive) {
    arrived = archive.size();
    return Reply{};
  };
  std::uint64_t sent = 0;
  const auto write = [](Sink& out) -> Result<> {
    for (int i = 0; i < 100; ++i) TRY(out.write(std::string(64 << 10, 'x')));
    return {};
  };
  ASSERT_TRUE(engine.load(
      write, [&](std::uint64_t bytes) { sent = bytes; }, cancel));
  EXPECT_EQ(arrived, 100U << 16);
  EXPECT_EQ(sent, arrived);
}

TEST_F(EngineTest, WritersErrorIsTheError) {
  const auto write = [](Sink& out) -> Result<> {
    TRY(out.write("part"));
    return error(Errc::no_space, "layer cannot be read");
  };
  auto loaded = engine.load(write, {}, cancel);
  ASSERT_FALSE(loaded);
  EXPECT_EQ(loaded.error().code(), Errc::no_space);
}

TEST_F(EngineTest, CancelEndsALoadWhoseWriterIsSlow) {
  const auto write = [this](Sink&) -> Result<> {
    (void)cancel.sleep(Duration(60'000));
    return {};
  };
  std::jthread later([&] {
    const Cancel never;
    (void)never.sleep(Duration(100));
    cancel.cancel();
  });
  const auto start = Clock::now();
  EXPECT_EQ(engine.load(write, {}, cancel).error().code(), Errc::interrupted);
  EXPECT_LT(ms_since(start), 1000U);
}

TEST_F(EngineTest, TagAndRemoveSpeakTheApi) {
  replies[fmt::format("/images/{}/tag?repo=127.0.0.1%3A5000%2Fx&tag=1", a.text())] = Reply{.status = 201};
  EXPECT_TRUE(engine.tag(a, "127.0.0.1:5000/x:1", cancel));
  EXPECT_FALSE(engine.tag(b, "x:1", cancel));
  EXPECT_TRUE(engine.remove("gone:1", cancel)) << "what is missing is removed";
  replies["/images/used:1"] = Reply{.status = 409, .body = R"({"message":"in use"})"};
  EXPECT_NE(engine.remove("used:1", cancel).error().text().find("in use"), std::string::npos);
}

TEST_F(EngineTest, SaveHasALimit) {
  replies["/images/x:1/get"] = Reply{.body = std::string(1000, 'x'), .chunked = true};
  StringSink sink;
  EXPECT_EQ(*engine.save("x:1", sink, {}, cancel), 1000U);
  EXPECT_EQ(engine.save("x:1", sink, {}, cancel, 999).error().code(), Errc::corrupt);
}

// ---- A real Docker Engine ----

class RealEngineTest : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    dir = new TempDir(TempDir::create(testing::TempDir(), "engine").take());
    const auto started = script("start");
    running = started.exit_code == 0;
    why = started.err;
  }
  static void TearDownTestSuite() {
    (void)script("stop");
    delete dir;
    dir = nullptr;
  }
  static testing_support::ToolResult script(const std::string& verb) {
    return run_tool({KILN_SOURCE_DIR "/tests/e2e/docker-engine.sh", verb, dir->path() / "state"});
  }

  void SetUp() override {
    if (!running) GTEST_SKIP() << "no Docker Engine: " << why;
    if (!testing_support::has_program("skopeo")) GTEST_SKIP() << "skopeo is not installed";
    address = "unix://" + (dir->path() / "state/docker.sock").native();
    engine.emplace(Engine::create(*client, address).take());
  }

  /// A docker-archive of an image with these layers.
  fs::path archive(const std::string& name, const std::vector<std::string>& texts) {
    fs::path file = own.path() / (name + ".tar");
    testing_support::make_oci_layout(own.path() / name, texts);
    const auto made = run_tool({"skopeo", "--insecure-policy", "copy", "oci:" + (own.path() / name).native() + ":test",
                                "docker-archive:" + file.native() + ":" + name + ":1"});
    EXPECT_EQ(made.exit_code, 0) << made.err;
    return file;
  }
  Result<LoadedImages> load(const fs::path& file) {
    const auto write = [&](Sink& out) -> Result<> {
      const Fd fd = TRY(open_read(file));
      FdSource source(fd.get());
      TRY(copy_all(source, out));
      return {};
    };
    return engine->load(write, {}, cancel);
  }
  testing_support::ToolResult docker(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), {"docker", "-H", address});
    return run_tool(std::move(arguments), "/", {{"HOME", own.path()}, {"PATH", "/usr/bin:/bin"}});
  }

  static TempDir* dir;
  static bool running;
  static std::string why;
  TempDir own = TempDir::create(testing::TempDir(), "images").take();
  std::unique_ptr<cloud::HttpClient> client = cloud::make_http_client({}).take();
  std::string address;
  std::optional<Engine> engine;
  Cancel cancel;
};
TempDir* RealEngineTest::dir = nullptr;
bool RealEngineTest::running = false;
std::string RealEngineTest::why;

TEST_F(RealEngineTest, LoadsInspectsTagsSavesAndRemoves) {
  EXPECT_TRUE(*engine->ping(cancel));
  auto loaded = load(archive("whole", {"one", "two"}));
  ASSERT_TRUE(loaded) << loaded.error().text();
  EXPECT_EQ(loaded->names, std::vector<std::string>{"whole:1"});
  const EngineImage image = engine->inspect("whole:1", cancel).take();
  EXPECT_EQ(image.diff_ids.size(), 2U);
  ASSERT_TRUE(engine->tag(image.id, "other.example/whole:2", cancel));
  EXPECT_NE(docker({"images", "--no-trunc"}).out.find("other.example/whole"), std::string::npos);
  auto opened = open_daemon_image(*engine, "other.example/whole:2", own.path(), {}, cancel);
  ASSERT_TRUE(opened) << opened.error().text();
  EXPECT_EQ(opened->config_digest, image.id);
  EXPECT_EQ(opened->layers.size(), 2U);
  ASSERT_TRUE(engine->remove("whole:1", cancel));
  ASSERT_TRUE(engine->remove(image.id.text(), cancel));
  EXPECT_EQ(docker({"images", "-q"}).out, "");
}

TEST_F(RealEngineTest, TakesAnArchiveWithoutTheLayersItHas) {
  ASSERT_TRUE(load(archive("short", {"one", "two"})));
  const std::vector<Digest> ids = engine->inspect("short:1", cancel)->diff_ids;
  const fs::path tree = own.path() / "tree";
  fs::create_directories(tree);
  (void)run_tool({"tar", "-C", tree, "-xf", archive("more", {"one", "two", "three"})});
  std::vector<std::size_t> left_out;
  const auto write = [&](Sink& out, const std::vector<Digest>& absent) -> Result<> {
    left_out.push_back(absent.size());
    for (const Digest& layer : absent) EXPECT_TRUE(fs::remove(tree / (layer.hex() + ".tar")));
    const fs::path file = own.path() / "rest.tar";
    EXPECT_EQ(run_tool({"tar", "-C", tree, "-cf", file, "."}).exit_code, 0);
    const Fd fd = TRY(open_read(file));
    FdSource source(fd.get());
    TRY(copy_all(source, out));
    return {};
  };
  auto loaded = engine->load_missing({ids[0], ids[1], sha256("whatever")}, write, {}, cancel);
  ASSERT_TRUE(loaded) << loaded.error().text();
  EXPECT_EQ(left_out, std::vector<std::size_t>{2}) << "the first way worked";
  EXPECT_EQ(engine->inspect("more:1", cancel)->diff_ids.size(), 3U);
}

TEST_F(RealEngineTest, OwnArchivesAreLoadedWithAndWithoutTheirLayers) {
  testing_support::make_oci_layout(own.path() / "l", {"one", "two", "own"});
  const image::SourceImage source = image::open_oci_layout(own.path() / "l", "").take();
  image::ImageSpec spec{.config = source.config, .history = source.history, .tags = {"own:1"}};
  std::vector<Digest> ids;
  for (const image::SourceLayer& layer : source.layers) {
    spec.layers.push_back({layer.diff_id, layer.blob, layer.bytes, own.path() / "l/blobs/sha256" / layer.blob.hex()});
    ids.push_back(layer.diff_id);
  }
  std::size_t left_out = 0;
  const auto write = [&](Sink& out, const std::vector<Digest>& absent) -> Result<> {
    left_out = absent.size();
    TRY(image::write_hybrid_archive(spec, out, absent));
    return {};
  };
  for (const std::size_t known : {std::size_t{0}, ids.size()}) {
    spec.config.labels["known"] = std::to_string(known);
    auto loaded = engine->load_missing(ids, write, {}, cancel);
    ASSERT_TRUE(loaded) << loaded.error().text();
    EXPECT_GE(left_out, known);
    EXPECT_EQ(engine->inspect("own:1", cancel)->id, image::image_ids(spec)->config);
  }
}

TEST_F(RealEngineTest, BrokenArchiveIsAnError) {
  ASSERT_TRUE(write_file_quick(own.path() / "bad.tar", std::string(4096, 'x')));
  EXPECT_FALSE(load(own.path() / "bad.tar"));
}

}  // namespace
}  // namespace kiln::publish
