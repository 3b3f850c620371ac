// Post-processors: manifest, docker-tag, docker-save, docker-push, docker-import, checksum, shell-local.
#include <glob.h>
#include <sys/stat.h>

#include "base/text.h"
#include "event/sinks.h"
#include "plan/shell.h"
#include "steps/artifact.h"
#include "steps/compress.h"
#include "steps/docker.h"
#include "steps/job.h"
#include "steps/manifest.h"

namespace kiln::steps {

namespace {

std::optional<event::Artifact> input_of(Context& context, const plan::Step& step) {
  const std::lock_guard lock(context.mutex);
  if (step.parents.empty()) return std::nullopt;
  const auto it = context.artifacts.find(step.parents.front());
  if (it == context.artifacts.end() || it->second.empty()) return std::nullopt;
  return it->second.back();
}

const plan::BuildPlan& build_of(const Context& context, const plan::Step& step) {
  return context.plan.builds[step.builds.front()];
}

/// Where the run that wrote a manifest entry is noted: by build and options, not by the key, which a comment changes.
std::string manifest_record(const Context& context, const plan::Step& step) {
  return sha256(build_of(context, step).name + "/" + step.description_id.hex()).hex();
}

/// What the artifact at the bottom of a post-processor's chain was made of: ids such as "VM" do not tell.
std::string input_origin(const Context& context, const plan::Step& step, const engine::Tree& from) {
  const plan::Step* pack = &step;
  while (pack->kind != "pack") pack = &context.plan.steps[pack->parents.front()];
  return artifact_origin(*pack, from);
}

Result<event::Artifact> write_manifest_entry(const Job& job, const plan::PostStep& what, const event::Artifact& input) {
  const std::lock_guard lock(job.context.manifest_mutex);
  const plan::BuildPlan& build = build_of(job.context, job.step);
  const fs::path path = json_string(what.options, "output");
  ManifestEntry entry{.name = build.source_name,
                      .builder_type = build.type,
                      .build_time = unix_now(),
                      .files = input.files,
                      .artifact_id = input.id,
                      .run_uuid = job.context.settings.run_id,
                      .custom_data = what.options.value("custom_data", Json())};
  entry.strip_path = what.options.value("strip_path", false);
  if (what.options.value("strip_time", false)) entry.build_time = 0;
  TRY(append_manifest(path, entry, job.context.settings.force).context("manifest"));
  TRY(job.context.store.write_record(
      "manifest", manifest_record(job.context, job.step),
      {{"run_uuid", entry.run_uuid}, {"origin", input_origin(job.context, job.step, job.from)}}));
  return input;
}

/// A manifest is current while it holds the entry that this step wrote for this very artifact.
Result<bool> manifest_is_current(Context& context, const plan::Step& step, const plan::PostStep& what,
                                 const engine::Tree& from, const event::Artifact& input) {
  const auto record = TRY(context.store.read_record("manifest", manifest_record(context, step)));
  if (!record || json_string(*record, "origin") != input_origin(context, step, from)) return false;
  return manifest_has(json_string(what.options, "output"), build_of(context, step).source_name, input.id,
                      json_string(*record, "run_uuid"));
}

event::Artifact tagged(const plan::PostStep& what, const event::Artifact& input) {
  const std::vector<std::string> names = what.options.value("names", std::vector<std::string>());
  return {"packer.post-processor.docker-tag", names.empty() ? input.id : names.back(), input.text, input.files};
}

Result<event::Artifact> save(const Job& job, const plan::PostStep& what, const event::Artifact& input) {
  const fs::path path = json_string(what.options, "path");
  if (input.files.empty()) return error(Errc::usage, "docker-save: there is no image to save");
  TRY(copy_whole(input.files.front(), path));
  event::Artifact made{"packer.post-processor.docker-save", input.id, input.text, {path.native()}};
  TRY(record_artifact(job.context.store, job.step, job.from, path, made));
  return made;
}

Result<std::string> checksum_of(const std::string& type, const fs::path& path) {
  if (type == "sha256") return TRY(sha256_file(path)).hex();
  return hash_file_hex(type, path);
}

/// What checksum and artifice make: files, and a text that names them.
event::Artifact made_of_files(const char* builder_id, std::vector<std::string> files) {
  std::string text = "Created artifact from files: " + join(files, ", ");
  return {builder_id, {}, std::move(text), std::move(files)};
}

/// "hex TAB basename" lines, appended, one file a type, as Packer writes them. The artifact is the files that were
/// hashed and the checksum files that were not there before.
Result<event::Artifact> write_checksums(const Job& job, const plan::PostStep& what, const event::Artifact& input) {
  const plan::BuildPlan& build = build_of(job.context, job.step);
  std::vector<std::string> files = input.files;
  for (const std::string& type : what.options.value("checksum_types", std::vector<std::string>{"md5"})) {
    const std::string name =
        plan::fill_names(json_string(what.options, "output"),
                         {{"BuildName", build.source_name}, {"BuilderType", build.type}, {"ChecksumType", type}});
    std::string text;
    const auto old = read_file(name);
    if (old) text = *old;
    for (const std::string& file : input.files) {
      text += fmt::format("{}\t{}\n", TRY(checksum_of(type, file)), fs::path(file).filename());
    }
    TRY(write_file(name, text));
    if (!old) files.push_back(shown_path(job, name));
  }
  return made_of_files("packer.post-processor.checksum", std::move(files));
}

/// The paths that a glob matches, sorted; relative ones start where kiln was started.
Result<std::vector<std::string>> matches_of(const std::string& pattern) {
  glob_t found{};
  const int code = ::glob(pattern.c_str(), 0, nullptr, &found);
  std::vector<std::string> paths;
  for (std::size_t i = 0; code == 0 && i < found.gl_pathc; ++i) paths.emplace_back(found.gl_pathv[i]);
  ::globfree(&found);
  if (code != 0 && code != GLOB_NOMATCH) return error(Errc::io, "looking for {}", pattern);
  return paths;
}

/// The artifact becomes other files.
Result<event::Artifact> replace_files(const Job& job, const plan::PostStep& what, const event::Artifact& input) {
  if (!input.files.empty()) job.line("Discarding files from artifact: " + join(input.files, ", "));
  std::vector<std::string> files;
  for (const std::string& pattern : what.options.value("files", std::vector<std::string>())) {
    const auto found = TRY(matches_of(pattern));
    files.insert(files.end(), found.begin(), found.end());
  }
  job.line("Using these artifact files: " + join(files, ", "));
  return made_of_files("packer.post-processor.artifice", std::move(files));
}

Result<event::Artifact> run_one(const Job& job, const plan::PostStep& what, const event::Artifact& input) {
  if (what.type == "manifest") return write_manifest_entry(job, what, input);
  if (what.type == "docker-tag") return tagged(what, input);
  if (what.type == "docker-save") return save(job, what, input);
  if (what.type == "docker-push") return push_image(job, what, input);
  if (what.type == "docker-import") return import_tar(job, what, input);
  if (what.type == "checksum") return write_checksums(job, what, input);
  if (what.type == "compress") return compress(job, what, input);
  if (what.type == "artifice") return replace_files(job, what, input);
  if (what.type == "shell-local" && what.host) {
    TRY(run_host(job, *what.host));
    return input;
  }
  return error(Errc::usage, "kiln has no post-processor '{}'", what.type);
}

}  // namespace

Result<engine::Outcome> run_post(const Job& job, const plan::PostStep& what) {
  const auto input = input_of(job.context, job.step);
  if (!input) return error(Errc::not_found, "{}: nothing to work on was made before it", what.type);
  return engine::Outcome{{}, {TRY(run_one(job, what, *input).context("post-processor {}", what.type))}};
}

Result<std::optional<engine::Outcome>> current_post(Context& context, const plan::Step& step,
                                                    const engine::Tree& from) {
  const auto& what = std::get<plan::PostStep>(step.what);
  const auto input = input_of(context, step);
  if (!input) return std::optional<engine::Outcome>();
  event::Artifact made{"packer.post-processor." + what.type, input->id, input->text, {}};
  bool current = false;
  if (what.type == "manifest") {
    current = TRY(manifest_is_current(context, step, what, from, *input));
    made = *input;
  } else if (what.type == "docker-tag") {
    current = true;
    made = tagged(what, *input);
  } else if (what.type == "docker-save") {
    const fs::path path = json_string(what.options, "path");
    if (auto there = TRY(recorded_artifact(context.store, step, from, path)))
      return std::optional(engine::Outcome{{}, {*there}});
  } else if (what.type == "docker-import") {
    const auto tags = what.options.value("tags", std::vector<std::string>());
    auto there = TRY(current_image(context, step, from, json_string(what.options, "output"), tags));
    if (!there) return std::optional<engine::Outcome>();
    there->id = what.options.value("names", std::vector<std::string>{""}).front();
    return std::optional(engine::Outcome{{}, {*there}});
  }
  if (!current) return std::optional<engine::Outcome>();
  return std::optional<engine::Outcome>(engine::Outcome{{}, {made}});
}

}  // namespace kiln::steps
