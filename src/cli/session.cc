#include "cli/session.h"

#include <fmt/core.h>

#include <thread>

#include "base/text.h"
#include "cli/outside.h"
#include "cli/speech.h"
#include "event/mask.h"
#include "image/disk.h"

namespace kiln::cli {

std::string Environment::get(const std::string& name) const {
  const auto it = variables.find(name);
  return it != variables.end() ? it->second : std::string();
}

namespace {

fs::path cache_home(const Environment& environment) {
  const std::string xdg = environment.get("XDG_CACHE_HOME");
  if (!xdg.empty() && xdg[0] == '/') return fs::path(xdg) / "kiln";
  const std::string home = environment.get("HOME");
  return fs::path(home.empty() ? "/root" : home) / ".cache/kiln";
}

/// Texts of the files that diagnostics speak of, for showing their lines.
tmpl::Sources sources_of(const tmpl::Diagnostics& diagnostics) {
  tmpl::Sources sources;
  for (const tmpl::Diagnostic& d : diagnostics) {
    if (!d.subject || d.subject->file.empty() || sources.contains(d.subject->file)) continue;
    if (auto text = read_file(d.subject->file)) sources[d.subject->file] = *text;
  }
  return sources;
}

/// The store's own key for hashing sensitive values.
Result<std::string> seal_key(store::Store& store) {
  if (const auto record = TRY(store.read_record("seal", "key"))) return json_string(*record, "key");
  const std::string key = to_hex(random_bytes(32));
  TRY(store.write_record("seal", "key", {{"key", key}}));
  return key;
}

}  // namespace

fs::path store_path(const Environment& environment) {
  const std::string given = environment.get("KILN_STORE");
  return given.empty() ? cache_home(environment) / "store" : fs::path(given);
}

fs::path downloads_path(const Environment& environment) {
  const std::string given = environment.get("KILN_DOWNLOADS");
  return given.empty() ? cache_home(environment) / "downloads" : fs::path(given);
}

void print(const Args& args, const tmpl::Diagnostics& diagnostics, const tmpl::Template& from) {
  const tmpl::Sources sources = sources_of(diagnostics);
  const event::SecretMask mask(from.secrets);
  for (const tmpl::Diagnostic& d : diagnostics) complain(args, mask.mask(tmpl::render(d, sources)));
}

namespace {

tmpl::LoadOptions load_options(const Args& args) {
  tmpl::LoadOptions options{.path = args.template_path,
                            .vars = args.vars,
                            .var_files = args.var_files,
                            .only = args.only,
                            .except = args.except};
  options.warn_on_undeclared =
      args.warn_on_undeclared_var || (args.command == "validate" && !args.no_warn_undeclared_var);
  return options;
}

tmpl::World template_world(const Environment& environment) {
  return {.read_file = [](const fs::path& path) { return read_file(path); },
          .env = environment.variables,
          .cwd = environment.cwd,
          .now = unix_now()};
}

}  // namespace

std::optional<tmpl::Template> load_template(const Args& args, const Environment& environment, const Cancel& cancel) {
  tmpl::World world = template_world(environment);
  if (args.command != "validate" || args.evaluate_datasources) world.outside = make_outside(environment, cancel);
  tmpl::Loaded loaded = tmpl::load(load_options(args), world);
  complain(args, loaded.diagnostics, loaded.sources);
  if (tmpl::has_errors(loaded.diagnostics)) return std::nullopt;
  return std::move(loaded.result);
}

namespace {

bool parses_in(const Args& args, const tmpl::World& world) {
  const tmpl::Loaded loaded = tmpl::check_syntax(load_options(args), world);
  complain(args, loaded.diagnostics, loaded.sources);
  return !tmpl::has_errors(loaded.diagnostics);
}

}  // namespace

bool parses(const Args& args, const Environment& environment) {
  return parses_in(args, template_world(environment));
}

bool parses(const Args& args, const Environment& environment, const std::string& text) {
  tmpl::World world = template_world(environment);
  world.read_file = [&text](const fs::path&) { return Result<std::string>(text); };
  return parses_in(args, world);
}

std::optional<tmpl::Overview> load_overview(const Args& args, const Environment& environment) {
  tmpl::Overview overview = tmpl::look_at(load_options(args), template_world(environment));
  complain(args, overview.diagnostics, overview.sources);
  if (tmpl::has_errors(overview.diagnostics)) return std::nullopt;
  return overview;
}

std::string new_uuid() {
  std::string raw = random_bytes(16);
  raw[6] = static_cast<char>((raw[6] & 0x0F) | 0x40);
  raw[8] = static_cast<char>((raw[8] & 0x3F) | 0x80);
  const std::string hex = to_hex(raw);
  return fmt::format("{}-{}-{}-{}-{}", hex.substr(0, 8), hex.substr(8, 4), hex.substr(12, 4), hex.substr(16, 4),
                     hex.substr(20));
}

steps::Settings make_settings(const Args& args, const Environment& environment) {
  steps::Settings settings;
  settings.machine = steps::borrow_machine(environment.variables);
  settings.environment = environment.variables;
  settings.cwd = environment.cwd;
  settings.output_dir = environment.cwd / (args.output.empty() ? "out" : args.output);
  settings.downloads = downloads_path(environment);
  settings.local = args.local;
  settings.force = args.force;
  settings.check = args.check;
  settings.no_earlier_disks = args.no_cache || args.fresh_disks;
  settings.strict = args.strict;
  settings.refresh = args.refresh;
  settings.no_network = args.network == "none";
  settings.keep = args.keep;
  settings.threads = std::max(1U, std::thread::hardware_concurrency());
  settings.run_id = new_uuid();
  std::error_code ec;
  const fs::path given(args.template_path);
  const fs::path root = fs::is_directory(given, ec) ? given : given.parent_path();
  settings.lock_file = environment.cwd / root / "kiln.lock.json";
  settings.write_lock = args.lock;
  return settings;
}

plan::Surroundings make_surroundings(const Args& args, const Environment& environment, const steps::Settings& settings,
                                     store::Store& store, const Cancel& cancel) {
  plan::Surroundings world;
  world.file_digest = [&store](const fs::path& path) { return store.file_digest(path); };
  world.pin_base = [&store, &settings, &cancel](const plan::BaseRef& ref, const std::string& fingerprint) {
    return steps::pin_base(ref, fingerprint, store, settings, cancel);
  };
  world.seal = [&store](std::string_view value) {
    auto key = seal_key(store);
    return to_hex(key ? hmac_sha256(*key, value) : random_bytes(32));  // without a key nothing is found again
  };
  world.cwd = environment.cwd;
  world.output_dir = settings.output_dir;
  world.run_id = settings.run_id;
  world.output_dir_given = !args.output.empty() || args.local;
  world.local = args.local;
  world.network = args.network;
  world.strict = args.strict;
  world.allow_privileged = args.allow_privileged;
  world.keep = args.keep;
  world.disk_formats = disk_formats();
  return world;
}

std::vector<plan::DiskFormat> disk_formats() {
  std::vector<plan::DiskFormat> formats;
  for (const image::DiskFormat& format : image::disk_formats())
    formats.push_back({std::string(format.name), std::string(format.suffix)});
  return formats;
}

Result<std::optional<Planned>> plan_template(const Args& args, const Environment& environment, const Cancel& cancel) {
  auto from = load_template(args, environment, cancel);
  if (!from) return std::optional<Planned>();
  store::Store store = TRY(store::Store::open(store_path(environment)));
  steps::Settings settings = make_settings(args, environment);
  tmpl::Diagnostics diagnostics;
  auto plan = plan::make_plan(*from, make_surroundings(args, environment, settings, store, cancel), diagnostics);
  print(args, diagnostics, *from);
  if (!plan) return std::optional<Planned>();
  return std::optional(Planned{std::move(*from), std::move(store), std::move(settings), std::move(*plan)});
}

engine::Options engine_options(const Args& args, const steps::Settings& settings) {
  engine::Options options;
  options.parallel_builds = args.debug ? 1 : args.parallel_builds;
  options.max_running = std::max(2U, settings.threads);
  options.no_cache = args.no_cache || args.check;
  options.no_cache_filter = args.no_cache_filter;
  if (args.on_error == "abort") {
    options.on_error = [](const plan::Step&, const Error&) { return engine::OnError::abort; };
  }
  return options;
}

}  // namespace kiln::cli
