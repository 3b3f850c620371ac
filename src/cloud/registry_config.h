// What a machine says about its registries: credentials from Docker's config.json, the registry for short names,
// insecure hosts and other locations from containers' registries.conf. docs/registries.md is the page for users.
#pragma once

#include <map>
#include <vector>

#include "base/file.h"
#include "cloud/reference.h"

namespace kiln::cloud {

struct Credential {
  std::string user, password;
};

struct RegistryConfig {
  /// "host[:port]" for names without a host; with "/team" behind it, that goes in front of one-word names.
  std::string default_registry;
  std::map<std::string, std::string> aliases;     // short name to "host/path"
  std::map<std::string, std::string> locations;   // host to the host that answers for it
  std::vector<std::string> insecure_hosts;        // may be spoken to without TLS; HttpConfig needs them too
  std::map<std::string, Credential> credentials;  // by host[:port]
  std::vector<std::string> hosts_with_helpers;    // credentials of these are with a program that kiln does not ask
};

struct RegistryFiles {
  std::vector<fs::path> registries_conf;  // later files win; a directory means its *.conf, sorted
  fs::path docker_config;                 // ~/.docker/config.json
};

/// Reads what exists of the files. A file that is wrong is Errc::usage and is named; values are never shown.
Result<RegistryConfig> read_registry_config(const RegistryFiles& files);

/// The files where docker, podman and skopeo look: $DOCKER_CONFIG or ~/.docker; $CONTAINERS_REGISTRIES_CONF or
/// /etc/containers and ~/.config/containers.
RegistryFiles usual_registry_files(const std::map<std::string, std::string>& environment);

/// Adds the text of Docker's config.json, or of a registries.conf (the TOML subset that such files use), to a config.
Result<> add_docker_config(RegistryConfig& config, std::string_view json);
Result<> add_registries_conf(RegistryConfig& config, std::string_view toml);

/// Gives a name its registry: an alias, else the default registry. Errc::usage says how to name one when there is none.
Result<Reference> qualify(const RegistryConfig& config, std::string_view name);

}  // namespace kiln::cloud
