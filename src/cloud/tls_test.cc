// TLS as a stranger serves it: openssl s_server with a throw-away certificate.
#include <gtest/gtest.h>

#include <future>

#include "cloud/registry.h"
#include "support/registry_process.h"

namespace kiln::cloud {
namespace {

using testing_support::run_tool;

class TlsTest : public testing::Test {
 protected:
  void SetUp() override {
    if (!testing_support::has_program("openssl")) GTEST_SKIP() << "openssl is not installed";
    const auto made = run_tool(
        {"openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout",
         "key.pem", "-out", "cert.pem", "-days", "2", "-subj", "/CN=test", "-addext", "subjectAltName=IP:127.0.0.1"},
        dir.path());
    ASSERT_EQ(made.exit_code, 0) << made.err;
    page("page", "HTTP/1.0 200 OK\r\n\r\ntext");
    page("down", "HTTP/1.0 302 Found\r\nLocation: http://127.0.0.1:1/\r\n\r\n");
    auto told = std::make_shared<std::promise<std::string>>();
    server = std::jthread([this, told] {
      bool said = false;
      (void)run_process(
          {.argv = {"openssl", "s_server", "-accept", "127.0.0.1:0", "-cert", "cert.pem", "-key", "key.pem", "-HTTP"},
           .cwd = dir.path(),
           .grace = Duration(1000)},
          stop,
          [&](std::string_view line, bool) {
            if (said || !line.starts_with("ACCEPT ")) return;
            said = true;
            told->set_value(std::string(line.substr(line.rfind(':') + 1)));
          })
          .ok();
      if (!said) told->set_value("0");
    });
    port = told->get_future().get();
  }
  void TearDown() override { stop.cancel(); }

  void page(const std::string& name, const std::string& text) {
    ASSERT_TRUE(write_file_quick(dir.path() / name, text));
  }
  Result<HttpResponse> get(const std::string& path, const std::string& host = "127.0.0.1", bool trusted = true) {
    HttpConfig config;
    if (trusted) config.host_ca[host] = dir.path() / "cert.pem";
    const std::unique_ptr<HttpClient> client = make_http_client(config).take();
    return client->send({.url = "https://" + host + ":" + port + path}, cancel);
  }

  TempDir dir = TempDir::create(testing::TempDir(), "tls").take();
  Cancel stop, cancel;
  std::string port;
  std::jthread server;
};

TEST_F(TlsTest, CertificateMustBeTrustedAndForTheHost) {
  auto page_text = get("/page");
  ASSERT_TRUE(page_text) << page_text.error().text();
  EXPECT_EQ(page_text->body, "text");
  EXPECT_EQ(get("/page", "127.0.0.1", false).error().code(), Errc::denied);
  EXPECT_EQ(get("/page", "localhost").error().code(), Errc::denied) << "the name is not in the certificate";
}

TEST_F(TlsTest, RedirectToPlainHttpIsRefused) {
  auto down = get("/down");
  ASSERT_FALSE(down);
  EXPECT_EQ(down.error().code(), Errc::denied);
  EXPECT_NE(down.error().text().find("from https to http"), std::string::npos);
}

TEST_F(TlsTest, RegistryThatCannotBeTrustedIsNotAskedWithoutTls) {
  const std::unique_ptr<HttpClient> plain = make_http_client({}).take();
  RetryingClient client(*plain);
  Registry registry(client, {});
  auto resolved = registry.resolve({"127.0.0.1:" + port, "a", "t", {}}, cancel);
  ASSERT_FALSE(resolved);
  EXPECT_EQ(resolved.error().code(), Errc::denied);
  EXPECT_NE(resolved.error().text().find("https://127.0.0.1"), std::string::npos);
}

}  // namespace
}  // namespace kiln::cloud
