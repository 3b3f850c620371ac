#include "cloud/registry.h"

#include <gtest/gtest.h>

#include "base/file.h"
#include "cloud/base64.h"
#include "support/http_server.h"
#include "support/registry_process.h"

namespace kiln::cloud {
namespace {

using testing_support::HttpServer;
using testing_support::make_oci_layout;
using testing_support::RegistryProcess;
using testing_support::Reply;
using testing_support::Request;
using testing_support::run_tool;

constexpr const char* kManifestType = "application/vnd.oci.image.manifest.v1+json";
constexpr const char* kIndexType = "application/vnd.oci.image.index.v1+json";

/// A registry that says what a test tells it to.
class FakeRegistry {
 public:
  FakeRegistry() : server([this](const Request& r) { return answer(r); }) {}

  Digest add(const std::string& text, const std::string& type = {}) {
    Digest digest = sha256(text);
    replies["/v2/a/" + std::string(type.empty() ? "blobs/" : "manifests/") + digest.text()] =
        Reply{.headers = {{"Content-Type", type.empty() ? "application/octet-stream" : type}}, .body = text};
    return digest;
  }
  Reply answer(const Request& request) {
    if (request.target == "/v2/") return {};
    if (intercept) {
      if (auto reply = intercept(request)) return *reply;
    }
    const auto it = replies.find(request.target.substr(0, request.target.find('?')));
    return it == replies.end() ? Reply{.status = 404} : it->second;
  }

  std::map<std::string, Reply> replies;
  std::function<std::optional<Reply>(const Request&)> intercept;
  HttpServer server;
};

std::string descriptor(const std::string& type, const std::string& text) {
  return fmt::format(R"({{"mediaType":"{}","digest":"{}","size":{}}})", type, sha256(text).text(), text.size());
}

class RegistryTest : public testing::Test {
 protected:
  RegistryTest() : client(*plain, quick_policy()) {}

  static RetryPolicy quick_policy() {
    RetryPolicy policy;
    policy.attempts = 3;
    policy.base = policy.cap = Duration(1);
    policy.budget_per_minute = 100;
    return policy;
  }
  Reference ref(const Digest& digest = {}, const std::string& path = "a") const {
    return {fake.server.authority(), path, "t", digest};
  }
  /// What reading an image with this manifest says.
  std::string problem_of(const std::string& manifest, const std::string& type = kManifestType) {
    Registry registry(client, config);
    auto image = registry.read_image(ref(fake.add(manifest, type)), cancel);
    return image ? "" : image.error().text();
  }
  std::string manifest_of(const std::string& layers) {
    fake.add("{}");
    return fmt::format(R"({{"schemaVersion":2,"config":{},"layers":[{}]}})", descriptor("c", "{}"), layers);
  }
  Result<std::string> read_blob(Registry& registry, const Descriptor& blob) {
    const std::unique_ptr<Source> source = TRY(registry.open_blob(ref(), blob, cancel));
    StringSink sink;
    TRY(copy_all(*source, sink));
    return std::move(sink.text);
  }

  FakeRegistry fake;
  std::unique_ptr<HttpClient> plain = make_http_client({}).take();
  RetryingClient client;
  RegistryConfig config;
  Cancel cancel;
};

TEST_F(RegistryTest, TagBecomesADigest) {
  const Digest digest = sha256("m");
  fake.replies["/v2/a/manifests/t"] = Reply{.headers = {{"Docker-Content-Digest", digest.text()}}};
  Registry registry(client, config);
  EXPECT_EQ(*registry.resolve(ref(), cancel), digest);
  EXPECT_EQ(registry.resolve(ref({}, "b"), cancel).error().code(), Errc::not_found);
  const std::size_t before = fake.server.requests().size();
  EXPECT_EQ(*registry.resolve(ref(digest), cancel), digest);
  EXPECT_EQ(fake.server.requests().size(), before) << "a digest needs no network";
}

TEST_F(RegistryTest, TagWithoutDigestHeaderIsReadAndHashed) {
  const std::string manifest = manifest_of("");
  fake.replies["/v2/a/manifests/t"] = Reply{.headers = {{"Content-Type", kManifestType}}, .body = manifest};
  Registry registry(client, config);
  EXPECT_EQ(*registry.resolve(ref(), cancel), sha256(manifest));
}

TEST_F(RegistryTest, IndexLeadsToLinuxAmd64) {
  const std::string manifest = manifest_of(descriptor("l", "layer"));
  const auto entry = [&](const std::string& text, const char* architecture) {
    return fmt::format(R"({},"platform":{{"os":"linux","architecture":"{}"}}}})",
                       descriptor(kManifestType, text).substr(0, descriptor(kManifestType, text).size() - 1),
                       architecture);
  };
  fake.add(manifest, kManifestType);
  const std::string index =
      fmt::format(R"({{"schemaVersion":2,"manifests":[{},{}]}})", entry("other", "arm64"), entry(manifest, "amd64"));
  Registry registry(client, config);
  auto image = registry.read_image(ref(fake.add(index, kIndexType)), cancel);
  ASSERT_TRUE(image) << image.error().text();
  EXPECT_EQ(image->manifest.digest, sha256(manifest));
  EXPECT_EQ(image->config_text, "{}");
  EXPECT_EQ(image->layers.at(0).digest, sha256("layer"));
  const std::string foreign = fmt::format(R"({{"schemaVersion":2,"manifests":[{}]}})", entry("other", "arm64"));
  EXPECT_NE(problem_of(foreign, kIndexType).find("there are: linux/arm64"), std::string::npos);
}

TEST_F(RegistryTest, RefusesManifestsThatAreNotPlainlyOne) {
  const std::string good = manifest_of("");
  EXPECT_EQ(problem_of(good), "");
  EXPECT_NE(problem_of(good, "application/json"), "");
  EXPECT_NE(problem_of(good, kIndexType), "");
  EXPECT_NE(problem_of(R"({"schemaVersion":1,"layers":[]})"), "");
  EXPECT_NE(problem_of(R"({"schemaVersion":2,"layers":[],"manifests":[]})"), "");
  EXPECT_NE(problem_of(R"({"schemaVersion":2})"), "");
  EXPECT_NE(problem_of(R"([])"), "");
  EXPECT_NE(problem_of(fmt::format(R"({{"mediaType":"{}",{}}})", kIndexType, good.substr(1, good.size() - 2))), "");
  EXPECT_NE(problem_of(manifest_of(R"({"digest":"sha256:../../x","size":1})")), "");
  EXPECT_NE(problem_of(manifest_of(fmt::format(R"({{"digest":"{}","size":-1}})", sha256("").text()))), "");
  EXPECT_NE(problem_of(manifest_of(fmt::format(R"({{"digest":"{}","size":1e3}})", sha256("").text()))), "");
}

TEST_F(RegistryTest, EndlessIndexesEnd) {
  std::string text = manifest_of("");
  for (int depth = 0; depth < 3; ++depth) {
    std::string inner = descriptor(depth == 0 ? kManifestType : kIndexType, text);
    fake.add(text, depth == 0 ? kManifestType : kIndexType);
    inner.insert(inner.size() - 1, R"(,"platform":{"os":"linux","architecture":"amd64"})");
    text = fmt::format(R"({{"schemaVersion":2,"manifests":[{}]}})", inner);
  }
  EXPECT_NE(problem_of(text, kIndexType).find("more than 2 deep"), std::string::npos);
}

TEST_F(RegistryTest, ManifestWithAnotherDigestIsRefused) {
  const Digest digest = fake.add(manifest_of(""), kManifestType);
  fake.replies["/v2/a/manifests/" + digest.text()].body += " ";
  Registry registry(client, config);
  EXPECT_EQ(registry.read_image(ref(digest), cancel).error().code(), Errc::corrupt);
}

TEST_F(RegistryTest, BlobsAreCheckedToTheirEnd) {
  Registry registry(client, config);
  const Descriptor blob{"", fake.add("content"), 7};
  EXPECT_EQ(*read_blob(registry, blob), "content");
  fake.replies["/v2/a/blobs/" + blob.digest.text()].body = "c0ntent";
  EXPECT_EQ(read_blob(registry, blob).error().code(), Errc::corrupt);
  fake.replies["/v2/a/blobs/" + blob.digest.text()] = Reply{.body = "content and more", .chunked = true};
  EXPECT_EQ(read_blob(registry, blob).error().code(), Errc::corrupt);
}

/// What a ranged request gets: the rest, or everything from the start.
Reply broken_after_half(const Request& request, const std::string& text, bool knows_ranges) {
  if (!request.has("range")) return Reply{.body = text, .cut_short = true};
  if (!knows_ranges) return Reply{.body = text};
  const std::size_t from = std::stoul(request.headers.at("range").substr(6));
  return Reply{.status = 206,
               .headers = {{"Content-Range", fmt::format("bytes {}-{}/{}", from, text.size() - 1, text.size())}},
               .body = text.substr(from)};
}

TEST_F(RegistryTest, BrokenTransferGoesOnWhereItStopped) {
  const std::string text(100'000, 'x');
  for (const bool knows_ranges : {true, false}) {
    fake.intercept = [&](const Request& r) { return broken_after_half(r, text, knows_ranges); };
    Registry registry(client, config);
    EXPECT_EQ(*read_blob(registry, {"", sha256(text), text.size()}), text);
    EXPECT_EQ(fake.server.requests().back().headers["range"], "bytes=50000-");
  }
}

TEST_F(RegistryTest, TransferThatBreaksForEverIsGivenUp) {
  fake.intercept = [](const Request&) { return Reply{.body = std::string(1000, 'x'), .cut_short = true}; };
  Registry registry(client, config);
  EXPECT_FALSE(read_blob(registry, {"", sha256(std::string(1000, 'x')), 1000}));
}

/// A registry and its token server in one, that wants user:pw for a token.
std::optional<Reply> token_server(const Request& request, const std::string& realm) {
  if (request.target.starts_with("/token")) {
    const bool known = request.has("authorization") && request.headers.at("authorization") == "Basic dXNlcjpwdw==";
    return known ? Reply{.body = R"({"token":"T"})"} : Reply{.status = 401};
  }
  if (request.has("authorization") && request.headers.at("authorization") == "Bearer T") return std::nullopt;
  return Reply{.status = 401,
               .headers = {{"WWW-Authenticate",
                            fmt::format(R"(Bearer realm="{}",service="s",scope="repository:all:*")", realm)}}};
}

TEST_F(RegistryTest, TokenIsAskedForOnceAndForOurOwnScope) {
  config.credentials[fake.server.authority()] = {"user", "pw"};
  fake.intercept = [&](const Request& r) { return token_server(r, fake.server.url("/token?x=y")); };
  fake.add("content");
  Registry registry(client, config);
  EXPECT_EQ(*read_blob(registry, {"", sha256("content"), 7}), "content");
  EXPECT_EQ(*read_blob(registry, {"", sha256("content"), 7}), "content");
  std::vector<std::string> asked;
  for (const Request& r : fake.server.requests()) {
    if (r.target.starts_with("/token")) asked.push_back(r.target);
  }
  EXPECT_EQ(asked, std::vector<std::string>{"/token?x=y&service=s&scope=repository%3Aa%3Apull"});
}

TEST_F(RegistryTest, CredentialsAreNotSentToATokenServerElsewhere) {
  HttpServer other([](const Request& r) { return *token_server(r, ""); });
  config.credentials[fake.server.authority()] = {"user", "pw"};
  fake.intercept = [&](const Request& r) { return token_server(r, other.url("/token")); };
  fake.add("content");
  {
    Registry registry(client, config);
    auto refused = read_blob(registry, {"", sha256("content"), 7});
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code(), Errc::denied);
    EXPECT_NE(refused.error().text().find("were not sent there"), std::string::npos);
    EXPECT_FALSE(other.requests().at(0).has("authorization"));
  }
  config.credentials[other.authority()] = {"user", "pw"};  // bound to it by the user
  Registry registry(client, config);
  EXPECT_EQ(*read_blob(registry, {"", sha256("content"), 7}), "content");
}

TEST_F(RegistryTest, BasicCredentialsAreForTheirHostOnly) {
  fake.intercept = [](const Request& r) -> std::optional<Reply> {
    if (r.has("authorization") && r.headers.at("authorization") == "Basic " + base64("user:pw")) return std::nullopt;
    return Reply{.status = 401, .headers = {{"WWW-Authenticate", "Basic realm=\"r\""}}};
  };
  fake.add("content");
  {
    Registry registry(client, config);
    auto refused = read_blob(registry, {"", sha256("content"), 7});
    ASSERT_FALSE(refused);
    EXPECT_NE(refused.error().text().find("no credentials for it in Docker's config.json"), std::string::npos);
  }
  config.credentials[fake.server.authority()] = {"user", "pw"};
  Registry registry(client, config);
  EXPECT_EQ(*read_blob(registry, {"", sha256("content"), 7}), "content");
}

TEST_F(RegistryTest, UploadElsewhereIsRefused) {
  HttpServer other([](const Request&) { return Reply{.status = 201}; });
  fake.intercept = [&](const Request&) { return Reply{.status = 202, .headers = {{"Location", other.url("/x")}}}; };
  Registry registry(client, config);
  auto sent = registry.upload_blob(ref(), {"", sha256("x"), 1}, text_body("x").open, {}, cancel);
  ASSERT_FALSE(sent);
  EXPECT_EQ(sent.error().code(), Errc::denied);
  EXPECT_TRUE(other.requests().empty());
}

TEST_F(RegistryTest, UploadIsTriedAgainInANewSession) {
  int sessions = 0;
  fake.intercept = [&](const Request& r) -> std::optional<Reply> {
    if (r.method == "POST")
      return Reply{.status = 202, .headers = {{"Location", fmt::format("/s/{}?k=v", ++sessions)}}};
    if (r.method == "PUT") return Reply{.status = sessions < 2 ? 503 : 201};
    return std::nullopt;
  };
  Registry registry(client, config);
  ASSERT_TRUE(registry.upload_blob(ref(), {"", sha256("x"), 1}, text_body("x").open, {}, cancel));
  const Request last = fake.server.requests().back();
  EXPECT_EQ(last.target, "/s/2?k=v&digest=" + url_escape(sha256("x").text()));
  EXPECT_EQ(last.body, "x");
}

TEST_F(RegistryTest, FileThatChangedWhileItWasSentIsNotStored) {
  fake.intercept = [&](const Request& r) {
    return Reply{.status = r.method == "POST" ? 202 : 201, .headers = {{"Location", "/s"}}};
  };
  Registry registry(client, config);
  auto sent = registry.upload_blob(ref(), {"", sha256("x"), 1}, text_body("y").open, {}, cancel);
  ASSERT_FALSE(sent);
  EXPECT_EQ(sent.error().code(), Errc::corrupt);
  EXPECT_EQ(fake.server.requests().back().method, "DELETE");
}

// ---- Debian's docker-registry, and skopeo as the judge ----

class RealRegistryTest : public RegistryTest {
 protected:
  void SetUp() override {
    if (!testing_support::has_program("docker-registry") || !testing_support::has_program("skopeo")) {
      GTEST_SKIP() << "docker-registry or skopeo is not installed";
    }
    process.emplace(dir.path());
    ASSERT_FALSE(process->authority().empty());
    make_oci_layout(dir.path() / "layout", {"one", "two"});
  }
  std::string name(const std::string& rest) const { return process->authority() + "/" + rest; }
  /// Copies the layout there with skopeo.
  void push_with_skopeo(const std::string& rest) const {
    const auto copied = run_tool({"skopeo", "--insecure-policy", "copy", "--dest-tls-verify=false",
                                  "oci:" + (dir.path() / "layout:test").native(), "docker://" + name(rest)});
    ASSERT_EQ(copied.exit_code, 0) << copied.err;
  }

  TempDir dir = TempDir::create(testing::TempDir(), "registry").take();
  std::optional<RegistryProcess> process;
};

TEST_F(RealRegistryTest, ReadsWhatSkopeoPushed) {
  push_with_skopeo("team/app:1");
  Registry registry(client, config);
  Reference there = *parse_reference(name("team/app:1"));
  there.digest = registry.resolve(there, cancel).take();
  auto image = registry.read_image(there, cancel);
  ASSERT_TRUE(image) << image.error().text();
  ASSERT_EQ(image->layers.size(), 2U);
  auto source = registry.open_blob(there, image->layers[1], cancel);
  ASSERT_TRUE(source);
  HashSink sink;
  EXPECT_TRUE(copy_all(**source, sink));
  EXPECT_EQ(sink.digest(), image->layers[1].digest);
}

TEST_F(RealRegistryTest, BlobsAreUploadedFoundAndMounted) {
  Registry registry(client, config);
  const std::string text(300'000, 'z');
  const Descriptor blob{"", sha256(text), text.size()};
  const Reference one = *parse_reference(name("one"));
  const Reference two = *parse_reference(name("two"));
  EXPECT_FALSE(*registry.has_blob(one, blob.digest, cancel));
  auto sent = registry.upload_blob(one, blob, text_body(text).open, {}, cancel);
  ASSERT_TRUE(sent) << sent.error().text();
  EXPECT_TRUE(*registry.has_blob(one, blob.digest, cancel));
  EXPECT_FALSE(*registry.mount_blob(two, blob.digest, "nowhere", cancel));
  EXPECT_TRUE(*registry.mount_blob(two, blob.digest, "one", cancel));
  EXPECT_TRUE(*registry.has_blob(two, blob.digest, cancel));
}

}  // namespace
}  // namespace kiln::cloud
