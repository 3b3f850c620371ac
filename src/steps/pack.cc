// Pack steps: from a tree to an artifact, through the table of writers.
#include <sys/stat.h>

#include <algorithm>

#include "base/text.h"
#include "image/image.h"
#include "steps/artifact.h"
#include "steps/disk.h"
#include "steps/docker.h"
#include "steps/job.h"

namespace kiln::steps {

namespace {

using Writer = Result<engine::Outcome> (*)(const Job&, const plan::PackStep&);

Result<engine::Outcome> write_docker(const Job& job, const plan::PackStep& what);
Result<engine::Outcome> write_rootfs_tar(const Job& job, const plan::PackStep& what);
Result<engine::Outcome> write_nothing(const Job& job, const plan::PackStep& what);
Result<engine::Outcome> write_plain_file(const Job& job, const plan::PackStep& what);

/// One line a format.
struct Row {
  std::string_view format;
  Writer write;
};
constexpr Row kWriters[] = {
    {"docker", write_docker}, {"docker-export", write_rootfs_tar},
    {"null", write_nothing},  {"file", write_plain_file},
    {"ec2", write_disks},     {"gce", write_disks},
    {"disk", write_disks},    {"qemu", write_disks},
};

/// The null builder: provisioners on this machine only.
Result<engine::Outcome> write_nothing(const Job& /*job*/, const plan::PackStep& /*what*/) {
  return engine::Outcome{{}, {{"fnoeding.null", "Null", "Did not export anything. This is the null builder", {}}}};
}

/// The file builder: content or a copy of a file.
Result<engine::Outcome> write_plain_file(const Job& job, const plan::PackStep& what) {
  const std::string shown = shown_path(job, what.output);
  AtomicFile file = TRY(AtomicFile::create(what.output));
  for (const std::string& from : what.changes) {
    if (from.starts_with("content:")) TRY(file.write(std::string_view(from).substr(8)));
    if (!from.starts_with("source:")) continue;
    const fs::path original = from.substr(7);
    job.line(fmt::format("Copying {} to {}", shown_path(job, original), shown));
    const Fd in = TRY(open_read(original));
    FdSource source(in.get());
    FdSink sink(file.fd());
    const std::uint64_t copied = TRY(copy_all(source, sink).context("copying {}", original));
    job.line(fmt::format("Copied {} bytes", copied));
  }
  TRY(file.commit());
  const event::Artifact artifact{"packer.file", "File", "Stored file: " + shown, {shown}};
  if (what.changes.empty() || what.changes.front().starts_with("content:")) {
    TRY(record_artifact(job.context.store, job.step, job.from, what.output, artifact));
  }
  return engine::Outcome{{}, {artifact}};
}

/// The steps from the base to what a pack step stands on, oldest first.
std::vector<const plan::Step*> chain_of(const plan::Plan& plan, const plan::Step& pack) {
  std::vector<const plan::Step*> chain;
  for (const plan::Step* s = &pack; !s->parents.empty();) {
    s = &plan.steps[s->parents.front()];
    if (engine::makes_layer(*s)) chain.push_back(s);
  }
  std::reverse(chain.begin(), chain.end());
  return chain;
}

/// History as the steps made it: what the base says of itself, then one entry a step.
Result<std::vector<image::HistoryEntry>> history_of(const Job& job, std::size_t base_layers) {
  std::vector<image::HistoryEntry> history;
  for (const plan::Step* step : chain_of(job.context.plan, job.step)) {
    if (step->kind == "base") {
      const Json image = job.from.base.value("image", Json::object());
      for (const Json& entry : image.value("history", Json::array())) {
        history.push_back({json_string(entry, "created_by"), entry.value("empty_layer", false)});
      }
      const auto full = std::count_if(history.begin(), history.end(), [](const auto& h) { return !h.empty_layer; });
      if (static_cast<std::size_t>(full) != base_layers) history.assign(base_layers, {step->label, false});
      continue;
    }
    const auto result = TRY(job.context.store.find_result(step->key));
    history.push_back({step->label, !result || result->layer.empty()});
  }
  return history;
}

Result<image::Config> config_of(const Job& job, const plan::PackStep& what) {
  image::Config config;
  const Json image = job.from.base.value("image", Json::object());
  if (image.contains("config")) {
    config = TRY(image::parse_config(image["config"]));
  } else {
    config.cmd = std::vector<std::string>{"/bin/sh"};
  }
  config.created = rfc3339(clock_of(job.from));
  if (!what.author.empty()) config.author = what.author;
  TRY(image::apply_changes(config, what.changes).context("changes"));
  return config;
}

std::size_t base_layer_count(const engine::Tree& from) {
  const auto it = from.base.find("layers");
  return it != from.base.end() ? it->size() : std::min<std::size_t>(from.layers.size(), 1);
}

/// At most kMaxLayers layers: the oldest ones merged into one where there are more (Docker 20.10 loads 124, not 126).
Result<image::ImageSpec> image_spec(const Job& job, const plan::PackStep& what) {
  constexpr std::size_t kMaxLayers = 100;
  std::vector<Digest> layers = job.from.layers;
  image::ImageSpec spec;
  spec.config = TRY(config_of(job, what));
  spec.tags = what.tags;
  spec.history = TRY(history_of(job, base_layer_count(job.from)));
  if (layers.size() > kMaxLayers) {
    const std::size_t oldest = layers.size() - kMaxLayers + 1;
    const Digest merged =
        TRY(merge_oldest(job, {layers.begin(), layers.begin() + static_cast<std::ptrdiff_t>(oldest)}));
    layers.erase(layers.begin(), layers.begin() + static_cast<std::ptrdiff_t>(oldest));
    layers.insert(layers.begin(), merged);
    spec.history = merge_history(spec.history, oldest);
  }
  for (std::size_t i = 0; i < layers.size(); ++i) {
    const std::string text = fmt::format("compressing layer {} of {}", i + 1, layers.size());
    spec.layers.push_back(TRY(compressed_layer(job, layers[i], text)));
  }
  return spec;
}

Result<engine::Outcome> write_docker(const Job& job, const plan::PackStep& what) {
  return engine::Outcome{{}, {TRY(write_image(job, what.output, what.tags, [&] { return image_spec(job, what); }))}};
}

/// export_path: the merged tree as one tar.
Result<engine::Outcome> write_rootfs_tar(const Job& job, const plan::PackStep& what) {
  const auto layers = TRY(layer_paths(job.context.store, job.from));
  const store::Scratch scratch = TRY(job.context.store.scratch("export"));
  TRY(make_dirs(what.output.parent_path()));
  AtomicFile file = TRY(AtomicFile::create(what.output));
  FdSink sink(file.fd());
  TRY(merge_layers(layers, scratch.path() / "tree"));
  TRY(image::write_layer_tar(scratch.path() / "tree", sink).context("writing {}", what.output));
  TRY(sink.finish());
  TRY(file.commit());
  const event::Artifact artifact{
      "packer.docker", "Container", "Exported Docker file: " + what.output.native(), {what.output.native()}};
  TRY(record_artifact(job.context.store, job.step, job.from, what.output, artifact));
  return engine::Outcome{{}, {artifact}};
}

}  // namespace

Result<engine::Outcome> run_pack(const Job& job, const plan::PackStep& what) {
  for (const Row& row : kWriters) {
    if (row.format == what.format) return row.write(job, what);
  }
  return error(Errc::usage, "kiln has no writer for '{}'", what.format);
}

Result<> check_publishing(const plan::Plan& plan, const Settings& settings) {
  if (settings.local) return {};
  std::vector<std::string> clouds;
  for (const plan::BuildPlan& build : plan.builds) {
    if (!build.pack) continue;
    const auto& pack = std::get<plan::PackStep>(plan.steps[*build.pack].what);
    if (pack.format == "ec2" || pack.format == "gce") clouds.push_back(build.name);
  }
  if (clouds.empty()) return {};
  return error(Errc::usage, "{}: publishing to a cloud is not built yet; use -local for the disk files",
               join(clouds, ", "));
}

Result<std::optional<engine::Outcome>> current_pack(Context& context, const plan::Step& step,
                                                    const engine::Tree& from) {
  const auto& what = std::get<plan::PackStep>(step.what);
  if (what.format == "null") return std::optional<engine::Outcome>();
  auto artifact = what.format == "docker" ? TRY(current_image(context, step, from, what.output, what.tags))
                                          : TRY(recorded_artifact(context.store, step, from, what.output));
  if (!artifact) return std::optional<engine::Outcome>();
  return std::optional<engine::Outcome>(engine::Outcome{{}, {std::move(*artifact)}});
}

}  // namespace kiln::steps
