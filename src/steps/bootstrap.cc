// bootstrap:debian/SUITE: a base made from the distribution's signed archive by mmdebstrap, in mount and PID namespaces
// of its own, so that nothing of it outlives kiln. The machine's mirror is borrowed; the image gets the default
// sources.list.
#include <algorithm>
#include <ctime>

#include "base/process.h"
#include "base/text.h"
#include "steps/job.h"

namespace kiln::steps {

namespace {

struct Archive {
  std::string uri, release, component;
};

std::map<std::string, std::string> helper_env(const Settings& settings) {
  std::map<std::string, std::string> env = settings.machine.env;
  env["PATH"] = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
  env["LC_ALL"] = "C.UTF-8";
  env["HOME"] = "/nonexistent";
  return env;
}

/// Suite name as it may stand in a command and a path.
Result<std::string> suite_of(const std::string& location) {
  constexpr std::string_view kPrefix = "debian/";
  if (!location.starts_with(kPrefix)) {
    return error(Errc::bad_template, "bootstrap:{}: only bootstrap:debian/SUITE is there", location);
  }
  const std::string suite = location.substr(kPrefix.size());
  const bool plain = !suite.empty() && suite.size() <= 64 &&
                     std::all_of(suite.begin(), suite.end(),
                                 [](unsigned char c) { return std::islower(c) != 0 || std::isdigit(c) != 0; });
  if (!plain) return error(Errc::bad_template, "bootstrap:{}: '{}' is not a suite name", location, suite);
  return suite;
}

/// What the machine's apt is configured to use for the suite, its updates and its security archive.
Result<std::vector<Archive>> machine_archives(const std::string& suite, const Settings& settings,
                                              const Cancel& cancel) {
  std::vector<Archive> archives;
  const ProcessSpec spec{
      .argv = {"apt-get", "indextargets", "--format", "$(CREATED_BY)|$(REPO_URI)|$(RELEASE)|$(COMPONENT)"},
      .env = helper_env(settings)};
  const ProcessResult ran = TRY(run_process(spec, cancel, [&](std::string_view line, bool is_stderr) {
    const auto f = split(line, '|');
    if (is_stderr || f.size() != 4 || f[0] != "Packages" || f[3] != "main") return;
    if (f[2] == suite || f[2] == suite + "-updates" || f[2] == suite + "-security")
      archives.push_back({f[1], f[2], f[3]});
  }));
  if (ran.exit_code != 0) archives.clear();  // not an apt machine with sources: mmdebstrap's defaults serve
  return archives;
}

/// Seconds since 1970 of "Date: Sat, 11 Jul 2026 10:16:37 UTC" in a Release file, 0 if there is none.
std::int64_t release_date(const std::string& release) {
  const std::size_t at = release.find("\nDate: ");
  if (at == std::string::npos) return 0;
  std::tm tm{};
  const char* end = ::strptime(release.c_str() + at + 7, "%a, %d %b %Y %H:%M:%S", &tm);
  return end == nullptr ? 0 : static_cast<std::int64_t>(::timegm(&tm));
}

Result<std::string> fetch_release(const Archive& archive, const fs::path& dir, const Settings& settings,
                                  const Cancel& cancel) {
  const fs::path file = dir / archive.release;
  const std::string url =
      fmt::format("{}{}dists/{}/InRelease", archive.uri, archive.uri.ends_with('/') ? "" : "/", archive.release);
  std::string last;
  const ProcessSpec spec{.argv = {"/usr/lib/apt/apt-helper", "download-file", url, file.native()},
                         .env = helper_env(settings)};
  const ProcessResult ran = TRY(run_process(spec, cancel, [&](std::string_view line, bool is_stderr) {
    if (is_stderr && !trim(line).empty()) last = visible(line);
  }));
  if (ran.exit_code != 0) return error(Errc::network, "reading the archive's {} release: {}", archive.release, last);
  return read_file(file);
}

/// The mmdebstrap command; hooks put the machine's sources in and keep the default ones aside.
std::vector<std::string> command(const std::string& suite, const fs::path& tree, const fs::path& aside,
                                 bool own_sources) {
  std::vector<std::string> argv = {"unshare",
                                   "--mount",
                                   "--pid",
                                   "--fork",
                                   "--kill-child",
                                   "--mount-proc",
                                   "mmdebstrap",
                                   "--mode=root",
                                   "--variant=minbase",
                                   "--architectures=amd64",
                                   "--format=directory"};
  argv.push_back("--setup-hook=cp \"$1/etc/apt/sources.list\" " + shell_quote((aside / "default").native()));
  if (own_sources) {
    argv.push_back("--setup-hook=cp " + shell_quote((aside / "machine").native()) + " \"$1/etc/apt/sources.list\"");
  }
  argv.push_back(suite);
  argv.push_back(tree.native());
  return argv;
}

/// What mmdebstrap copies from the machine or leaves behind.
Result<> clean(const fs::path& tree, const fs::path& aside) {
  for (const char* path : {"etc/resolv.conf", "etc/hostname", "etc/apt/apt.conf.d/99mmdebstrap", "dev",
                           "var/lib/apt/lists", "etc/.pwd.lock"}) {
    TRY(remove_tree(tree / path));
  }
  for (const char* path : {"dev", "var/lib/apt/lists"}) TRY(make_dirs(tree / path));
  const std::string sources = TRY(read_file(aside / "default"));
  return write_file_quick(tree / "etc/apt/sources.list", sources);
}

}  // namespace

Result<Json> pin_bootstrap(const std::string& location, const Settings& settings, const Cancel& cancel) {
  const std::string suite = TRY(suite_of(location));
  const TempDir dir = TRY(TempDir::create(fs::temp_directory_path(), "kiln-pin"));
  Json pin = {{"suite", suite}, {"releases", Json::object()}};
  std::int64_t clock = 0;
  for (const Archive& archive : TRY(machine_archives(suite, settings, cancel))) {
    const std::string release = TRY(fetch_release(archive, dir.path(), settings, cancel));
    clock = std::max(clock, release_date(release));
    pin["releases"][archive.release] = sha256(release).text();
  }
  if (clock > 0) pin["clock"] = static_cast<std::uint64_t>(clock);
  return pin;
}

Result<engine::Outcome> run_bootstrap(const Job& job, const plan::BaseStep& what) {
  const Settings& settings = job.context.settings;
  const std::string suite = TRY(suite_of(what.ref.location));
  const store::Scratch scratch = TRY(job.context.store.scratch(job.step.label));
  const fs::path tree = scratch.path() / "upper";
  const fs::path aside = scratch.path() / "aside";
  TRY(make_dirs(aside));
  std::string sources;
  for (const Archive& a : TRY(machine_archives(suite, settings, job.cancel))) {
    sources += fmt::format("deb {} {} {}\n", a.uri, a.release, a.component);
  }
  TRY(write_file_quick(aside / "machine", sources));
  const std::uint64_t clock = json_uint(what.pin, "clock");
  ProcessSpec spec{.argv = command(suite, tree, aside, !sources.empty()), .env = helper_env(settings)};
  if (clock > 0) spec.env["SOURCE_DATE_EPOCH"] = std::to_string(clock);
  spec.env["TMPDIR"] = aside.native();
  std::string last;
  const ProcessResult ran = TRY(run_process(spec, job.cancel, [&](std::string_view line, bool is_stderr) {
                                  job.line(line, is_stderr);
                                  if (line.starts_with("E: ")) last = visible(line.substr(3));
                                }).context("bootstrap:{} needs mmdebstrap and unshare", what.ref.location));
  if (ran.exit_code != 0) return error(Errc::step_failed, "mmdebstrap ended with {}: {}", ran.exit_code, last);
  TRY(clean(tree, aside));
  sandbox::CollectSpec collect{.upper = tree};
  collect.clock = static_cast<std::int64_t>(clock);
  collect.tree = scratch.path() / "layer";
  collect.volatile_tree = scratch.path() / "volatile";
  TRY(sandbox::collect(collect).context("collecting the base"));
  engine::Outcome outcome;
  outcome.result = TRY(keep_layer(job.context, collect.tree, job.step.label));
  outcome.result.facts = {{"clock", clock}, {"identity", what.ref.text}, {"env", Json::object()}};
  return outcome;
}

}  // namespace kiln::steps
