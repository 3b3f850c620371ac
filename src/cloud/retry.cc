#include "cloud/retry.h"

#include <algorithm>
#include <charconv>
#include <cstring>

#include "base/hash.h"

namespace kiln::cloud {

namespace {

std::uint64_t random_below(std::uint64_t limit) {
  std::uint64_t value = 0;
  const std::string bytes = random_bytes(sizeof value);
  std::memcpy(&value, bytes.data(), sizeof value);
  return limit == 0 ? 0 : value % limit;
}

std::optional<Duration> seconds(const std::string& text) {
  std::uint32_t value = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (problem != std::errc() || end != text.data() + text.size()) return std::nullopt;  // a date: the jitter will do
  return Duration(std::uint64_t{value} * 1000);
}

}  // namespace

bool is_retryable(long status) {
  return status == 408 || status == 429 || status == 500 || status == 502 || status == 503 || status == 504;
}

Duration pause_before_retry(const RetryPolicy& policy, unsigned n, const std::optional<std::string>& retry_after) {
  const Duration ceiling = std::min(policy.cap, Duration(policy.base.count() << std::min(n, 20U)));
  const Duration jitter(random_below(static_cast<std::uint64_t>(ceiling.count()) + 1));
  const auto asked = retry_after ? seconds(*retry_after) : std::nullopt;
  return asked ? *asked + jitter : jitter;
}

void RetryBudget::forget_before(Clock::time_point now) {
  const auto old = [&](Clock::time_point t) { return now - t > std::chrono::minutes(1); };
  std::erase_if(requests_, old);
  std::erase_if(retries_, old);
}

void RetryBudget::count_request(Clock::time_point now) {
  const std::scoped_lock lock(mutex_);
  if (requests_.size() % 1024 == 1023) forget_before(now);
  requests_.push_back(now);
}

bool RetryBudget::take(Clock::time_point now) {
  const std::scoped_lock lock(mutex_);
  forget_before(now);
  if (static_cast<double>(retries_.size()) >= per_minute_ + share_ * static_cast<double>(requests_.size()))
    return false;
  retries_.push_back(now);
  return true;
}

Result<bool> RetryingClient::wait_before_retry(unsigned attempt, const std::optional<std::string>& retry_after,
                                               const Cancel& cancel) {
  const Duration pause = pause_before_retry(policy_, attempt, retry_after);
  if (attempt + 1 >= policy_.attempts || pause > policy_.max_retry_after || !budget_.take(Clock::now())) return false;
  if (policy_.sleep ? policy_.sleep(pause) : cancel.sleep(pause)) return true;
  TRY(cancel.check());
  return false;
}

template <class Answer, class Send>
Result<Answer> RetryingClient::repeat(const HttpRequest& request, const Cancel& cancel, Send&& once) {
  const auto start = Clock::now();
  for (unsigned attempt = 0;; ++attempt) {
    budget_.count_request(Clock::now());
    Result<Answer> answer = once();
    std::optional<std::string> retry_after;
    bool again = request.retry && Clock::now() - start < policy_.deadline;
    if (answer) {
      again = again && is_retryable(answer->head.status);
      retry_after = answer->head.header("retry-after");
    } else {
      const Errc code = answer.error().code();
      again = again && (code == Errc::network || (code == Errc::not_found && attempt + 1 < policy_.name_attempts));
    }
    if (!again) return answer;
    if (!TRY(wait_before_retry(attempt, retry_after, cancel))) {
      return std::move(answer).context("tried {} times", attempt + 1);
    }
  }
}

Result<HttpAnswer> RetryingClient::open(const HttpRequest& request, const Cancel& cancel) {
  return repeat<HttpAnswer>(request, cancel, [&] { return inner_.open(request, cancel); });
}

Result<HttpResponse> RetryingClient::send(const HttpRequest& request, const Cancel& cancel) {
  return repeat<HttpResponse>(request, cancel, [&] { return inner_.send(request, cancel); });
}

}  // namespace kiln::cloud
