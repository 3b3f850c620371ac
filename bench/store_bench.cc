// What the store costs a build in which nothing changed: opening it and looking up a hundred steps.
#include <benchmark/benchmark.h>

#include "store/store.h"

namespace kiln::store {
namespace {

constexpr int kSteps = 100;

fs::path filled_store(const fs::path& parent) {
  auto store = Store::open(parent / "store").take();
  for (int i = 0; i < kSteps; ++i) {
    const Scratch scratch = store.scratch("step").take();
    if (!make_dirs(scratch.path() / "upper")) std::abort();
    Layer layer;
    layer.id = sha256("layer " + std::to_string(i));
    const auto key = sha256("key " + std::to_string(i));
    if (!store.add_layer(scratch.path() / "upper", layer, "step") || !store.put_result(key, {layer.id, {}, {}}) ||
        !store.write_record("description", key.hex(), Json{{"text", std::string(500, 'x')}})) {
      std::abort();
    }
  }
  return parent / "store";
}

void open_store(benchmark::State& state) {
  const auto dir = TempDir::create(fs::temp_directory_path(), "bench").take();
  const fs::path root = filled_store(dir.path());
  for (auto _ : state) benchmark::DoNotOptimize(Store::open(root).ok());
}
BENCHMARK(open_store)->Unit(benchmark::kMicrosecond);

void open_and_look_up_100_steps(benchmark::State& state) {
  const auto dir = TempDir::create(fs::temp_directory_path(), "bench").take();
  const fs::path root = filled_store(dir.path());
  for (auto _ : state) {
    auto store = Store::open(root).take();
    for (int i = 0; i < kSteps; ++i) {
      const auto key = sha256("key " + std::to_string(i));
      const auto result = store.find_result(key).take();
      if (!result || !*store.find_layer(result->layer) || !*store.read_record("description", key.hex())) std::abort();
    }
  }
}
BENCHMARK(open_and_look_up_100_steps)->Unit(benchmark::kMicrosecond);

void add_layer_and_result(benchmark::State& state) {
  const auto dir = TempDir::create(fs::temp_directory_path(), "bench").take();
  auto store = Store::open(filled_store(dir.path())).take();
  std::uint64_t i = 0;
  for (auto _ : state) {
    const Scratch scratch = store.scratch("step").take();
    if (!make_dirs(scratch.path() / "upper")) std::abort();
    Layer layer;
    layer.id = sha256("more " + std::to_string(++i));
    if (!store.add_layer(scratch.path() / "upper", layer, "step")) std::abort();
    if (!store.put_result(layer.id, {layer.id, {}, {}})) std::abort();
  }
}
BENCHMARK(add_layer_and_result)->Unit(benchmark::kMicrosecond);

void digests_of_known_files(benchmark::State& state) {
  const auto dir = TempDir::create(fs::temp_directory_path(), "bench").take();
  std::vector<fs::path> files;
  for (const auto& file : fs::recursive_directory_iterator("/usr/include")) {
    if (file.is_regular_file()) files.push_back(file.path());
    if (files.size() == static_cast<std::size_t>(state.range(0))) break;
  }
  auto first = Store::open(dir.path() / "store").take();
  for (const fs::path& file : files) {
    if (!first.file_digest(file)) std::abort();
  }
  if (!first.flush()) std::abort();
  for (auto _ : state) {
    auto store = Store::open(dir.path() / "store").take();
    for (const fs::path& file : files) benchmark::DoNotOptimize(store.file_digest(file).ok());
  }
}
BENCHMARK(digests_of_known_files)->Arg(12)->Arg(5000)->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace kiln::store

BENCHMARK_MAIN();
