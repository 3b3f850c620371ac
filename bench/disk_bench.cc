// Writes layers as a disk without boot loader, for bench/disk.sh and by hand. Prints sizes and peak memory.
//   disk_bench FORMAT[,FORMAT...] OUT THREADS LAYER...      (oldest first)
// Several formats are written in one pass, as OUT and the format's name: OUT.raw, OUT.qcow2-zlib.
#include <sys/resource.h>

#include <cstdio>
#include <cstdlib>

#include <fmt/ranges.h>

#include "image/disk.h"

namespace {

namespace image = kiln::image;

kiln::Result<std::vector<image::DiskTarget>> targets_of(std::string_view names, const std::string& out) {
  std::vector<image::DiskTarget> targets;
  const bool several = names.find(',') != std::string_view::npos;
  while (!names.empty()) {
    const std::string_view name = names.substr(0, names.find(','));
    names.remove_prefix(std::min(names.size(), name.size() + 1));
    const image::DiskFormat* format = TRY(image::find_disk_format(name));
    targets.push_back({format, several ? fmt::format("{}.{}", out, name) : out});
  }
  return targets;
}

kiln::Result<> run(std::string_view names, const std::string& out, unsigned threads,
                   std::vector<kiln::fs::path> layers) {
  const std::vector<image::DiskTarget> targets = TRY(targets_of(names, out));
  image::DiskSpec spec{.layers = std::move(layers), .seed = kiln::sha256("bench"), .bios = false, .efi = false};
  spec.root_uuid = image::derive_uuid(spec.seed, "root");
  const image::Disk disk = TRY(image::lay_out_disk(spec));
  const kiln::Cancel cancel;
  const auto sizes = TRY(image::write_disk_files(disk, targets, {.threads = threads, .cancel = cancel}));
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  fmt::print("disk_bytes {} data_bytes {} file_bytes {} rss_kib {}\n", disk.image.bytes, disk.data_bytes(),
             fmt::join(sizes, ","), usage.ru_maxrss);
  return {};
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 5) {
    fmt::print(stderr, "use: disk_bench FORMAT OUT THREADS LAYER...\n");
    return 2;
  }
  const auto threads = static_cast<unsigned>(std::strtoul(argv[3], nullptr, 10));
  const auto done = run(argv[1], argv[2], threads, {argv + 4, argv + argc});
  if (!done) fmt::print(stderr, "{}\n", done.error().text());
  return done ? 0 : 1;
}
