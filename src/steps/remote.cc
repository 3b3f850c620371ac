#include "steps/remote.h"

#include "steps/source_image.h"

namespace kiln::steps {

Result<std::unique_ptr<Remote>> Remote::create(const Settings& settings, const Logins& logins) {
  std::unique_ptr<Remote> remote(new Remote());
  cloud::RegistryConfig registries =
      TRY(cloud::read_registry_config(cloud::usual_registry_files(settings.environment)));
  for (const auto& [host, login] : logins) registries.credentials[host] = login;
  cloud::HttpConfig http = cloud::http_config_from(settings.environment);
  http.insecure_hosts = registries.insecure_hosts;
  remote->http_ = TRY(cloud::make_http_client(std::move(http)));
  remote->client_ = std::make_unique<cloud::RetryingClient>(*remote->http_);
  remote->registry_ = std::make_unique<cloud::Registry>(*remote->client_, std::move(registries));
  if (const auto it = settings.environment.find("DOCKER_HOST"); it != settings.environment.end()) {
    remote->docker_host_ = it->second;
  }
  return remote;
}

Result<publish::Engine> Remote::engine() {
  return publish::Engine::create(*http_, docker_host_);
}

Result<Json> pin_remote(const plan::BaseRef& ref, const Settings& settings, const Cancel& cancel) {
  const auto remote = TRY(Remote::create(settings));
  if (ref.transport == "docker-daemon") {
    auto engine = TRY(remote->engine());
    const Digest id = TRY(publish::resolve_daemon_image(engine, ref.location, cancel));
    return Json{{"id", id.text()}};
  }
  const cloud::Reference name = TRY(cloud::qualify(remote->registry().config(), ref.location));
  const Digest digest = TRY(remote->registry().resolve(name, cancel));
  return Json{{"digest", digest.text()}};
}

Result<OpenedImage> open_pinned_image(const Job& job, const plan::BaseStep& what, const fs::path& spool) {
  OpenedImage opened;
  if (what.ref.transport != "docker" && what.ref.transport != "docker-daemon") {
    opened.image = TRY(open_source_image(what.ref));
    return opened;
  }
  std::shared_ptr<Remote> remote = TRY(Remote::create(job.context.settings));
  opened.keep = remote;
  if (what.ref.transport == "docker-daemon") {
    auto engine = TRY(remote->engine());
    const auto progress = [&](std::uint64_t bytes) { job.progress("reading from the Docker Engine", bytes, 0); };
    opened.image = TRY(publish::open_daemon_image(engine, json_string(what.pin, "id"), spool, progress, job.cancel));
    return opened;
  }
  cloud::Reference name = TRY(cloud::qualify(remote->registry().config(), what.ref.location));
  name.digest = TRY(Digest::parse(json_string(what.pin, "digest")));
  opened.image =
      TRY(publish::open_registry_image(remote->registry(), name, job.cancel).context("pulling {}", what.ref.text));
  return opened;
}

}  // namespace kiln::steps
