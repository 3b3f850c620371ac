// Image archives: written once, loaded into the Docker Engine where there is one.
#include <algorithm>

#include "base/text.h"
#include "image/deflate_chunk.h"
#include "steps/artifact.h"
#include "steps/docker.h"
#include "steps/remote.h"

namespace kiln::steps {

namespace {

/// Whether the Engine has the image by its id and by every name.
Result<bool> has_image(publish::Engine& engine, const Digest& id, const std::vector<std::string>& tags,
                       const Cancel& cancel) {
  std::vector<std::string> names = tags;
  names.push_back(id.text());
  for (const std::string& name : names) {
    auto image = engine.inspect(name, cancel);
    if (!image && image.error().code() == Errc::not_found) return false;
    if (!image) return std::move(image).error();
    if (image->id != id) return false;
  }
  return true;
}

Result<> load(const Job& job, publish::Engine& engine, const image::ImageSpec& spec) {
  std::vector<Digest> diff_ids;
  for (const image::ImageLayer& layer : spec.layers) diff_ids.push_back(layer.diff_id);
  std::size_t sent = 0;
  const auto write = [&](Sink& out, const std::vector<Digest>& absent) -> Result<> {
    sent = static_cast<std::size_t>(std::count_if(diff_ids.begin(), diff_ids.end(), [&](const Digest& id) {
      return std::find(absent.begin(), absent.end(), id) == absent.end();
    }));
    TRY(image::write_hybrid_archive(spec, out, absent));
    return {};
  };
  const auto progress = [&](std::uint64_t bytes) { job.progress("loading into the Docker Engine", bytes, 0); };
  TRY(engine.load_missing(diff_ids, write, progress, job.cancel));
  job.line(fmt::format("loaded into the Docker Engine: {} of {} layers sent", sent, diff_ids.size()));
  return {};
}

Result<> load_or_tag(const Job& job, publish::Engine& engine, const image::ImageSpec& spec) {
  const Digest id = TRY(image::image_ids(spec)).config;
  if (!TRY(has_image(engine, id, {}, job.cancel))) {
    TRY(load(job, engine, spec));
  } else {
    for (const std::string& tag : spec.tags) TRY(engine.tag(id, tag, job.cancel));
  }
  if (TRY(has_image(engine, id, spec.tags, job.cancel))) return {};
  return error(Errc::io, "the Docker Engine at {} took the image {} and does not have it", engine.address(),
               id.brief());
}

/// Without an Engine at the usual place it says so and goes on; one that DOCKER_HOST names must be there.
Result<> load_into_engine(const Job& job, const image::ImageSpec& spec) {
  const auto remote = TRY(Remote::create(job.context.settings));
  auto engine = TRY(remote->engine());
  if (TRY(engine.ping(job.cancel))) return load_or_tag(job, engine, spec);
  if (remote->engine_is_named()) {
    return error(Errc::not_found, "no Docker Engine answers at {} (DOCKER_HOST); -local does without one",
                 engine.address());
  }
  job.warn("no Docker Engine answers at " + engine.address() + ": the image is in the archive only");
  return {};
}

/// Whether nothing is left to do with the Engine; what is wrong with it is for load_into_engine to say.
bool engine_is_content(Context& context, const Digest& id, const std::vector<std::string>& tags) {
  const Cancel never;
  const auto remote = Remote::create(context.settings);
  if (!remote) return false;
  auto engine = (*remote)->engine();
  if (!engine) return false;
  const auto there = engine->ping(never);
  if (there && !*there) return !(*remote)->engine_is_named();
  if (!there) return false;
  const auto has = has_image(*engine, id, tags, never);
  return has && *has;
}

event::Artifact artifact_of(const Digest& id, const fs::path& output, const std::vector<std::string>& tags) {
  event::Artifact artifact{
      "packer.post-processor.docker-import", id.text(), "Imported Docker image: " + id.text(), {output.native()}};
  if (!tags.empty()) artifact.text += " with tags " + join(tags, " ");
  return artifact;
}

Result<event::Artifact> write_archive(const Job& job, const fs::path& output, const image::ImageSpec& spec) {
  TRY(make_dirs(output.parent_path()));
  AtomicFile file = TRY(AtomicFile::create(output));
  FdSink sink(file.fd());
  job.progress("writing " + output.filename().native(), 0, 0);
  const image::ImageIds ids = TRY(image::write_hybrid_archive(spec, sink).context("writing {}", output));
  TRY(sink.finish());
  TRY(file.commit());
  event::Artifact artifact = artifact_of(ids.config, output, spec.tags);
  TRY(record_artifact(job.context.store, job.step, job.from, output, artifact));
  return artifact;
}

/// A layer of one of our archives as a blob of the store.
Result<image::ImageLayer> stored_layer(store::Store& store, const image::SourceLayer& layer) {
  TRY(store.lease(layer.blob));
  if (const auto blob = TRY(store.find_blob(layer.blob)))
    return image::ImageLayer{layer.diff_id, layer.blob, blob->bytes, blob->path};
  store::BlobWriter writer = TRY(store.new_blob());
  const auto from = TRY(layer.open());
  TRY(copy_all(*from, writer));
  const store::Blob blob = TRY(store.commit(std::move(writer)));
  return image::ImageLayer{layer.diff_id, blob.digest, blob.bytes, blob.path};
}

}  // namespace

namespace {

/// The form that is kept of a layer: as it came, or as this version of kiln compresses it.
Result<std::optional<Digest>> kept_form(store::Store& store, const Digest& id) {
  const auto record = TRY(store.read_record("compressed", id.hex()));
  if (!record) return std::optional<Digest>();
  if (json_string(*record, "by") != image::deflate_form()) {
    const auto layer = TRY(store.find_layer(id));
    if (!layer || !layer->foreign) return std::optional<Digest>();
  }
  return std::optional(TRY(Digest::parse(json_string(*record, "blob"))));
}

}  // namespace

Result<image::ImageLayer> compressed_layer(const Job& job, const Digest& id, const std::string& progress_text) {
  store::Store& store = job.context.store;
  if (const auto digest = TRY(kept_form(store, id))) {
    TRY(store.lease(*digest));
    if (const auto blob = TRY(store.find_blob(*digest))) return image::ImageLayer{id, *digest, blob->bytes, blob->path};
  }
  const auto layer = TRY(store.find_layer(id));
  if (!layer) return error(Errc::not_found, "layer {} has gone from the store; build again", id.brief());
  store::BlobWriter writer = TRY(store.new_blob());
  const auto made =
      TRY(image::compress_layer(layer->tree, writer, job.context.settings.threads, job.cancel, [&](std::uint64_t done) {
            job.progress(progress_text, done, layer->tar_bytes);
          }).context("compressing layer {}", id.brief()));
  if (made.tar.diff_id != id)
    return error(Errc::corrupt, "layer {} changed in the store; run kiln store verify", id.brief());
  const store::Blob blob = TRY(store.commit(std::move(writer)));
  TRY(store.write_record("compressed", id.hex(),
                         {{"blob", blob.digest.text()}, {"bytes", blob.bytes}, {"by", image::deflate_form()}}));
  return image::ImageLayer{id, blob.digest, blob.bytes, blob.path};
}

Result<event::Artifact> write_image(const Job& job, const fs::path& output, const std::vector<std::string>& tags,
                                    const std::function<Result<image::ImageSpec>()>& make) {
  std::optional<event::Artifact> artifact;
  if (!job.context.settings.force) {
    artifact = TRY(recorded_artifact(job.context.store, job.step, job.from, output));
  }
  std::optional<image::ImageSpec> spec;
  if (!artifact) {
    spec = TRY(make());
    artifact = TRY(write_archive(job, output, *spec));
  }
  if (job.context.settings.local) return *artifact;
  if (!spec) spec = TRY(archived_image(job, output, tags));
  TRY(load_into_engine(job, *spec).context("loading into the Docker Engine"));
  return *artifact;
}

Result<std::optional<event::Artifact>> current_image(Context& context, const plan::Step& step, const engine::Tree& from,
                                                     const fs::path& output, const std::vector<std::string>& tags) {
  auto artifact = TRY(recorded_artifact(context.store, step, from, output));
  if (!artifact || context.settings.local) return artifact;
  const auto id = Digest::parse(artifact->id);
  if (!id || !engine_is_content(context, *id, tags)) artifact.reset();
  return artifact;
}

Result<image::ImageSpec> archived_image(const Job& job, const fs::path& archive, const std::vector<std::string>& tags) {
  const image::SourceImage image = TRY(image::open_oci_archive(archive, ""));
  image::ImageSpec spec{.config = image.config, .history = image.history, .tags = tags};
  for (const image::SourceLayer& layer : image.layers) {
    spec.layers.push_back(TRY(stored_layer(job.context.store, layer).context("reading {}", archive)));
  }
  const Digest id = TRY(image::image_ids(spec)).config;
  if (id != image.config_digest) {
    return error(Errc::corrupt, "{} holds the image {}, which kiln would not write; remove it and build again", archive,
                 image.config_digest.brief());
  }
  return spec;
}

}  // namespace kiln::steps
