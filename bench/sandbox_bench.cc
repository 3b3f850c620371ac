// What a step costs beyond its own work: preparing, namespaces, mounts, start, end, collecting. Removing the scratch
// directory is the store's and not counted, except in the last case: on a file system that discards at once it costs
// more than the rest.
#include <benchmark/benchmark.h>
#include <sys/stat.h>

#include "base/file.h"
#include "sandbox/sandbox.h"

namespace {

using namespace kiln;

/// A tree with busybox below a scratch directory.
Result<fs::path> make_base(const fs::path& dir) {
  const fs::path base = dir / "base";
  TRY(make_dirs(base / "bin"));
  TRY(make_dirs(base / "etc"));
  std::error_code ec;
  fs::copy_file("/bin/busybox", base / "bin/busybox", ec);
  if (!ec) fs::create_symlink("busybox", base / "bin/sh", ec);
  if (ec) return errno_error(ec.value(), "copy /bin/busybox (package busybox-static)");
  return base;
}

Result<> one_step(const TempDir& scratch, const std::vector<fs::path>& lowers, bool collected) {
  sandbox::RunSpec spec;
  spec.lowers = lowers;
  spec.scratch = scratch.path();
  spec.action = sandbox::Exec{.argv = {"/bin/sh", "-c", "echo x > /etc/x"}};
  spec.env = {{"PATH", "/bin"}};
  spec.stubs = {{"/etc/resolv.conf", "nameserver 192.0.2.1\n"}, {"/etc/hosts", "127.0.0.1 localhost kiln\n"}};
  const auto result = TRY(sandbox::run(spec, Cancel()));
  if (result.exit_code != 0) return error(Errc::step_failed, "exit code {}", result.exit_code);
  if (!collected) return {};
  const auto report = TRY(sandbox::collect({.upper = spec.scratch / "upper",
                                            .lowers = lowers,
                                            .stubs = spec.stubs,
                                            .clock = 1'600'000'000,
                                            .tree = spec.scratch / "tree",
                                            .volatile_tree = spec.scratch / "volatile"}));
  if (report.empty) return error(Errc::io, "nothing was collected");
  return {};
}

enum class Until : std::uint8_t { run, collected, removed };

void step(benchmark::State& state, std::size_t layers, Until until) {
  const auto dir = TempDir::create(fs::temp_directory_path(), "kiln-bench");
  if (!dir) return state.SkipWithError(dir.error().text().c_str());
  const auto base = make_base((*dir).path());
  if (!base) return state.SkipWithError(base.error().text().c_str());
  std::vector<fs::path> lowers = {*base};
  for (std::size_t i = 1; i < layers; ++i) {
    lowers.push_back((*dir).path() / std::to_string(i));
    (void)make_dirs(lowers.back());
  }
  for (auto _ : state) {
    auto scratch = TempDir::create((*dir).path(), "step");
    if (!scratch) return state.SkipWithError(scratch.error().text().c_str());
    const auto done = one_step(*scratch, lowers, until != Until::run);
    if (!done) return state.SkipWithError(done.error().text().c_str());
    if (until != Until::removed) state.PauseTiming();
    (void)remove_tree((*scratch).release());
    if (until != Until::removed) state.ResumeTiming();
  }
}

BENCHMARK_CAPTURE(step, run, 1, Until::run)->Unit(benchmark::kMillisecond)->UseRealTime();
BENCHMARK_CAPTURE(step, run_and_collect, 1, Until::collected)->Unit(benchmark::kMillisecond)->UseRealTime();
BENCHMARK_CAPTURE(step, run_and_collect_10_layers, 10, Until::collected)->Unit(benchmark::kMillisecond)->UseRealTime();
BENCHMARK_CAPTURE(step, run_and_collect_100_layers, 100, Until::collected)
    ->Unit(benchmark::kMillisecond)
    ->UseRealTime();
BENCHMARK_CAPTURE(step, run_collect_and_remove, 1, Until::removed)->Unit(benchmark::kMillisecond)->UseRealTime();

}  // namespace

BENCHMARK_MAIN();
