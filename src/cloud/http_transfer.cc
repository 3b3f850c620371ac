#include "cloud/http_transfer.h"

#include <arpa/inet.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstring>

#include "base/text.h"

namespace kiln::cloud {

namespace {

constexpr std::size_t kMaxHeaderBytes = 64 << 10;  // hardening section 9
constexpr std::size_t kMaxHeaders = 100;
constexpr std::uint64_t kSlowBytesPerSecond = 1024;
constexpr int kPollMs = 200;  // how often deadlines are looked at; a cancel wakes the poll itself

}  // namespace

LanePool::~LanePool() {
  for (CURLM* lane : idle_) (void)curl().multi_cleanup(lane);
}

CURLM* LanePool::take() {
  const std::scoped_lock lock(mutex_);
  if (idle_.empty()) return curl().multi_init();
  CURLM* lane = idle_.back();
  idle_.pop_back();
  return lane;
}

void LanePool::give_back(CURLM* lane) {
  const std::scoped_lock lock(mutex_);
  idle_.push_back(lane);
}

Transfer::Transfer(std::shared_ptr<LanePool> lanes, const Hop& hop, const Cancel& cancel)
    : lanes_(std::move(lanes)),
      cancel_(cancel),
      lane_(lanes_->take()),
      easy_(curl().easy_init()),
      what_(fmt::format("{} {}", hop.request->method, hop.url.shown())),
      public_only_(hop.public_only),
      needs_loopback_(hop.url.scheme == "http" && hop.request->unix_socket.empty() &&
                      host_kind(hop.url.host) == AddressKind::loopback),
      proxied_(!proxy_for(*hop.config, hop.url).empty() && hop.request->unix_socket.empty()),
      idle_(hop.request->idle),
      deadline_(hop.request->deadline),
      start_(hop.start),
      max_body_(hop.request->max_body),
      expected_(hop.request->expected_body),
      on_sent_(hop.request->on_sent) {
  head_.url = hop.url.text();
}

Transfer::~Transfer() {
  if (attached_) (void)curl().multi_remove_handle(lane_, easy_);
  if (easy_ != nullptr) curl().easy_cleanup(easy_);
  curl().slist_free_all(header_list_);
  if (lane_ != nullptr) lanes_->give_back(lane_);
}

Result<std::unique_ptr<Transfer>> Transfer::create(std::shared_ptr<LanePool> lanes, const Hop& hop,
                                                   const Cancel& cancel) {
  std::unique_ptr<Transfer> transfer(new Transfer(std::move(lanes), hop, cancel));
  if (transfer->easy_ == nullptr || transfer->lane_ == nullptr) return error(Errc::io, "curl: out of memory");
  TRY(transfer->set_options(hop));
  if (curl().multi_add_handle(transfer->lane_, transfer->easy_) != CURLM_OK)
    return error(Errc::io, "curl: no transfer");
  transfer->attached_ = true;
  return transfer;
}

std::size_t Transfer::body_wanted(char* data, std::size_t size, std::size_t n, void* self) {
  auto& me = *static_cast<Transfer*>(self);
  auto got = me.upload_source_->read(std::as_writable_bytes(std::span(data, size * n)));
  if (!got) {
    me.note_error(std::move(got).error());
    return CURL_READFUNC_ABORT;
  }
  me.sent_ += *got;
  if (*got > 0 && me.on_sent_) me.on_sent_(me.sent_);
  if (*got == 0 && me.upload_->bytes && me.sent_ < *me.upload_->bytes) {
    me.note_error(error(Errc::corrupt, "what is sent ends after {} of {} bytes", me.sent_, *me.upload_->bytes));
    return CURL_READFUNC_ABORT;
  }
  return *got;
}

int Transfer::body_rewound(void* self, curl_off_t offset, int origin) {
  auto& me = *static_cast<Transfer*>(self);
  if (offset != 0 || origin != SEEK_SET) return CURL_SEEKFUNC_CANTSEEK;
  auto again = me.upload_->open();
  if (!again) return CURL_SEEKFUNC_FAIL;
  me.upload_source_ = std::move(again).take();
  me.sent_ = 0;
  return CURL_SEEKFUNC_OK;
}

curl_socket_t Transfer::socket_wanted(void* self, curlsocktype purpose, curl_sockaddr* address) {
  auto& me = *static_cast<Transfer*>(self);
  (void)purpose;
  const AddressKind kind = address_kind(&address->addr);
  if (!me.proxied_ && me.public_only_ && kind != AddressKind::global) {
    me.note_error(error(Errc::denied, "a server named an address that is not a public one"));
    return CURL_SOCKET_BAD;
  }
  if (me.needs_loopback_ && kind != AddressKind::loopback) {
    me.note_error(error(Errc::denied, "without TLS, and the name does not lead to this machine"));
    return CURL_SOCKET_BAD;
  }
  if (!me.proxied_) me.peer_ = kind;
  return ::socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

std::size_t Transfer::header_arrived(char* data, std::size_t size, std::size_t n, void* self) {
  auto& me = *static_cast<Transfer*>(self);
  const std::string_view line(data, size * n);
  me.header_bytes_ += line.size();
  me.on_header(line);
  if (me.header_bytes_ > kMaxHeaderBytes || me.head_.headers.size() > kMaxHeaders) {
    me.note_error(
        error(Errc::corrupt, "the answer has more than {} bytes or {} lines of headers", kMaxHeaderBytes, kMaxHeaders));
  }
  return me.problem_ ? 0 : line.size();
}

void Transfer::on_header(std::string_view line) {
  if (head_complete_) return;  // trailers
  if (line.starts_with("HTTP/")) {
    head_.headers.clear();
    (void)curl().easy_getinfo(easy_, CURLINFO_RESPONSE_CODE, &head_.status);
    return;
  }
  if (trim(line).empty()) {
    (void)curl().easy_getinfo(easy_, CURLINFO_RESPONSE_CODE, &head_.status);
    head_complete_ = head_.status >= 200;
    return;
  }
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos) return;
  head_.headers.push_back({ascii_lower(trim(line.substr(0, colon))), std::string(trim(line.substr(colon + 1)))});
}

std::size_t Transfer::body_arrived(char* data, std::size_t size, std::size_t n, void* self) {
  auto& me = *static_cast<Transfer*>(self);
  const std::size_t bytes = size * n;
  me.received_ += bytes;
  const bool is_answer = me.head_.status >= 200 && me.head_.status < 300;
  if (is_answer && me.received_ > me.max_body_) {
    me.note_error(error(Errc::corrupt, "the answer is larger than {} bytes", me.max_body_));
    return 0;
  }
  me.buffer_.append(data, bytes);
  return bytes;
}

void Transfer::note_error(Error problem) {
  if (!problem_) problem_ = std::move(problem);
}

Error Transfer::failure(CURLcode code) const {
  if (problem_) {
    Error problem = *problem_;
    problem.push(what_);
    return problem;
  }
  const std::string text = error_text_[0] != 0 ? visible(error_text_) : std::string(curl().easy_strerror(code));
  switch (code) {
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_ISSUER_ERROR:
    case CURLE_SSL_CIPHER:
      return error(Errc::denied, "{}: {}", what_, text);
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
      return error(Errc::not_found, "{}: {}", what_, text);
    default:
      return error(Errc::network, "{}: {}", what_, text);
  }
}

Result<> Transfer::check_time() {
  TRY(cancel_.check());
  const auto now = Clock::now();
  if (deadline_.count() > 0 && now - start_ > deadline_) {
    return error(Errc::network, "{}: no end after {}", what_,
                 human_duration(static_cast<std::uint64_t>(deadline_.count())));
  }
  const auto enough = kSlowBytesPerSecond * static_cast<std::uint64_t>(idle_.count()) / 1000;
  if (sent_ + received_ - moved_mark_ >= enough || sent_ + received_ < moved_mark_) {
    moved_mark_ = sent_ + received_;
    waited_ = Duration(0);
  }
  if (idle_.count() > 0 && waited_ > idle_) {
    return error(Errc::network, "{}: less than {} bytes moved in {}", what_, enough,
                 human_duration(static_cast<std::uint64_t>(idle_.count())));
  }
  return {};
}

Result<> Transfer::pump() {
  TRY(check_time());
  int running = 0;
  if (curl().multi_perform(lane_, &running) != CURLM_OK) return error(Errc::io, "{}: curl stopped", what_);
  int left = 0;
  while (const CURLMsg* message = curl().multi_info_read(lane_, &left)) {
    if (message->msg != CURLMSG_DONE) continue;
    done_ = true;
    outcome_ = message->data.result;
  }
  if (done_ || !buffer_.empty() || problem_) return {};
  curl_waitfd wake{cancel_.fd(), CURL_WAIT_POLLIN, 0};
  const auto before = Clock::now();
  (void)curl().multi_poll(lane_, &wake, 1, kPollMs, nullptr);
  waited_ += std::chrono::duration_cast<Duration>(Clock::now() - before);
  return {};
}

Result<HttpHead> Transfer::wait_for_head() {
  while (!head_complete_ && !done_ && !problem_) TRY(pump());
  if (problem_ || !head_complete_) return failure(outcome_);
  const char* ip = nullptr;
  if (!proxied_ && peer_ == AddressKind::unknown && curl().easy_getinfo(easy_, CURLINFO_PRIMARY_IP, &ip) == CURLE_OK &&
      ip != nullptr) {
    peer_ = host_kind(ip);  // a kept connection
  }
  head_.peer = peer_;
  const auto length = head_.header("content-length");
  if (expected_ && length && head_.is_success() && *length != std::to_string(*expected_)) {
    return error(Errc::corrupt, "{}: the answer has {} bytes and should have {}", what_, visible(*length), *expected_);
  }
  return head_;
}

Result<std::size_t> Transfer::read(std::span<std::byte> buffer) {
  while (buffer_.empty() && !done_ && !problem_) TRY(pump());
  if (!buffer_.empty()) {
    const std::size_t n = std::min(buffer.size(), buffer_.size() - buffer_used_);
    std::memcpy(buffer.data(), buffer_.data() + buffer_used_, n);
    buffer_used_ += n;
    if (buffer_used_ == buffer_.size()) {
      buffer_.clear();
      buffer_used_ = 0;
    }
    return n;
  }
  if (problem_ || outcome_ != CURLE_OK) return failure(outcome_);
  return std::size_t{0};
}

}  // namespace kiln::cloud
