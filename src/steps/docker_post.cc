// docker-push and docker-import, without a Docker Engine.
#include "base/text.h"
#include "image/image.h"
#include "steps/artifact.h"
#include "steps/docker.h"
#include "steps/remote.h"

namespace kiln::steps {

namespace {

/// login_server may be written as a URL; credentials are kept by host.
std::string host_of(std::string server) {
  for (const char* scheme : {"https://", "http://"}) {
    if (server.starts_with(scheme)) server.erase(0, std::string_view(scheme).size());
  }
  return server.substr(0, server.find('/'));
}

/// What the template itself says of logging in; everything else is in Docker's own configuration.
Logins logins_of(const plan::PostStep& what, const std::string& host) {
  if (what.secrets.empty()) return {};
  const std::string server = host_of(json_string(what.options, "login_server"));
  const cloud::Credential credential{json_string(what.options, "login_username"), what.secrets.front().value};
  return {{server.empty() ? host : server, credential}};
}

std::vector<std::string> names_of(const plan::PostStep& what) {
  return what.options.value("names", std::vector<std::string>());
}

Result<> push_name(const Job& job, const plan::PostStep& what, const image::ImageSpec& spec, const std::string& name) {
  const cloud::Reference written = TRY(cloud::parse_reference(name));
  const auto remote = TRY(Remote::create(job.context.settings, logins_of(what, written.host)));
  const cloud::Reference ref = TRY(cloud::qualify(remote->registry().config(), name));
  publish::PushOptions options;
  options.progress = [&](const publish::PushProgress& p) {
    job.progress("pushing " + ref.text(), p.done_bytes, p.total_bytes);
  };
  const publish::PushResult pushed = TRY(publish::push_image(remote->registry(), ref, spec, options, job.cancel));
  job.line(fmt::format("pushed {}@{}: {} of {} layers sent", ref.text(), pushed.manifest.text(), pushed.uploaded,
                       spec.layers.size()));
  return {};
}

/// A file system tarball as the only layer of an image, with the tree's clock.
Result<image::ImageSpec> image_of_tar(const Job& job, const plan::PostStep& what, const fs::path& tar) {
  const store::Scratch scratch = TRY(job.context.store.scratch("docker-import"));
  const fs::path tree = scratch.path() / "layer";
  TRY(make_dirs(tree));
  const Fd file = TRY(open_read(tar));
  FdSource source(file.get());
  TRY(image::unpack_rootfs(source, tree, {}, job.cancel).context("unpacking {}", tar));
  const Digest layer = TRY(keep_layer(job.context, tree, job.step.label)).layer;
  image::ImageSpec spec{.history = {{"imported from " + tar.filename().native(), false}}};
  spec.config.created = rfc3339(clock_of(job.from));
  TRY(image::apply_changes(spec.config, what.options.value("changes", std::vector<std::string>())).context("changes"));
  spec.layers.push_back(TRY(compressed_layer(job, layer, "compressing the layer")));
  spec.tags = what.options.value("tags", std::vector<std::string>());
  return spec;
}

}  // namespace

Result<event::Artifact> push_image(const Job& job, const plan::PostStep& what, const event::Artifact& input) {
  const std::vector<std::string> names = names_of(what);
  if (input.files.empty() || names.empty()) return error(Errc::usage, "there is no image to push");
  const image::ImageSpec spec = TRY(archived_image(job, input.files.front(), {}));
  for (const std::string& name : names) TRY(push_name(job, what, spec, name));
  return event::Artifact{"packer.post-processor.docker-import", names.front(), input.text, input.files};
}

Result<event::Artifact> import_tar(const Job& job, const plan::PostStep& what, const event::Artifact& input) {
  if (input.files.empty()) return error(Errc::usage, "there is no archive to import");
  const auto make = [&] { return image_of_tar(job, what, input.files.front()); };
  const auto tags = what.options.value("tags", std::vector<std::string>());
  event::Artifact made = TRY(write_image(job, json_string(what.options, "output"), tags, make));
  made.id = names_of(what).front();
  return made;
}

}  // namespace kiln::steps
