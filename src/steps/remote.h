// The network side of a build: one HTTP client, the registries, the Docker Engine.
#pragma once

#include "publish/publish.h"
#include "steps/steps.h"

namespace kiln::steps {

class Remote {
 public:
  static Result<std::unique_ptr<Remote>> create(const Settings& settings);
  cloud::Registry& registry() { return *registry_; }
  /// The Docker Engine at DOCKER_HOST or the default socket.
  Result<publish::Engine> engine();

 private:
  Remote() = default;
  std::string docker_host_;
  std::unique_ptr<cloud::HttpClient> http_;
  std::unique_ptr<cloud::RetryingClient> client_;
  std::unique_ptr<cloud::Registry> registry_;
};

}  // namespace kiln::steps
