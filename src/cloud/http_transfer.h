// One HTTP exchange over libcurl, pulled by its reader: nothing moves but inside wait_for_head() and read(), so a slow
// reader slows the server down and a cancel is seen at once. Private to the cloud room.
#pragma once

#include <mutex>

#include "cloud/curl.h"
#include "cloud/http.h"

namespace kiln::cloud {

/// curl's multi handles, each with its cache of connections, lent to one transfer at a time.
class LanePool {
 public:
  ~LanePool();
  CURLM* take();
  void give_back(CURLM* lane);

 private:
  std::mutex mutex_;
  std::vector<CURLM*> idle_;
};

/// One hop: a request to one URL, after redirects have been decided.
struct Hop {
  Url url;
  const HttpRequest* request = nullptr;
  const HttpConfig* config = nullptr;
  bool with_secrets = true;
  bool public_only = false;
  Clock::time_point start = Clock::now();  // of the whole request, for its deadline
};

class Transfer : public Source {
 public:
  /// Prepares everything and connects nothing yet. The hop's request is not used after wait_for_head().
  static Result<std::unique_ptr<Transfer>> create(std::shared_ptr<LanePool> lanes, const Hop& hop,
                                                  const Cancel& cancel);
  Transfer(const Transfer&) = delete;
  Transfer& operator=(const Transfer&) = delete;
  ~Transfer() override;

  /// Runs until the final answer's head is complete.
  Result<HttpHead> wait_for_head();
  /// The body. Errc::corrupt above max_body, Errc::network when it ends early.
  Result<std::size_t> read(std::span<std::byte> buffer) override;

 private:
  Transfer(std::shared_ptr<LanePool> lanes, const Hop& hop, const Cancel& cancel);
  Result<> set_options(const Hop& hop);
  Result<> set_proxy_and_trust(const Hop& hop);
  Result<> set_headers(const Hop& hop);
  Result<> set_body(const HttpBody& body);
  Result<> pump();
  Result<> check_time();
  Error failure(CURLcode code) const;
  void on_header(std::string_view line);
  void note_error(Error problem);

  static std::size_t header_arrived(char* data, std::size_t size, std::size_t n, void* self);
  static std::size_t body_arrived(char* data, std::size_t size, std::size_t n, void* self);
  static std::size_t body_wanted(char* data, std::size_t size, std::size_t n, void* self);
  static int body_rewound(void* self, curl_off_t offset, int origin);
  static curl_socket_t socket_wanted(void* self, curlsocktype purpose, curl_sockaddr* address);

  std::shared_ptr<LanePool> lanes_;
  const Cancel& cancel_;
  CURLM* lane_;
  CURL* easy_;
  curl_slist* header_list_ = nullptr;
  bool attached_ = false;

  std::string what_;  // "GET https://host/path"
  bool public_only_, needs_loopback_, proxied_;
  Duration idle_, deadline_;
  Clock::time_point start_;
  std::uint64_t max_body_;
  std::optional<std::uint64_t> expected_;

  std::optional<HttpBody> upload_;
  std::unique_ptr<Source> upload_source_;
  std::function<void(std::uint64_t)> on_sent_;
  std::uint64_t sent_ = 0;

  HttpHead head_;
  std::size_t header_bytes_ = 0;
  bool head_complete_ = false, done_ = false;
  CURLcode outcome_ = CURLE_OK;
  std::optional<Error> problem_;  // found inside a callback
  AddressKind peer_ = AddressKind::unknown;
  char error_text_[CURL_ERROR_SIZE] = "";

  std::string buffer_;
  std::size_t buffer_used_ = 0;
  std::uint64_t received_ = 0;
  Duration waited_{0};            // in poll since the last time enough had moved
  std::uint64_t moved_mark_ = 0;  // sent + received at that time
};

}  // namespace kiln::cloud
