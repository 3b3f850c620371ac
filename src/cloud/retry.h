// Repeating requests: the one place that decides whether, how often and after what pause (hardening section 10).
#pragma once

#include <mutex>

#include "cloud/http.h"

namespace kiln::cloud {

struct RetryPolicy {
  unsigned attempts = 8;
  unsigned name_attempts = 3;         // where the host's name does not resolve, which is mostly a typing error
  Duration base{200}, cap{20'000};    // the n-th pause is random within 0 .. min(cap, base * 2^n)
  Duration max_retry_after{300'000};  // a server that asks for more is not waited for
  Duration deadline{600'000};         // for all attempts together; bodies that stream afterwards do not count
  unsigned budget_per_minute = 10;    // retries of the whole process: so many, and
  double budget_share = 0.2;          // this share of the requests sent in the last minute
  /// How to wait; true if the whole time passed. Missing: Cancel::sleep. Tests put a recorder here.
  std::function<bool(Duration)> sleep;
};

/// Whether an answer with that status may come out better the next time.
bool is_retryable(long status);

/// The pause before attempt n + 1, n counted from 0; retry_after as the server sent it (seconds), if any.
Duration pause_before_retry(const RetryPolicy& policy, unsigned n, const std::optional<std::string>& retry_after);

/// Counts requests and retries of a sliding minute.
class RetryBudget {
 public:
  RetryBudget(unsigned per_minute, double share) : per_minute_(per_minute), share_(share) {}
  void count_request(Clock::time_point now);
  /// Takes one retry if there is one left.
  bool take(Clock::time_point now);

 private:
  void forget_before(Clock::time_point now);
  std::mutex mutex_;
  unsigned per_minute_;
  double share_;
  std::vector<Clock::time_point> requests_, retries_;
};

/// Sends through another client and repeats what is worth repeating. Thread-safe. open() is repeated up to the head of
/// the answer, send() to the end of the body. The last answer is handed on as it is.
class RetryingClient : public HttpClient {
 public:
  explicit RetryingClient(HttpClient& inner, RetryPolicy policy = {})
      : inner_(inner), policy_(std::move(policy)), budget_(policy_.budget_per_minute, policy_.budget_share) {}
  Result<HttpAnswer> open(const HttpRequest& request, const Cancel& cancel) override;
  Result<HttpResponse> send(const HttpRequest& request, const Cancel& cancel) override;

  /// Waits before another attempt at something larger than one request. Nothing when there is none left.
  Result<bool> wait_before_retry(unsigned attempt, const std::optional<std::string>& retry_after, const Cancel& cancel);

 private:
  template <class Answer, class Send>
  Result<Answer> repeat(const HttpRequest& request, const Cancel& cancel, Send&& once);

  HttpClient& inner_;
  RetryPolicy policy_;
  RetryBudget budget_;
};

}  // namespace kiln::cloud
