// Makes an ext4 file system from layers, for bench/ext4.sh and by hand. Prints seconds and sizes. 0 bytes: as many as
// the tree needs.
//   ext4_bench OUT BYTES LAYER...      (oldest first)
#include <fcntl.h>
#include <sys/resource.h>

#include <cstdio>
#include <cstdlib>

#include "image/disk/ext4.h"

namespace {

namespace image = kiln::image;

kiln::Result<> run(const char* out, std::uint64_t bytes, const std::vector<kiln::fs::path>& layers) {
  const auto start = kiln::Clock::now();
  const auto tree = std::make_shared<const image::Ext4Tree>(TRY(image::scan_tree(layers, {})));
  const auto scanned = kiln::ms_since(start);
  const auto seed = kiln::sha256("bench");
  image::Ext4Spec spec{.bytes = bytes, .uuid = image::derive_uuid(seed, "root")};
  spec.hash_seed = image::derive_uuid(seed, "hash");
  if (bytes == 0) spec.bytes = TRY(image::ext4_bytes_needed(*tree));
  const image::BlockImage fs = TRY(image::lay_out_ext4(tree, spec)).image;
  const auto laid_out = kiln::ms_since(start);
  const kiln::Fd file(::open(out, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644));
  if (!file) return kiln::sys_error("open {}", out);
  kiln::FdSink sink(file.get());
  const kiln::Cancel cancel;
  TRY(fs.pour(sink, cancel));
  TRY(sink.finish());
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  fmt::print("seconds {:.2f} scan_ms {} layout_ms {} bytes {} content_bytes {} inodes {} extents {} rss_kib {}\n",
             double(kiln::ms_since(start)) / 1000, scanned, laid_out - scanned, fs.bytes, tree->content_bytes(),
             tree->inodes(), fs.data.size(), usage.ru_maxrss);
  return {};
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 4) {
    fmt::print(stderr, "use: ext4_bench OUT BYTES LAYER...\n");
    return 2;
  }
  const auto done = run(argv[1], std::strtoull(argv[2], nullptr, 10), {argv + 3, argv + argc});
  if (!done) fmt::print(stderr, "{}\n", done.error().text());
  return done ? 0 : 1;
}
