// Post-processors: docker-tag, docker-save, manifest, checksum, shell-local.
#include "base/text.h"
#include "plan/components.h"

namespace kiln::plan {

namespace {

using Reader = void (*)(tmpl::BodyReader&, const tmpl::Build&, const Surroundings&, PostStep&);

void read_docker_tag(tmpl::BodyReader& options, const tmpl::Build& build, const Surroundings& /*world*/,
                     PostStep& step) {
  if (build.type != "docker") {
    options.error("repository", "docker-tag needs a docker image",
                  fmt::format("The build \"{}\" makes none: add only = [\"docker.NAME\"].", build.name));
  }
  const std::string repository = options.string("repository").value_or("");
  if (repository.empty() && !has_unknown(options)) {
    options.error("repository", "Missing required argument", "docker-tag needs \"repository\".");
  }
  std::vector<std::string> names;
  for (const std::string& tag : options.strings("tags").value_or(std::vector<std::string>()))
    names.push_back(repository + ":" + tag);
  for (const std::string& tag : options.strings("tag").value_or(std::vector<std::string>()))
    names.push_back(repository + ":" + tag);
  if (names.empty()) names.push_back(repository + ":latest");
  options.boolean("force").value_or(false);
  step.options["names"] = names;
}

void read_docker_save(tmpl::BodyReader& options, const tmpl::Build& /*build*/, const Surroundings& world,
                      PostStep& step) {
  const std::string path = options.string("path").value_or("");
  if (path.empty()) options.error("path", "Missing required argument", "docker-save needs \"path\".");
  step.options["path"] = (world.cwd / path).native();
}

void read_manifest(tmpl::BodyReader& options, const tmpl::Build& /*build*/, const Surroundings& world, PostStep& step) {
  const auto output = options.string("output");
  const fs::path fallback = (world.output_dir_given ? world.output_dir : world.cwd) / "packer-manifest.json";
  step.options["output"] = output ? (world.cwd / *output).native() : fallback.native();
  step.options["strip_path"] = options.boolean("strip_path").value_or(false);
  step.options["strip_time"] = options.boolean("strip_time").value_or(false);
  const auto custom = options.string_map("custom_data").value_or(std::map<std::string, std::string>());
  if (!custom.empty()) step.options["custom_data"] = custom;
}

void read_checksum(tmpl::BodyReader& options, const tmpl::Build& /*build*/, const Surroundings& world, PostStep& step) {
  auto types = options.strings("checksum_types").value_or(std::vector<std::string>());
  if (types.empty()) types = {"md5"};
  for (const std::string& type : types) {
    if (!hash_hex(type, ""))
      options.error("checksum_types", "Unknown checksum type", fmt::format("\"{}\".", visible(type)));
  }
  step.options["checksum_types"] = types;
  const std::string output =
      options.string("output").value_or("packer_{{.BuildName}}_{{.BuilderType}}_{{.ChecksumType}}.checksum");
  step.options["output"] = (world.cwd / output).native();
}

void read_shell_local(tmpl::BodyReader& options, const tmpl::Build& build, const Surroundings& world, PostStep& step) {
  step.host = read_host_command(options, build, world);
}

const std::map<std::string, Reader>& readers() {
  static const std::map<std::string, Reader> table = {{"docker-tag", read_docker_tag},
                                                      {"docker-save", read_docker_save},
                                                      {"manifest", read_manifest},
                                                      {"checksum", read_checksum},
                                                      {"shell-local", read_shell_local}};
  return table;
}

}  // namespace

std::optional<PostStep> read_post_processor(const tmpl::Build& build, const tmpl::PostProcessor& post,
                                            const Surroundings& world, tmpl::Diagnostics& diagnostics) {
  const auto reader = readers().find(post.type);
  if (reader == readers().end()) {
    std::vector<std::string> known;
    for (const auto& [name, r] : readers()) known.push_back(name);
    std::string detail = fmt::format("kiln has no post-processor \"{}\"; it has {}.", post.type, join(known, ", "));
    if (const auto guess = nearest(post.type, known)) detail += fmt::format(" Did you mean \"{}\"?", *guess);
    diagnostics.push_back({tmpl::Severity::error, "Unknown post-processor type", detail, post.range, {}});
    return std::nullopt;
  }
  const auto body = post.decode(diagnostics);
  if (!body) return std::nullopt;
  PostStep step{.type = post.type, .options = Json::object()};
  tmpl::BodyReader options(*body, diagnostics, fmt::format("post-processor \"{}\"", post.type));
  reader->second(options, build, world, step);
  options.ignore({"keep_input_artifact"});
  options.finish();
  step.keep_input = post.keep_input_artifact.value_or(true);
  return step;
}

}  // namespace kiln::plan
