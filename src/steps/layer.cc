// Making a layer: sandbox, collect, measure, keep.
#include <fcntl.h>
#include <sys/stat.h>

#include "base/text.h"
#include "event/sinks.h"
#include "image/image.h"
#include "steps/job.h"
#include "tree/tree.h"

namespace kiln::steps {

namespace {

constexpr const char* kDefaultPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
constexpr const char* kCaInside = "/run/kiln/ca-certificates.crt";
constexpr const char* kDownloadsInside = "/run/kiln/downloads";

/// Variables by which TLS clients find a CA bundle.
void add_ca(std::map<std::string, std::string>& env) {
  for (const char* name :
       {"SSL_CERT_FILE", "CURL_CA_BUNDLE", "PIP_CERT", "REQUESTS_CA_BUNDLE", "GIT_SSL_CAINFO", "NODE_EXTRA_CA_CERTS"}) {
    env[name] = kCaInside;
  }
}

std::map<std::string, std::string> step_env(const Context& context, const engine::Tree& from) {
  std::map<std::string, std::string> env = context.settings.machine.env;
  if (!context.settings.machine.ca_bundle.empty()) add_ca(env);
  env["PATH"] = kDefaultPath;
  env["LANG"] = "C.UTF-8";
  if (from.base.is_object() && from.base.contains("env")) {
    for (const auto& [name, value] : from.base["env"].items()) {
      if (value.is_string()) env[name] = value.get<std::string>();
    }
  }
  env["SOURCE_DATE_EPOCH"] = std::to_string(clock_of(from));
  env["SYSTEMD_OFFLINE"] = "1";
  env["KILN_DOWNLOADS"] = kDownloadsInside;
  return env;
}

std::vector<sandbox::StubFile> step_stubs(const Settings& settings) {
  std::vector<sandbox::StubFile> stubs;
  stubs.push_back({"/etc/resolv.conf", settings.machine.resolv_conf});
  stubs.push_back({"/etc/hosts", "127.0.0.1 localhost\n127.0.1.1 kiln\n::1 localhost ip6-localhost ip6-loopback\n"});
  stubs.push_back({"/usr/sbin/policy-rc.d", "#!/bin/sh\nexit 101\n", 0755});
  if (!settings.machine.ca_bundle.empty()) stubs.push_back({kCaInside, settings.machine.ca_bundle});
  return stubs;
}

/// Keeps what a failed action left, for `kiln run` to look inside.
void keep_failed(Context& context, const plan::Step& step, const fs::path& upper) {
  auto dir = context.store.directory("failed");
  if (!dir) return;
  const fs::path kept = *dir / step.key.hex();
  if (!remove_tree(kept)) return;
  std::error_code ec;
  fs::rename(upper, kept, ec);  // best effort: the step's own error is what counts
}

/// What an earlier run of a step left is of no use once the step works.
Result<> forget_failed(Context& context, const plan::Step& step) {
  if (const auto kept = TRY(failed_upper(context.store, step.key))) TRY(remove_tree(*kept));
  return {};
}

}  // namespace

void Job::line(std::string_view text, bool is_stderr) const {
  context.events.on(event::stamped(event::StepLine{step.id, std::string(text), is_stderr}));
}
void Job::progress(std::string what, std::uint64_t done, std::uint64_t total) const {
  context.events.on(event::stamped(event::StepProgress{step.id, std::move(what), done, total}));
}
void Job::warn(std::string text) const {
  context.events.on(event::stamped(event::Warning{step.id, {}, std::move(text)}));
}

std::int64_t clock_of(const engine::Tree& tree) {
  return static_cast<std::int64_t>(json_uint(tree.base, "clock"));
}

namespace {

Result<std::vector<fs::path>> paths_of(store::Store& store, const std::vector<Digest>& layers) {
  std::vector<fs::path> paths;
  for (const Digest& id : layers) {
    const auto layer = TRY(store.find_layer(id));
    if (!layer) return error(Errc::not_found, "layer {} has gone from the store; build again", id.brief());
    paths.push_back(layer->tree);
  }
  return paths;
}

}  // namespace

Result<std::vector<fs::path>> overlay_paths(store::Store& store, const engine::Tree& tree) {
  return paths_of(store, tree.overlay);
}
Result<std::vector<fs::path>> layer_paths(store::Store& store, const engine::Tree& tree) {
  return paths_of(store, tree.layers);
}

namespace {

Result<fs::path> stub_home(Context& context) {
  const std::lock_guard lock(context.mutex);
  if (!context.stubs) context.stubs.emplace(TRY(context.store.scratch("stubs")));
  return context.stubs->path();
}

}  // namespace

Result<sandbox::RunSpec> sandbox_spec(Context& context, const engine::Tree& from, const fs::path& scratch) {
  sandbox::RunSpec spec;
  spec.lowers = TRY(overlay_paths(context.store, from));
  spec.scratch = scratch;
  spec.stub_home = TRY(stub_home(context));
  spec.env = step_env(context, from);
  spec.stubs = step_stubs(context.settings);
  spec.network = context.settings.no_network ? sandbox::Network::none : sandbox::Network::host;
  spec.strict = context.settings.strict;
  spec.caches.push_back({TRY(context.store.directory("cache-apt")), "/var/cache/apt/archives"});
  TRY(make_dirs(context.settings.downloads));
  spec.caches.push_back({context.settings.downloads, kDownloadsInside});
  return spec;
}

Result<store::StepResult> keep_layer(Context& context, const fs::path& tree, std::string_view label) {
  const image::TarFacts facts = TRY(image::measure_layer(tree).context("measuring the layer of '{}'", label));
  store::Layer layer{.id = facts.diff_id, .tree = tree, .tar_bytes = facts.bytes, .entries = facts.entries};
  TRY(context.store.lease(layer.id));
  TRY(context.store.add_layer(tree, layer, label));
  store::StepResult result;
  result.layer = layer.id;
  result.facts = Json::object();
  return result;
}

namespace {

/// Runs once; yields the collected trees in scratch.
struct Collected {
  store::Scratch scratch;
  sandbox::CollectReport report;
  fs::path tree() const { return scratch.path() / "layer"; }
  fs::path volatile_tree() const { return scratch.path() / "volatile"; }
};

Result<Collected> run_once(const Job& job, const std::function<void(sandbox::RunSpec&)>& fill,
                           const std::function<Result<>(const sandbox::RunResult&)>& judge) {
  Context& context = job.context;
  store::Scratch scratch = TRY(context.store.scratch(job.step.label));
  sandbox::RunSpec spec = TRY(sandbox_spec(context, job.from, scratch.path()));
  spec.on_line = [&](std::string_view text, bool is_stderr) { job.line(text, is_stderr); };
  fill(spec);
  auto ran = sandbox::run(spec, job.cancel);
  if (!ran) return std::move(ran).error();
  for (const std::string& note : ran->notes) job.warn(note);
  if (auto good = judge(*ran); !good) {
    keep_failed(context, job.step, scratch.path() / "upper");
    return std::move(good).error();
  }
  TRY(forget_failed(context, job.step));
  sandbox::CollectSpec collect{.upper = scratch.path() / "upper", .lowers = spec.lowers, .stubs = spec.stubs};
  collect.clock = clock_of(job.from);
  collect.keep = context.settings.keep;
  collect.tree = scratch.path() / "layer";
  collect.volatile_tree = scratch.path() / "volatile";
  sandbox::CollectReport report =
      TRY(sandbox::collect(collect).context("collecting what '{}' changed", job.step.label));
  TRY(sandbox::keep_caches(spec).context("keeping downloaded packages"));
  return Collected{std::move(scratch), std::move(report)};
}

std::string describe_entry(const tree::TreeEntry& e, int parent, const std::string& name) {
  std::string text = fmt::format("{:o} {}:{} {} {}", e.st.st_mode, e.st.st_uid, e.st.st_gid, e.st.st_mtime,
                                 S_ISDIR(e.st.st_mode) ? 0 : e.st.st_size);
  if (S_ISREG(e.st.st_mode)) {
    auto fd = open_at(parent, name, O_RDONLY | O_NOFOLLOW, Resolve::no_symlinks);
    if (!fd) return text;
    FdSource source(fd->get());
    HashSink hash;
    if (copy_all(source, hash)) text += " " + hash.digest().hex();
  } else if (S_ISLNK(e.st.st_mode)) {
    if (auto target = read_link_at(parent, name)) text += " -> " + *target;
  }
  return text;
}

Result<std::map<std::string, std::string>> listing(const fs::path& layer) {
  std::map<std::string, std::string> all;
  TRY(tree::walk_merged({layer}, [&](const tree::TreeEntry& e, int parent, const std::string& name) -> Result<> {
    all[e.path] = describe_entry(e, parent, name);
    return {};
  }));
  return all;
}

Result<std::vector<std::string>> differences(const fs::path& a, const fs::path& b) {
  const auto one = TRY(listing(a));
  auto two = TRY(listing(b));
  std::vector<std::string> paths;
  for (const auto& [path, text] : one) {
    const auto it = two.find(path);
    if (it == two.end() || it->second != text) paths.push_back(path);
    if (it != two.end()) two.erase(it);
  }
  for (const auto& [path, text] : two) paths.push_back(path);
  return paths;
}

/// -check: runs the step again and names what differs.
Result<> check_again(const Job& job, const std::function<void(sandbox::RunSpec&)>& fill,
                     const std::function<Result<>(const sandbox::RunResult&)>& judge, const Collected& first) {
  const Collected second = TRY(run_once(job, fill, judge).context("running the step a second time (-check)"));
  const auto paths = TRY(differences(first.tree(), second.tree()));
  if (paths.empty()) return {};
  constexpr std::size_t kShown = 20;
  std::vector<std::string> shown;
  for (const std::string& path : paths) {
    if (shown.size() < kShown) shown.push_back("/" + visible(path));
  }
  if (paths.size() > kShown) shown.push_back(fmt::format("and {} more", paths.size() - kShown));
  return error(Errc::step_failed, "two runs of this step differ in {} path{}: {}", paths.size(),
               paths.size() == 1 ? "" : "s", join(shown, ", "));
}

}  // namespace

Result<engine::Outcome> make_layer(const Job& job, const std::function<void(sandbox::RunSpec&)>& fill,
                                   const std::function<Result<>(const sandbox::RunResult&)>& judge) {
  Collected made = TRY(run_once(job, fill, judge));
  const bool repeats = job.step.kind == "run" || job.step.kind == "boot";
  if (job.context.settings.check && repeats) TRY(check_again(job, fill, judge, made));
  engine::Outcome outcome;
  outcome.result.facts = Json::object();
  if (!made.report.empty) {
    outcome.result = TRY(keep_layer(job.context, made.tree(), job.step.label));
  }
  if (!made.report.volatile_empty) {
    outcome.result.volatile_layer = TRY(keep_layer(job.context, made.volatile_tree(), job.step.label)).layer;
  }
  return outcome;
}

Result<std::optional<fs::path>> failed_upper(store::Store& store, const Digest& key) {
  const fs::path kept = TRY(store.directory("failed")) / key.hex();
  std::error_code ec;
  if (!fs::exists(kept, ec)) return std::optional<fs::path>();
  return std::optional<fs::path>(kept);
}

}  // namespace kiln::steps
