#include "steps/artifact.h"

#include <sys/stat.h>

namespace kiln::steps {

namespace {

std::string name_of(const fs::path& output) {
  std::error_code ec;
  return sha256(fs::absolute(output, ec).lexically_normal().native()).hex();
}

/// What says that a file is still the one that was written; empty if it is not there.
std::string stamp_of(const fs::path& path) {
  struct stat st {};
  if (::stat(path.c_str(), &st) != 0 || !S_ISREG(st.st_mode)) return {};
  return fmt::format("{}:{}:{}:{}.{}:{}.{}", st.st_dev, st.st_ino, st.st_size, st.st_mtim.tv_sec, st.st_mtim.tv_nsec,
                     st.st_ctim.tv_sec, st.st_ctim.tv_nsec);
}

/// The stamps of all files of an artifact; empty if one is not there.
std::string stamps_of(const event::Artifact& artifact) {
  std::string all;
  for (const std::string& file : artifact.files) {
    const std::string stamp = stamp_of(file);
    if (stamp.empty()) return {};
    all += stamp + "\n";
  }
  return all;
}

}  // namespace

std::string artifact_origin(const plan::Step& step, const engine::Tree& from) {
  std::string text = step.description_id.hex();
  for (const Digest& layer : from.layers) text += layer.hex();
  return sha256(text + render_json(from.base)).hex();
}

std::string shown_path(const Job& job, const fs::path& path) {
  const fs::path relative = path.lexically_relative(job.context.settings.cwd);
  return relative.empty() || *relative.begin() == ".." ? path.native() : relative.native();
}

Json artifact_json(const event::Artifact& artifact) {
  return {{"builder_id", artifact.builder_id}, {"id", artifact.id}, {"text", artifact.text}, {"files", artifact.files}};
}

event::Artifact artifact_from(const Json& value) {
  event::Artifact artifact{json_string(value, "builder_id"), json_string(value, "id"), json_string(value, "text"), {}};
  if (value.is_object() && value.contains("files") && value["files"].is_array()) {
    for (const Json& f : value["files"]) {
      if (f.is_string()) artifact.files.push_back(f.get<std::string>());
    }
  }
  return artifact;
}

Result<> record_artifact(store::Store& store, const plan::Step& step, const engine::Tree& from, const fs::path& output,
                         const event::Artifact& artifact) {
  return store.write_record(
      "artifact", name_of(output),
      {{"origin", artifact_origin(step, from)}, {"stamp", stamps_of(artifact)}, {"artifact", artifact_json(artifact)}});
}

Result<std::optional<event::Artifact>> recorded_artifact(store::Store& store, const plan::Step& step,
                                                         const engine::Tree& from, const fs::path& output) {
  const auto record = TRY(store.read_record("artifact", name_of(output)));
  if (!record) return std::optional<event::Artifact>();
  event::Artifact artifact = artifact_from((*record)["artifact"]);
  const std::string now = stamps_of(artifact);
  if (now.empty() || json_string(*record, "stamp") != now ||
      json_string(*record, "origin") != artifact_origin(step, from)) {
    return std::optional<event::Artifact>();
  }
  return std::optional<event::Artifact>(std::move(artifact));
}

}  // namespace kiln::steps
