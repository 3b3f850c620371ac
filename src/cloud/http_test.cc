#include "cloud/http.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "base/file.h"
#include "cloud/base64.h"
#include "support/http_server.h"

namespace kiln::cloud {
namespace {

using testing_support::HttpServer;
using testing_support::Reply;
using testing_support::Request;

TEST(UrlTest, ParsesOneCanonicalForm) {
  const Url url = Url::parse("HTTPS://Example.ORG/a/../b?x=1#frag").take();
  EXPECT_EQ(url.origin(), "https://example.org:443");
  EXPECT_EQ(url.text(), "https://example.org:443/b?x=1");
  EXPECT_EQ(url.shown(), "https://example.org/b");
  EXPECT_EQ(url.resolve("/c?d")->text(), "https://example.org:443/c?d");
  EXPECT_EQ(Url::parse("http://0x7f.1/")->host, "127.0.0.1");
}

TEST(UrlTest, RefusesWhatHidesTheHost) {
  for (const char* bad : {"https://user:pw@h/", "https://h%2e/", "https://h./", "ftp://h/", "https:////x", "h/x", "",
                          "https://h:0/", "https://h:99999/", "https://h\r\n/", "file:///etc/passwd"}) {
    EXPECT_FALSE(Url::parse(bad)) << bad;
  }
}

TEST(UrlTest, KnowsAddressesThatAreNotPublic) {
  for (const char* inside :
       {"10.1.2.3", "169.254.169.254", "172.31.0.1", "192.168.0.1", "0.0.0.0", "100.64.0.1", "[fe80::1]", "[fd00::1]",
        "[::]", "[::ffff:10.0.0.1]", "[64:ff9b::a00:1]", "[2002:a00:1::]", "224.0.0.1"}) {
    EXPECT_EQ(host_kind(inside), AddressKind::internal) << inside;
  }
  for (const char* here : {"127.0.0.1", "127.9.9.9", "[::1]", "localhost", "[::ffff:127.0.0.1]"}) {
    EXPECT_EQ(host_kind(here), AddressKind::loopback) << here;
  }
  EXPECT_EQ(host_kind("192.0.2.1.example"), AddressKind::unknown);
  EXPECT_EQ(host_kind("93.184.216.34"), AddressKind::global);
  EXPECT_EQ(host_kind("[2606:2800::1]"), AddressKind::global);
}

TEST(Base64Test, GoesRoundAndIsStrict) {
  for (const char* text : {"", "a", "ab", "abc", "user:p\xc3\xa4ss"}) EXPECT_EQ(*from_base64(base64(text)), text);
  EXPECT_EQ(base64("user:pw"), "dXNlcjpwdw==");
  EXPECT_EQ(*from_base64("dXNlcjpwdw"), "user:pw");
  EXPECT_FALSE(from_base64("a"));
  EXPECT_FALSE(from_base64("d X="));
}

TEST(ProxyTest, LoopbackAndExceptionsGoDirectly) {
  const HttpConfig config = http_config_from({{"https_proxy", "http://proxy:3128"},
                                              {"HTTP_PROXY", "http://evil"},  // CGI programs get this from strangers
                                              {"NO_PROXY", "corp.example, .int,10.0.0.0/8,*.dev"}});
  const auto proxy = [&](const char* url) { return proxy_for(config, *Url::parse(url)); };
  EXPECT_EQ(proxy("https://other.example/"), "http://proxy:3128");
  EXPECT_EQ(proxy("https://notcorp.example/"), "http://proxy:3128");
  for (const char* direct : {"https://corp.example/", "https://a.corp.example/", "https://x.int/", "https://10.2.3.4/",
                             "https://127.0.0.1/", "https://localhost/", "http://other.example/", "https://a.dev/"}) {
    EXPECT_EQ(proxy(direct), "") << direct;
  }
}

class HttpTest : public testing::Test {
 protected:
  Result<HttpResponse> get(const std::string& url) { return client->send({.url = url}, cancel); }

  std::unique_ptr<HttpClient> client = make_http_client({}).take();
  Cancel cancel;
};

TEST_F(HttpTest, ReadsSizedAndChunkedBodies) {
  const std::string text(5000, 'x');
  HttpServer server([&](const Request& r) { return Reply{.body = text, .chunked = r.target == "/chunked"}; });
  EXPECT_EQ(get(server.url("/sized"))->body, text);
  EXPECT_EQ(get(server.url("/chunked"))->body, text);
  EXPECT_EQ(server.connections(), 1) << "a connection is used again";
  EXPECT_TRUE(server.faults().empty());
}

TEST_F(HttpTest, SendsSizedAndChunkedBodies) {
  HttpServer server([](const Request& r) { return Reply{.status = 201, .body = r.method + " " + r.body}; });
  std::uint64_t sent = 0;
  HttpRequest put{
      .method = "PUT", .url = server.url(), .body = text_body("content"), .on_sent = [&](std::uint64_t bytes) {
        sent = bytes;
      }};
  EXPECT_EQ(client->send(put, cancel)->body, "PUT content");
  EXPECT_EQ(sent, 7U);
  put.method = "POST";
  put.body->bytes.reset();
  EXPECT_EQ(client->send(put, cancel)->body, "POST content");
  EXPECT_TRUE(server.requests().back().has("transfer-encoding"));
  put.body.reset();
  EXPECT_EQ(client->send(put, cancel)->body, "POST ");
  EXPECT_EQ(server.requests().back().headers["content-length"], "0");
}

TEST_F(HttpTest, SpeaksThroughAUnixSocket) {
  const TempDir dir = TempDir::create(testing::TempDir(), "http").take();
  const std::string path = dir.path() / "s";
  HttpServer server([](const Request& r) { return Reply{.body = r.headers.at("host")}; }, path);
  const HttpRequest request{.url = "http://engine/_ping", .unix_socket = path};
  EXPECT_EQ(client->send(request, cancel)->body, "engine");
}

TEST_F(HttpTest, SecretsStayWithTheirOrigin) {
  HttpServer other([](const Request&) { return Reply{.body = "other"}; });
  HttpServer server([&](const Request& r) {
    if (r.target == "/away") return Reply{.status = 307, .headers = {{"Location", other.url("/x")}}};
    if (r.target == "/home") return Reply{.status = 302, .headers = {{"Location", "/end"}}};
    return Reply{.body = "end"};
  });
  HttpRequest request{.headers = {{"Authorization", "Bearer t", true}, {"Accept", "a/b"}}};
  request.url = server.url("/away");
  EXPECT_EQ(client->send(request, cancel)->body, "other");
  EXPECT_FALSE(other.requests().at(0).has("authorization"));
  EXPECT_EQ(other.requests().at(0).headers["accept"], "a/b");
  request.url = server.url("/home");
  EXPECT_EQ(client->send(request, cancel)->body, "end");
  EXPECT_TRUE(server.requests().back().has("authorization"));
}

TEST_F(HttpTest, FiveRedirectsAreEnough) {
  HttpServer server([](const Request& r) {
    const int n = std::stoi(r.target.substr(1));
    return n == 0 ? Reply{.body = "end"} : Reply{.status = 302, .headers = {{"Location", fmt::format("/{}", n - 1)}}};
  });
  EXPECT_EQ(get(server.url("/5"))->body, "end");
  auto sixth = get(server.url("/6"));
  ASSERT_FALSE(sixth);
  EXPECT_NE(sixth.error().text().find("more than 5 redirects"), std::string::npos);
}

TEST_F(HttpTest, PlainHttpIsForLoopbackAndNamedHosts) {
  auto refused = get("http://registry.example/v2/");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code(), Errc::denied);
  EXPECT_TRUE(
      may_be_plain({.insecure_hosts = {"registry.example:5000"}}, *Url::parse("http://registry.example:5000/")));
  EXPECT_FALSE(may_be_plain({.insecure_hosts = {"registry.example:5000"}}, *Url::parse("http://registry.example/")));
}

TEST_F(HttpTest, UrlsOfPublicServersDoNotLeadInside) {
  HttpServer server([](const Request&) { return Reply{}; });
  auto inside = client->send({.url = server.url(), .public_only = true}, cancel);
  ASSERT_FALSE(inside);
  EXPECT_EQ(inside.error().code(), Errc::denied);
  EXPECT_EQ(server.connections(), 0);
}

TEST_F(HttpTest, AnswersHaveLimits) {
  HttpServer server([](const Request& r) {
    if (r.target == "/lines")
      return Reply{.headers = std::vector<std::pair<std::string, std::string>>(101, {"X", "y"})};
    if (r.target == "/long") return Reply{.headers = {{"X", std::string(65 << 10, 'y')}}};
    return Reply{.body = std::string(1001, 'x'), .chunked = r.target == "/chunked"};
  });
  for (const char* path : {"/lines", "/long", "/sized", "/chunked"}) {
    auto answer = client->send({.url = server.url(path), .max_body = 1000}, cancel);
    ASSERT_FALSE(answer) << path;
    EXPECT_EQ(answer.error().code(), Errc::corrupt) << path;
  }
  EXPECT_EQ(client->send({.url = server.url("/sized"), .max_body = 1001}, cancel)->body.size(), 1001U);
}

TEST_F(HttpTest, ContentLengthMustBeTheExpectedOne) {
  HttpServer server([](const Request&) { return Reply{.body = "12345"}; });
  EXPECT_TRUE(client->open({.url = server.url(), .expected_body = 5}, cancel));
  EXPECT_EQ(client->open({.url = server.url(), .expected_body = 6}, cancel).error().code(), Errc::corrupt);
}

TEST_F(HttpTest, BodyThatEndsEarlyIsAnError) {
  HttpServer server([](const Request&) { return Reply{.body = std::string(1000, 'x'), .cut_short = true}; });
  EXPECT_EQ(get(server.url()).error().code(), Errc::network);
}

TEST_F(HttpTest, SilenceIsAnErrorAfterAWhile) {
  HttpServer server([](const Request&) { return Reply{.raw = "HTTP/1.1 200 OK\r\n", .hang = true}; });
  EXPECT_EQ(client->send({.url = server.url(), .idle = Duration(300)}, cancel).error().code(), Errc::network);
  EXPECT_EQ(client->send({.url = server.url(), .deadline = Duration(300)}, cancel).error().code(), Errc::network);
}

TEST_F(HttpTest, CancelEndsAnAnswerThatHangs) {
  HttpServer server([](const Request&) { return Reply{.raw = "HTTP/1.1 200 OK\r\n\r\nhalf", .hang = true}; });
  std::jthread later([&] {
    (void)cancel.sleep(Duration(100));
    cancel.cancel();
  });
  const auto start = Clock::now();
  EXPECT_EQ(get(server.url()).error().code(), Errc::interrupted);
  EXPECT_LT(ms_since(start), 1000U);
}

TEST_F(HttpTest, ErrorsShowNeitherQueryNorHeaders) {
  HttpServer server([](const Request&) { return Reply{.raw = "nonsense"}; });
  const HttpRequest request{.url = server.url("/p?sig=S3CRET"), .headers = {{"Authorization", "S3CRET", true}}};
  const std::string text = client->send(request, cancel).error().text();
  EXPECT_EQ(text.find("S3CRET"), std::string::npos) << text;
  EXPECT_NE(text.find("/p"), std::string::npos) << text;
  EXPECT_EQ(status_error(request, {{.status = 503}, "no\x1b[31m"}).text(),
            fmt::format("GET {}: http 503: no\\x1b[31m", server.url("/p")));
}

TEST_F(HttpTest, BadProxyIsNotRepeatedInTheMessage) {
  client = make_http_client({.https_proxy = "sock9://user:S3CRET@proxy:1"}).take();
  const std::string text = get("https://h.example/").error().text();
  EXPECT_EQ(text.find("S3CRET"), std::string::npos) << text;
}

TEST_F(HttpTest, ProxyIsUsedForOtherHosts) {
  HttpServer proxy([](const Request& r) { return Reply{.body = r.target}; });
  client = make_http_client({.http_proxy = proxy.url(), .insecure_hosts = {"h.example"}}).take();
  EXPECT_EQ(get("http://h.example/x")->body, "http://h.example/x");
}

TEST_F(HttpTest, HeadersCannotBeInjected) {
  EXPECT_EQ(client->send({.url = "http://127.0.0.1/", .headers = {{"A", "b\r\nC: d"}}}, cancel).error().code(),
            Errc::usage);
}

TEST_F(HttpTest, DownloadRefusesErrorStatuses) {
  HttpServer server([](const Request& r) { return Reply{.status = r.target == "/" ? 200 : 404, .body = "text"}; });
  StringSink sink;
  EXPECT_TRUE(download(*client, {.url = server.url()}, sink, cancel));
  EXPECT_EQ(sink.text, "text");
  EXPECT_EQ(download(*client, {.url = server.url("/no")}, sink, cancel).error().code(), Errc::not_found);
  EXPECT_EQ(sink.text, "text");
}

}  // namespace
}  // namespace kiln::cloud
