// A small strict HTTP/1.1 server for tests: loopback or unix socket, answers from a function, keeps what was asked.
// It reads requests exactly (a malformed one is recorded in `faults`) and can misbehave on purpose through Reply::raw.
#pragma once

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <functional>
#include <list>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "base/fd.h"

namespace kiln::testing_support {

struct Request {
  std::string method, target, body;
  std::map<std::string, std::string> headers;  // lower-case names
  bool has(const std::string& name) const { return headers.count(name) != 0; }
};

struct Reply {
  int status = 200;
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
  bool chunked = false;
  std::string raw;         // sent as it is instead of all above, then the connection is closed
  bool hang = false;       // after sending: keep the connection open and say nothing
  bool cut_short = false;  // announce the whole body, send half of it, close
};

class HttpServer {
 public:
  using Handler = std::function<Reply(const Request&)>;

  explicit HttpServer(Handler handler, const std::string& unix_path = {}) : handler_(std::move(handler)) {
    if (unix_path.empty()) {
      listen_tcp();
    } else {
      listen_unix(unix_path);
    }
    acceptor_ = std::thread([this] { accept_all(); });
  }
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;
  ~HttpServer() {
    stopping_ = true;
    acceptor_.join();
    for (std::thread& t : workers_) t.join();
  }

  std::uint16_t port() const { return port_; }
  std::string authority() const { return fmt::format("127.0.0.1:{}", port_); }
  std::string url(const std::string& path = "/") const { return "http://" + authority() + path; }

  std::vector<Request> requests() const {
    const std::scoped_lock lock(mutex_);
    return requests_;
  }
  std::vector<std::string> faults() const {
    const std::scoped_lock lock(mutex_);
    return faults_;
  }
  int connections() const { return connections_; }

 private:
  void listen_tcp() {
    listener_ = Fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    if (::bind(listener_.get(), reinterpret_cast<sockaddr*>(&address), size) != 0) std::abort();
    (void)::listen(listener_.get(), 64);
    (void)::getsockname(listener_.get(), reinterpret_cast<sockaddr*>(&address), &size);
    port_ = ntohs(address.sin_port);
  }

  void listen_unix(const std::string& path) {
    listener_ = Fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.copy(address.sun_path, sizeof address.sun_path - 1);
    if (::bind(listener_.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) std::abort();
    (void)::listen(listener_.get(), 64);
  }

  void accept_all() {
    while (!stopping_) {
      if (!readable(listener_.get())) continue;
      const int fd = ::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC);
      if (fd < 0) continue;
      ++connections_;
      workers_.emplace_back([this, fd] { serve(Fd(fd)); });
    }
  }

  static bool readable(int fd) {
    pollfd p{fd, POLLIN, 0};
    return ::poll(&p, 1, 20) > 0;
  }

  /// Reads until `enough` holds of what has come; false when the peer left or the test ends.
  template <class Enough>
  bool fill(int fd, std::string& held, Enough&& enough) {
    while (!enough()) {
      if (stopping_) return false;
      if (!readable(fd)) continue;
      char buffer[64 << 10];
      const ssize_t n = ::recv(fd, buffer, sizeof buffer, 0);
      if (n <= 0) return false;
      held.append(buffer, static_cast<std::size_t>(n));
    }
    return true;
  }

  void fault(const std::string& text) {
    const std::scoped_lock lock(mutex_);
    faults_.push_back(text);
  }

  bool read_head(int fd, std::string& held, Request& request) {
    std::size_t end = 0;
    const auto has_head = [&] {
      const bool is_tls = !held.empty() && held.front() == '\x16';
      return (end = held.find("\r\n\r\n")) != std::string::npos || held.size() > 65536 || is_tls;
    };
    if (!fill(fd, held, has_head)) return false;
    if (end == std::string::npos) return held.front() != '\x16' && (fault("no end of the head"), false);
    std::string head = held.substr(0, end + 2);
    held.erase(0, end + 4);
    const std::string line = head.substr(0, head.find("\r\n"));
    const std::size_t first = line.find(' ');
    const std::size_t last = line.rfind(' ');
    if (first == std::string::npos || last <= first || line.substr(last + 1) != "HTTP/1.1") {
      return fault("request line: " + line), false;
    }
    request.method = line.substr(0, first);
    request.target = line.substr(first + 1, last - first - 1);
    head.erase(0, line.size() + 2);
    for (std::size_t at = 0; at < head.size();) {
      const std::size_t stop = head.find("\r\n", at);
      const std::string header = head.substr(at, stop - at);
      const std::size_t colon = header.find(": ");
      const std::size_t bare = header.find(':');
      if (bare == std::string::npos) return fault("header: " + header), false;
      std::string name = header.substr(0, bare);
      std::transform(name.begin(), name.end(), name.begin(), [](unsigned char c) { return std::tolower(c); });
      if (request.has(name)) fault("repeated header: " + name);
      request.headers[name] = colon == std::string::npos ? "" : header.substr(colon + 2);
      at = stop + 2;
    }
    return true;
  }

  bool read_body(int fd, std::string& held, Request& request) {
    if (request.has("content-length")) {
      const std::size_t bytes = std::stoul(request.headers["content-length"]);
      if (!fill(fd, held, [&] { return held.size() >= bytes; })) return false;
      request.body = held.substr(0, bytes);
      held.erase(0, bytes);
      return true;
    }
    if (!request.has("transfer-encoding")) return true;
    for (;;) {
      std::size_t end = 0;
      if (!fill(fd, held, [&] { return (end = held.find("\r\n")) != std::string::npos; })) return false;
      const std::size_t bytes = std::stoul(held.substr(0, end), nullptr, 16);
      held.erase(0, end + 2);
      if (!fill(fd, held, [&] { return held.size() >= bytes + 2; })) return false;
      request.body += held.substr(0, bytes);
      if (held.compare(bytes, 2, "\r\n") != 0) return fault("chunk without its end"), false;
      held.erase(0, bytes + 2);
      if (bytes == 0) return true;
    }
  }

  static bool send_all(int fd, const std::string& text) {
    for (std::size_t at = 0; at < text.size();) {
      const ssize_t n = ::send(fd, text.data() + at, text.size() - at, MSG_NOSIGNAL);
      if (n <= 0) return false;
      at += static_cast<std::size_t>(n);
    }
    return true;
  }

  static std::string render(const Reply& reply, bool head_only) {
    std::string out = fmt::format("HTTP/1.1 {} Test\r\n", reply.status);
    bool sized = false;
    for (const auto& [name, value] : reply.headers) {
      out += fmt::format("{}: {}\r\n", name, value);
      sized = sized || name == "Content-Length";
    }
    if (reply.chunked) {
      out += "Transfer-Encoding: chunked\r\n\r\n";
      for (std::size_t at = 0; at < reply.body.size(); at += 1000) {
        const std::string part = reply.body.substr(at, 1000);
        out += fmt::format("{:x}\r\n{}\r\n", part.size(), part);
      }
      return out + "0\r\n\r\n";
    }
    if (!sized && reply.status != 204) out += fmt::format("Content-Length: {}\r\n", reply.body.size());
    return out + "\r\n" +
           (head_only ? "" : reply.body.substr(0, reply.cut_short ? reply.body.size() / 2 : reply.body.size()));
  }

  void serve(const Fd& connection) {
    std::string held;
    for (;;) {
      Request request;
      if (!read_head(connection.get(), held, request) || !read_body(connection.get(), held, request)) return;
      {
        const std::scoped_lock lock(mutex_);
        requests_.push_back(request);
      }
      const Reply reply = handler_(request);
      const bool sent =
          send_all(connection.get(), reply.raw.empty() ? render(reply, request.method == "HEAD") : reply.raw);
      if (reply.hang) (void)fill(connection.get(), held, [] { return false; });
      if (!sent || !reply.raw.empty() || reply.cut_short || reply.hang) return;
    }
  }

  Handler handler_;
  Fd listener_;
  std::uint16_t port_ = 0;
  std::atomic<bool> stopping_{false};
  std::atomic<int> connections_{0};
  mutable std::mutex mutex_;
  std::vector<Request> requests_;
  std::vector<std::string> faults_;
  std::list<std::thread> workers_;
  std::thread acceptor_;
};

}  // namespace kiln::testing_support
