// Base steps: the tree that a source starts from, made or imported, and the pinning of what floats.
#include <sys/stat.h>

#include <algorithm>
#include <cstring>
#include <set>

#include "base/text.h"
#include "image/base_disk.h"
#include "image/image.h"
#include "steps/job.h"
#include "steps/source_image.h"
#include "tree/tree.h"

namespace kiln::steps {

namespace {

/// Whether a reference of this kind may mean something else tomorrow, and the network is needed to ask.
bool floats(const std::string& transport) {
  return transport == "bootstrap" || transport == "docker";
}

Result<std::optional<Json>> locked_pin(const fs::path& lock_file, const std::string& reference) {
  auto text = read_file(lock_file);
  if (!text) {
    if (text.error().code() == Errc::not_found) return std::optional<Json>();
    return std::move(text).error();
  }
  const Json lock = TRY(parse_json(*text).context("reading {}", lock_file));
  if (!lock.is_object() || !lock.contains("pins") || !lock["pins"].contains(reference)) return std::optional<Json>();
  return std::optional<Json>(lock["pins"][reference]);
}

Result<> write_pin(const fs::path& lock_file, const std::string& reference, const Json& pin) {
  Json lock = Json::object();
  if (auto text = read_file(lock_file)) lock = TRY(parse_json(*text).context("reading {}", lock_file));
  lock["pins"][reference] = pin;
  return write_file(lock_file, render_json_pretty(lock) + "\n");
}

Json sha256_pin(const Digest& digest) {
  return Json{{"sha256", digest.text()}};
}

/// What identifies a local base: its content.
Result<Json> pin_local(const plan::BaseRef& ref, store::Store& store) {
  if (ref.transport == "ebs") return Json::object();
  const auto digest = [&](const fs::path& p) { return store.file_digest(p); };
  if (ref.transport == "tar" || ref.transport == "disk") return sha256_pin(TRY(store.file_digest(ref.location)));
  if (ref.transport == "dir") return sha256_pin(TRY(plan::tree_digest(ref.location, digest)));
  const image::SourceImage image = TRY(open_source_image(ref).context("{}", ref.text));
  return Json{{"config", image.config_digest.text()}};
}

/// Newest time in a tree: the clock of a base that does not say when it was created.
Result<std::int64_t> newest_time(const fs::path& layer) {
  std::int64_t newest = 0;
  TRY(tree::walk_merged({layer}, [&](const tree::TreeEntry& e, int, const std::string&) -> Result<> {
    newest = std::max<std::int64_t>(newest, e.st.st_mtime);
    return {};
  }));
  return newest;
}

/// Through a tar, so that what a directory holds is checked as any archive is.
Result<> copy_directory(const fs::path& from, const fs::path& tar, const fs::path& to, const Cancel& cancel) {
  {
    AtomicFile file = TRY(AtomicFile::create(tar));
    FdSink sink(file.fd());
    TRY(image::write_layer_tar(from, sink));
    TRY(sink.finish());
    TRY(file.commit());
  }
  const Fd file = TRY(open_read(tar));
  FdSource source(file.get());
  TRY(image::unpack_rootfs(source, to, {}, cancel));
  return {};
}

/// The tree of a dir:, tar: or disk: base, below an empty directory.
Result<> unpack_tree(const Job& job, const plan::BaseRef& ref, const fs::path& spool, const fs::path& to) {
  if (ref.transport == "dir") {
    TRY(copy_directory(ref.location, spool, to, job.cancel).context("copying {}", ref.location));
  } else if (ref.transport == "disk") {
    const auto root = TRY(image::unpack_disk(ref.location, to, {}, job.cancel).context("reading {}", ref.location));
    for (const std::string& note : root.notes) job.line(note);
  } else {
    const Fd file = TRY(open_read(ref.location));
    FdSource source(file.get());
    TRY(image::unpack_rootfs(source, to, {}, job.cancel).context("unpacking {}", ref.location));
  }
  return {};
}

/// dir:, tar: and disk: one plain tree, made canonical.
Result<engine::Outcome> import_tree(const Job& job, const plan::BaseStep& what) {
  const store::Scratch scratch = TRY(job.context.store.scratch(job.step.label));
  const fs::path upper = scratch.path() / "upper";
  TRY(make_dirs(upper));
  TRY(unpack_tree(job, what.ref, scratch.path() / "tar", upper));
  const std::int64_t clock = TRY(newest_time(upper));
  sandbox::CollectSpec collect{.upper = upper};
  collect.clock = clock;
  collect.keep = job.context.settings.keep;
  collect.tree = scratch.path() / "layer";
  collect.volatile_tree = scratch.path() / "volatile";
  TRY(sandbox::collect(collect).context("collecting {}", what.ref.text));
  engine::Outcome outcome;
  outcome.result = TRY(keep_layer(job.context, collect.tree, job.step.label));
  outcome.result.facts = {{"clock", static_cast<std::uint64_t>(clock)}, {"env", Json::object()}};
  return outcome;
}

/// One layer of an image: unpacked, its blob kept as it came.
Result<Digest> import_layer(const Job& job, const image::SourceLayer& layer, std::size_t number, std::size_t count) {
  store::Store& store = job.context.store;
  if (!layer.diff_id.empty()) {
    TRY(store.lease(layer.diff_id));
    const auto there = TRY(store.find_layer(layer.diff_id));
    const auto blob = TRY(store.read_record("compressed", layer.diff_id.hex()));
    if (there && blob) return layer.diff_id;
  }
  job.progress(fmt::format("importing layer {} of {}", number, count), 0, layer.bytes);
  const store::Scratch scratch = TRY(store.scratch("import"));
  const fs::path tree = scratch.path() / "layer";
  TRY(make_dirs(tree));
  const auto raw = TRY(layer.open());
  store::BlobWriter writer = TRY(store.new_blob());
  const image::UnpackedLayer unpacked =
      TRY(image::unpack_layer_kept(*raw, tree, writer, job.context.settings.threads, {}, job.cancel)
              .context("layer {}", number));
  if (!layer.diff_id.empty() && unpacked.facts.diff_id != layer.diff_id) {
    return error(Errc::corrupt, "layer {}: its content is {}, the image says {}", number,
                 unpacked.facts.diff_id.brief(), layer.diff_id.brief());
  }
  const store::Blob blob = TRY(store.commit(std::move(writer)));
  store::Layer described{.id = unpacked.facts.diff_id,
                         .tar_bytes = unpacked.facts.bytes,
                         .entries = unpacked.facts.entries,
                         .foreign = true};
  TRY(store.lease(described.id));
  TRY(store.add_layer(tree, described, job.step.label));
  TRY(store.write_record("compressed", described.id.hex(),
                         {{"blob", blob.digest.text()}, {"bytes", blob.bytes}, {"foreign", true}}));
  return described.id;
}

Result<engine::Outcome> import_image(const Job& job, const plan::BaseStep& what) {
  const store::Scratch spool = TRY(job.context.store.scratch("spool"));
  const OpenedImage opened = TRY(open_pinned_image(job, what, spool.path()));
  const image::SourceImage& image = opened.image;
  Json layers = Json::array();
  Digest last;
  for (std::size_t i = 0; i < image.layers.size(); ++i) {
    last = TRY(import_layer(job, image.layers[i], i + 1, image.layers.size()));
    layers.push_back(last.hex());
  }
  engine::Outcome outcome;
  outcome.result.layer = last;
  Json env = Json::object();
  for (const auto& [name, value] : image.config.env) env[name] = value;
  const auto created = parse_rfc3339(image.config.created);
  std::int64_t clock = created ? *created : 0;
  if (clock <= 0 && !last.empty()) {
    const auto top = TRY(job.context.store.find_layer(last));
    if (top) clock = TRY(newest_time(top->tree));
  }
  outcome.result.facts = {{"layers", layers},
                          {"clock", static_cast<std::uint64_t>(std::max<std::int64_t>(clock, 0))},
                          {"env", env},
                          {"user", image.config.user},
                          {"working_dir", image.config.working_dir},
                          {"identity", image.config_digest.text()},
                          {"image", image_facts(image)}};
  return outcome;
}

}  // namespace

Result<Json> pin_base(const plan::BaseRef& ref, const std::string& fingerprint, store::Store& store,
                      const Settings& settings, const Cancel& cancel) {
  if (ref.transport == "docker-daemon") return pin_remote(ref, settings, cancel);
  if (!floats(ref.transport)) return pin_local(ref, store);
  const bool secret = fingerprint.starts_with("sealed:");
  if (secret && settings.write_lock) {
    return error(Errc::usage,
                 "a sensitive value stands in this base, and kiln.lock.json would tell it; leave out -lock");
  }
  const std::string record = fingerprint.substr(secret ? std::strlen("sealed:") : 0);
  if (!settings.refresh) {
    if (auto pin = TRY(locked_pin(settings.lock_file, ref.text))) return std::move(*pin);
    if (auto pin = TRY(store.read_record("pin", record))) {
      if (settings.write_lock) TRY(write_pin(settings.lock_file, ref.text, *pin));
      return std::move(*pin);
    }
  }
  const Json pin = ref.transport == "bootstrap" ? TRY(pin_bootstrap(ref.location, settings, cancel))
                                                : TRY(pin_remote(ref, settings, cancel));
  TRY(store.write_record("pin", record, pin));
  std::error_code ec;
  if (settings.write_lock || (!secret && fs::exists(settings.lock_file, ec)))
    TRY(write_pin(settings.lock_file, ref.text, pin));
  return pin;
}

Result<engine::Outcome> run_base(const Job& job, const plan::BaseStep& what) {
  if (what.ref.transport == "bootstrap") return run_bootstrap(job, what);
  if (what.ref.transport == "ebs") {
    return error(Errc::bad_template, "{}: images of a cloud as bases: not built yet", what.ref.text);
  }
  static const std::set<std::string> kTrees = {"dir", "tar", "disk"};
  if (kTrees.contains(what.ref.transport)) return import_tree(job, what);
  return import_image(job, what);
}

}  // namespace kiln::steps
