// Writes layers as a disk without boot loader, for bench/disk.sh and by hand. Prints sizes and peak memory.
//   disk_bench FORMAT OUT THREADS LAYER...      (oldest first)
#include <sys/resource.h>

#include <cstdio>
#include <cstdlib>

#include "image/disk.h"

namespace {

namespace image = kiln::image;

kiln::Result<> run(const char* name, const char* out, unsigned threads, std::vector<kiln::fs::path> layers) {
  const image::DiskFormat* format = TRY(image::find_disk_format(name));
  image::DiskSpec spec{.layers = std::move(layers), .seed = kiln::sha256("bench"), .bios = false, .efi = false};
  spec.root_uuid = image::derive_uuid(spec.seed, "root");
  const image::Disk disk = TRY(image::lay_out_disk(spec));
  const kiln::Cancel cancel;
  const auto file_bytes = TRY(image::write_disk_file(disk, *format, out, {.threads = threads, .cancel = cancel}));
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  fmt::print("disk_bytes {} data_bytes {} file_bytes {} rss_kib {}\n", disk.image.bytes, disk.data_bytes(), file_bytes,
             usage.ru_maxrss);
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
