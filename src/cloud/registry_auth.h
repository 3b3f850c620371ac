// How a registry asks for credentials (WWW-Authenticate) and how they are given: Basic, or a Bearer token from the
// server that the registry names. Private to the cloud room. Format: distribution's token specification.
#pragma once

#include <mutex>

#include "cloud/http.h"
#include "cloud/registry_config.h"

namespace kiln::cloud {

struct Challenge {
  std::string scheme;                         // lower case
  std::map<std::string, std::string> values;  // names in lower case
};

/// Reads one WWW-Authenticate header, which may hold several challenges. What cannot be read is left out.
std::vector<Challenge> parse_challenges(std::string_view header);

/// Answers challenges and remembers what was given for (registry, scope). Thread-safe.
class RegistryAuth {
 public:
  RegistryAuth(HttpClient& client, const RegistryConfig& config) : client_(client), config_(config) {}

  /// The Authorization value last given for a scope, or nothing.
  std::string remembered(const std::string& host, const std::string& scope);

  /// Answers a 401 of `host` (as in references) at `url`. The scope is ours ("repository:a/b:pull"), never what the
  /// server asks for. Errc::denied says what is missing.
  Result<std::string> answer(const std::string& host, const Url& url, const HttpHead& refused, const std::string& scope,
                             const Cancel& cancel);

 private:
  Result<std::string> fetch_token(const std::string& host, const Url& url, const HttpHead& refused,
                                  const Challenge& bearer, const std::string& scope, const Cancel& cancel);
  std::string hint(const std::string& host) const;

  HttpClient& client_;
  const RegistryConfig& config_;
  std::mutex mutex_;
  std::map<std::pair<std::string, std::string>, std::string> given_;
};

}  // namespace kiln::cloud
