// The network side of a build: one HTTP client, the registries, the Docker Engine.
#pragma once

#include "publish/publish.h"
#include "steps/steps.h"

namespace kiln::steps {

/// Credentials by host, beside those of Docker's configuration.
using Logins = std::map<std::string, cloud::Credential>;

class Remote {
 public:
  static Result<std::unique_ptr<Remote>> create(const Settings& settings, const Logins& logins = {});
  cloud::Registry& registry() { return *registry_; }
  /// The Docker Engine at DOCKER_HOST or the default socket.
  Result<publish::Engine> engine();
  /// Whether DOCKER_HOST says where it is.
  bool engine_is_named() const { return !docker_host_.empty(); }

 private:
  Remote() = default;
  std::string docker_host_;
  std::unique_ptr<cloud::HttpClient> http_;
  std::unique_ptr<cloud::RetryingClient> client_;
  std::unique_ptr<cloud::Registry> registry_;
};

}  // namespace kiln::steps
