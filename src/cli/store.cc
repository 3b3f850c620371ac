// kiln store ls|gc|verify.
#include <fmt/core.h>

#include "base/text.h"
#include "cli/session.h"
#include "image/image.h"

namespace kiln::cli {

namespace {

Result<int> list(store::Store& store, const Args& args) {
  const auto layers = TRY(store.list());
  if (args.json) {
    Json rows = Json::array();
    for (const auto& use : layers) {
      rows.push_back({{"layer", use.layer.id.text()},
                      {"label", use.label},
                      {"bytes", use.layer.tar_bytes},
                      {"disk_bytes", use.disk_bytes},
                      {"entries", use.layer.entries},
                      {"last_used", rfc3339(use.last_used)}});
    }
    fmt::print("{}\n", render_json_pretty(rows));
    return kOk;
  }
  std::uint64_t total = 0;
  fmt::print("{:<12}  {:>10}  {:<20}  {}\n", "LAYER", "SIZE", "LAST USED", "MADE BY");
  for (const auto& use : layers) {
    total += use.disk_bytes;
    fmt::print("{:<12}  {:>10}  {:<20}  {}\n", use.layer.id.brief(), human_bytes(use.disk_bytes),
               rfc3339(use.last_used), visible(use.label));
  }
  fmt::print("{} layers, {}, in {}\n", layers.size(), human_bytes(total), store.root());
  return kOk;
}

Result<int> collect(store::Store& store, const Args& args, const Cancel& cancel) {
  store::GcOptions options{.keep_bytes = args.keep_bytes, .dry_run = args.dry_run};
  if (!args.older_than.empty()) {
    options.older_than = TRY(parse_go_duration(args.older_than).context("-older-than")).count() / 1000;
  }
  const auto report = TRY(store.collect_garbage(options, cancel));
  for (const std::string& name : report.removed) fmt::print("{} {}\n", args.dry_run ? "would remove" : "removed", name);
  fmt::print("{} {}, {} stay\n", args.dry_run ? "would free" : "freed", human_bytes(report.freed_bytes),
             human_bytes(report.kept_bytes));
  return kOk;
}

Result<int> verify(store::Store& store, const Cancel& cancel) {
  const auto id_of = [](const store::Layer& layer) -> Result<Digest> {
    if (layer.foreign) return layer.id;  // its blob is what counts, and that is hashed
    return TRY(image::measure_layer(layer.tree)).diff_id;
  };
  const auto damaged = TRY(store.verify(id_of, cancel));
  for (const std::string& name : damaged) fmt::print("damaged, set aside: {}\n", name);
  fmt::print("{}\n", damaged.empty() ? "The store is whole." : "The next build makes them again.");
  return damaged.empty() ? kOk : kFailed;
}

}  // namespace

Result<int> store_command(const Args& args, const Environment& environment, const Cancel& cancel) {
  store::Store store = TRY(store::Store::open(store_path(environment)));
  if (args.action == "ls") return list(store, args);
  if (args.action == "gc") return collect(store, args, cancel);
  return verify(store, cancel);
}

}  // namespace kiln::cli
