// Post-processors: docker-tag, docker-save, docker-push, docker-import, manifest, checksum, shell-local.
#include <algorithm>

#include "base/text.h"
#include "plan/components.h"
#include "plan/shell.h"
#include "plan/types.h"

namespace kiln::plan {

namespace {

using PostReader = void (*)(tmpl::BodyReader&, const tmpl::Build&, const Surroundings&, PostStep&);

void read_docker_tag(tmpl::BodyReader& options, const tmpl::Build& /*build*/, const Surroundings& /*world*/,
                     PostStep& step) {
  const std::string repository = options.string("repository").value_or("");
  if (repository.empty() && !has_unknown(options)) {
    options.error("repository", "Missing required argument", "docker-tag needs \"repository\".");
  }
  std::vector<std::string> names;
  for (const std::string& tag : options.strings("tags").value_or(std::vector<std::string>()))
    names.push_back(fmt::format("{}:{}", repository, tag));
  for (const std::string& tag : options.strings("tag").value_or(std::vector<std::string>()))
    names.push_back(fmt::format("{}:{}", repository, tag));
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

/// Without login, credentials are those of Docker's own configuration.
void read_docker_push(tmpl::BodyReader& options, const tmpl::Build& /*build*/, const Surroundings& /*world*/,
                      PostStep& step) {
  const bool login = options.boolean("login").value_or(false);
  const std::string user = options.string("login_username").value_or("");
  const std::string password = options.string("login_password").value_or("");
  const std::string server = options.string("login_server").value_or("");
  options.ignore({"docker_path", "platform", "aws_access_key", "aws_secret_key", "aws_token", "aws_profile"});
  if (options.boolean("ecr_login").value_or(false)) {
    options.error("ecr_login", "kiln has no ECR login",
                  "Log in beforehand, so that Docker's config.json has the credentials, and leave ecr_login out.");
  }
  if (!login) return;
  step.options["login_username"] = user;
  step.options["login_server"] = server;
  step.secrets.push_back({"login_password", password, true});
}

/// A part of a file's name from an image's: registry.example/team/app:1 is app_1.
std::string plain_name(std::string name) {
  name = name.substr(name.rfind('/') + 1);
  std::replace_if(
      name.begin(), name.end(),
      [](unsigned char c) { return std::isalnum(c) == 0 && c != '.' && c != '_' && c != '-'; }, '_');
  return name;
}

void read_docker_import(tmpl::BodyReader& options, const tmpl::Build& build, const Surroundings& world,
                        PostStep& step) {
  const std::string repository = options.string("repository").value_or("");
  if (repository.empty() && !has_unknown(options)) {
    options.error("repository", "Missing required argument", "docker-import needs \"repository\".");
  }
  const std::string tag = options.string("tag").value_or("");
  const std::string name = repository + ":" + (tag.empty() ? "latest" : tag);
  step.options["names"] = {name};
  step.options["changes"] = options.strings("changes").value_or(std::vector<std::string>());
  options.ignore({"docker_path", "platform"});
  const std::string file = fmt::format("{}-{}-docker.tar", plain_name(build.source_name), plain_name(name));
  step.options["output"] = (world.output_dir / file).native();
}

/// A manifest is for everybody: it says of a sensitive value only that there is one.
void hide_sensitive(const tmpl::Option* given, std::map<std::string, std::string>& values) {
  if (given == nullptr || !given->value.is_sensitive()) return;
  const bool all = given->value.marks().contains(tmpl::Marks::sensitive());
  for (auto& [name, value] : values) {
    const auto part = given->value.entries().find(name);
    if (all || part == given->value.entries().end() || part->second.is_sensitive()) value = "<sensitive>";
  }
}

void read_manifest(tmpl::BodyReader& options, const tmpl::Build& /*build*/, const Surroundings& world, PostStep& step) {
  const auto output = options.string("output");
  const fs::path fallback = (world.output_dir_given ? world.output_dir : world.cwd) / "packer-manifest.json";
  step.options["output"] = output ? (world.cwd / *output).native() : fallback.native();
  step.options["strip_path"] = options.boolean("strip_path").value_or(false);
  step.options["strip_time"] = options.boolean("strip_time").value_or(false);
  auto custom = options.string_map("custom_data").value_or(std::map<std::string, std::string>());
  hide_sensitive(options.raw("custom_data"), custom);
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

void read_artifice(tmpl::BodyReader& options, const tmpl::Build& /*build*/, const Surroundings& /*world*/,
                   PostStep& step) {
  const auto files = options.strings("files").value_or(std::vector<std::string>());
  if (files.empty() && !has_unknown(options))
    options.error("files", "Missing required argument", "artifice needs \"files\": what the artifact is made of.");
  step.options["files"] = files;
}

/// The words behind the dots of a name: "tar", "gz".
std::vector<std::string> extensions(std::string_view name) {
  std::vector<std::string> words;
  for (std::size_t at = name.find('.'); at != std::string_view::npos; at = name.find('.', at + 1)) {
    const auto behind = name.substr(at + 1);
    const auto* const end =
        std::ranges::find_if_not(behind, [](char c) { return (is_ascii_letter(c) && c >= 'a') || is_ascii_digit(c); });
    if (end != behind.begin()) words.emplace_back(behind.begin(), end);
  }
  return words;
}

/// The format that the last words of a file's name say, as Packer's compress finds it; "tar.gz" where they say nothing.
std::string archive_format(const std::string& name) {
  static const std::map<std::string, std::string> kCompressions = {
      {"gz", "gz"}, {"xz", "xz"}, {"lz4", "lz4"}, {"bgzf", "bgzf"}, {"bz2", "bzip2"}, {"bzip2", "bzip2"}};
  const auto words = extensions(name);
  std::string last = words.empty() ? "" : words.back();
  if (last == "tar" || last == "zip") return last;
  const auto compression = kCompressions.find(last);
  if (compression == kCompressions.end()) return "tar.gz";
  return (words.size() > 1 && words[words.size() - 2] == "tar" ? "tar." : "") + compression->second;
}

void read_compress(tmpl::BodyReader& options, const tmpl::Build& build, const Surroundings& world, PostStep& step) {
  const std::string output = options.string("output").value_or("packer_{{.BuildName}}_{{.BuilderType}}");
  const auto format = options.string("format");
  step.options["format"] = archive_format(format ? output + "." + *format : output);
  const std::int64_t level = std::min<std::int64_t>(options.integer("compression_level").value_or(-1), 9);
  step.options["level"] = level < 1 ? -1 : level;  // -1: the format's own
  const std::string path = fill_names(output, {{"BuildName", build.source_name}, {"BuilderType", build.type}});
  step.options["output"] = (world.cwd / path).native();
}

void read_shell_local(tmpl::BodyReader& options, const tmpl::Build& build, const Surroundings& world, PostStep& step) {
  step.host = read_host_command(options, build, world);
}

const std::map<std::string, PostReader>& post_readers() {
  static const std::map<std::string, PostReader> table = {
      {"docker-tag", read_docker_tag},       {"docker-save", read_docker_save}, {"docker-push", read_docker_push},
      {"docker-import", read_docker_import}, {"manifest", read_manifest},       {"checksum", read_checksum},
      {"artifice", read_artifice},           {"compress", read_compress},       {"shell-local", read_shell_local}};
  return table;
}

}  // namespace

std::vector<std::string> post_processor_types() {
  std::vector<std::string> names;
  for (const auto& [name, reader] : post_readers()) names.push_back(name);
  return names;
}

std::optional<PostStep> read_post_processor(const tmpl::Build& build, const tmpl::PostProcessor& post,
                                            const Surroundings& world, tmpl::Diagnostics& diagnostics) {
  const auto reader = post_readers().find(post.type);
  if (reader == post_readers().end()) {
    const std::vector<std::string> known = post_processor_types();
    std::string detail = fmt::format("kiln has no post-processor \"{}\"; it has {}.", post.type, join(known, ", "));
    if (const auto guess = nearest(post.type, known)) detail += fmt::format(" Did you mean \"{}\"?", *guess);
    diagnostics.push_back({tmpl::Severity::error, "Unknown post-processor type", detail, post.range, {}});
    return std::nullopt;
  }
  const auto values = build_values(build, world);
  const auto body = post.decode(diagnostics, &values);
  if (!body) return std::nullopt;
  PostStep step{.name = post.name, .type = post.type, .options = Json::object()};
  tmpl::BodyReader options(*body, diagnostics, fmt::format("post-processor \"{}\"", post.type));
  reader->second(options, build, world, step);
  step.hidden = options.secrets();
  report_unknown(options, world);
  options.ignore({"keep_input_artifact"});
  options.finish();
  step.keep_input = post.keep_input_artifact.value_or(true);
  return step;
}

}  // namespace kiln::plan
