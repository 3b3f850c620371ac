#include "cloud/retry.h"

#include <gtest/gtest.h>

#include "support/http_server.h"

namespace kiln::cloud {
namespace {

using testing_support::HttpServer;
using testing_support::Reply;
using testing_support::Request;

class RetryTest : public testing::Test {
 protected:
  RetryTest() {
    policy.sleep = [this](Duration pause) {
      pauses.push_back(pause);
      return true;
    };
  }
  /// Answers with each status in turn, then 200.
  HttpServer::Handler in_turn(std::vector<int> statuses) {
    return [statuses = std::move(statuses), n = std::size_t{0}](const Request&) mutable {
      return n < statuses.size() ? Reply{.status = statuses[n++]} : Reply{.body = "ok"};
    };
  }
  long status_of(const HttpServer& server, bool retry = true) {
    RetryingClient client(*plain, policy);
    auto answer = client.send({.url = server.url(), .retry = retry}, cancel);
    return answer ? answer->head.status : -1;
  }

  std::unique_ptr<HttpClient> plain = make_http_client({}).take();
  RetryPolicy policy;
  std::vector<Duration> pauses;
  Cancel cancel;
};

TEST_F(RetryTest, RepeatsWhatMayPassOnly) {
  HttpServer flaky(in_turn({500, 503, 429}));
  EXPECT_EQ(status_of(flaky), 200);
  EXPECT_EQ(pauses.size(), 3U);
  HttpServer final_answer(in_turn({404}));
  EXPECT_EQ(status_of(final_answer), 404);
  HttpServer once(in_turn({503}));
  EXPECT_EQ(status_of(once, false), 503);
  EXPECT_EQ(pauses.size(), 3U);
}

TEST_F(RetryTest, GivesUpAfterItsAttempts) {
  HttpServer server(in_turn(std::vector<int>(100, 503)));
  EXPECT_EQ(status_of(server), 503);
  EXPECT_EQ(server.requests().size(), 8U);
}

TEST_F(RetryTest, RepeatsBrokenConnectionsAndSaysHowOften) {
  HttpServer server([](const Request&) { return Reply{.raw = "HTTP/1.1 2"}; });
  policy.attempts = 3;
  RetryingClient client(*plain, policy);
  auto answer = client.send({.url = server.url()}, cancel);
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().text().substr(0, 13), "tried 3 times");
}

TEST_F(RetryTest, BudgetIsSharedByAllRequests) {
  policy.budget_per_minute = 2;
  policy.budget_share = 0;
  RetryingClient client(*plain, policy);
  HttpServer server(in_turn(std::vector<int>(100, 503)));
  for (int i = 0; i < 3; ++i) (void)client.send({.url = server.url()}, cancel);
  EXPECT_EQ(server.requests().size(), 5U);
}

TEST_F(RetryTest, PausesAreJitterUnderACeilingAndRespectTheServer) {
  for (unsigned n = 0; n < 40; ++n) {
    EXPECT_LE(pause_before_retry(policy, 3, {}).count(), 1600);
    EXPECT_LE(pause_before_retry(policy, 30, {}).count(), 20'000);
  }
  EXPECT_GE(pause_before_retry(policy, 0, "7").count(), 7000);
  EXPECT_LE(pause_before_retry(policy, 0, "Wed, 21 Oct 2026 07:28:00 GMT").count(), 200);
}

TEST_F(RetryTest, ServerThatAsksForTooLongIsNotWaitedFor) {
  HttpServer server([](const Request&) { return Reply{.status = 429, .headers = {{"Retry-After", "3600"}}}; });
  EXPECT_EQ(status_of(server), 429);
  EXPECT_TRUE(pauses.empty());
}

TEST_F(RetryTest, CancelEndsAPause) {
  HttpServer server(in_turn({429}));
  policy.sleep = nullptr;
  policy.base = policy.cap = Duration(60'000);
  std::jthread later([&] {
    (void)cancel.sleep(Duration(100));
    cancel.cancel();
  });
  const auto start = Clock::now();
  EXPECT_EQ(status_of(server), -1);
  EXPECT_LT(ms_since(start), 1000U);
}

TEST_F(RetryTest, BodyIsSentAgainWhole) {
  HttpServer server(
      [n = 0](const Request& r) mutable { return Reply{.status = n++ == 0 ? 502 : 200, .body = r.body}; });
  RetryingClient client(*plain, policy);
  EXPECT_EQ(client.send({.method = "PUT", .url = server.url(), .body = text_body("abc")}, cancel)->body, "abc");
}

}  // namespace
}  // namespace kiln::cloud
