#include "cloud/registry_auth.h"

#include <algorithm>

#include "base/json.h"
#include "base/text.h"
#include "cloud/base64.h"

namespace kiln::cloud {

namespace {

constexpr std::uint64_t kMaxToken = 1 << 20;  // hardening section 9

bool is_token_char(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
}

/// Words, "=" and quoted strings of a header, as RFC 9110 section 11.6 has them.
class ChallengeReader {
 public:
  explicit ChallengeReader(std::string_view text) : text_(text) {}

  std::vector<Challenge> read() {
    std::vector<Challenge> all;
    for (skip(); at_ < text_.size(); skip()) {
      const std::string word = read_token();
      if (word.empty()) return all;
      const std::size_t mark = at_;
      skip_blanks();
      if (!all.empty() && at_ < text_.size() && text_[at_] == '=') {
        ++at_;
        skip_blanks();
        all.back().values[ascii_lower(word)] = read_value();
        continue;
      }
      at_ = mark;
      all.push_back({ascii_lower(word), {}});
    }
    return all;
  }

 private:
  void skip_blanks() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\t')) ++at_;
  }
  void skip() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\t' || text_[at_] == ',')) ++at_;
  }
  std::string read_token() {
    const std::size_t start = at_;
    while (at_ < text_.size() && is_token_char(text_[at_])) ++at_;
    return std::string(text_.substr(start, at_ - start));
  }
  std::string read_value() {
    if (at_ >= text_.size() || text_[at_] != '"') return read_token();
    std::string out;
    for (++at_; at_ < text_.size() && text_[at_] != '"'; ++at_) {
      if (text_[at_] == '\\' && at_ + 1 < text_.size()) ++at_;
      out += text_[at_];
    }
    if (at_ < text_.size()) ++at_;
    return out;
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

std::string value_of(const Challenge& challenge, const std::string& name) {
  const auto it = challenge.values.find(name);
  return it == challenge.values.end() ? std::string() : it->second;
}

std::string basic(const Credential& credential) {
  return "Basic " + base64(credential.user + ":" + credential.password);
}

/// Scopes are separated by blanks in our text and by repeated parameters in the query.
std::string token_query(const Challenge& bearer, const std::string& scope) {
  std::string query;
  if (const std::string service = value_of(bearer, "service"); !service.empty()) {
    query += "service=" + url_escape(service);
  }
  for (const std::string& part : split(scope, ' ')) {
    if (part.empty()) continue;
    query += (query.empty() ? "scope=" : "&scope=") + url_escape(part);
  }
  return query;
}

}  // namespace

std::vector<Challenge> parse_challenges(std::string_view header) {
  return ChallengeReader(header).read();
}

std::string RegistryAuth::remembered(const std::string& host, const std::string& scope) {
  const std::scoped_lock lock(mutex_);
  const auto it = given_.find({host, scope});
  return it == given_.end() ? std::string() : it->second;
}

std::string RegistryAuth::hint(const std::string& host) const {
  const auto& helped = config_.hosts_with_helpers;
  if (std::find(helped.begin(), helped.end(), host) != helped.end()) {
    return "; its credentials are with a credential helper, which kiln does not ask: it reads \"auths\" only";
  }
  return config_.credentials.count(host) == 0 ? "; no credentials for it in Docker's config.json" : "";
}

Result<std::string> RegistryAuth::answer(const std::string& host, const Url& url, const HttpHead& refused,
                                         const std::string& scope, const Cancel& cancel) {
  std::vector<Challenge> challenges;
  for (const Header& header : refused.headers) {
    if (header.name != "www-authenticate") continue;
    for (Challenge& c : parse_challenges(header.value)) challenges.push_back(std::move(c));
  }
  const auto find = [&](std::string_view scheme) {
    return std::find_if(challenges.begin(), challenges.end(), [&](const Challenge& c) { return c.scheme == scheme; });
  };
  std::string value;
  const auto credential = config_.credentials.find(host);
  if (const auto bearer = find("bearer"); bearer != challenges.end()) {
    value = TRY(fetch_token(host, url, refused, *bearer, scope, cancel));
  } else if (find("basic") != challenges.end() && credential != config_.credentials.end()) {
    value = basic(credential->second);
  } else {
    return error(Errc::denied, "{} wants credentials{}", host, hint(host));
  }
  const std::scoped_lock lock(mutex_);
  given_[{host, scope}] = value;
  return value;
}

Result<std::string> RegistryAuth::fetch_token(const std::string& host, const Url& url, const HttpHead& refused,
                                              const Challenge& bearer, const std::string& scope, const Cancel& cancel) {
  Url realm = TRY(Url::parse(value_of(bearer, "realm")).context("the token server that {} names", host));
  if (url.scheme == "https" && realm.scheme == "http") {
    return error(Errc::denied, "{} names a token server without TLS: {}", host, realm.shown());
  }
  const std::string query = token_query(bearer, scope);
  if (!query.empty()) realm.query += (realm.query.empty() ? "" : "&") + query;
  HttpRequest request{.url = realm.text(), .max_body = kMaxToken, .redirects = 0};
  const bool registry_is_public = refused.peer == AddressKind::global || refused.peer == AddressKind::unknown;
  request.public_only = registry_is_public && realm.origin() != url.origin();
  // Credentials go to the host they were given for: the registry itself, or a token server with an entry of its own.
  const bool same_host = realm.origin() == url.origin();
  auto credential = config_.credentials.find(same_host ? host : fmt::format("{}:{}", realm.host, realm.port));
  if (credential == config_.credentials.end() && !same_host) credential = config_.credentials.find(realm.host);
  const bool held_back = credential == config_.credentials.end() && config_.credentials.count(host) != 0;
  if (credential != config_.credentials.end()) {
    request.headers.push_back({"Authorization", basic(credential->second), true});
  }
  const std::string note = held_back ? fmt::format(
                                           "; the credentials of {} were not sent there: give {} an entry of "
                                           "its own in Docker's config.json to allow it",
                                           host, realm.host)
                                     : hint(host);
  HttpResponse response = TRY(client_.send(request, cancel).context("asking for a token for {}", host));
  if (!response.head.is_success()) {
    Error refusal = status_error(request, response);
    refusal.push(fmt::format("asking for a token for {}{}", host, note));
    return refusal;
  }
  auto json = parse_json(response.body);  // its message might quote the token
  if (!json) return error(Errc::corrupt, "{}: the answer of the token server is not JSON", realm.shown());
  std::string token = json_string(*json, "token", json_string(*json, "access_token"));
  if (token.empty()) return error(Errc::denied, "{}: the token server gave no token", realm.shown());
  return "Bearer " + token;
}

}  // namespace kiln::cloud
