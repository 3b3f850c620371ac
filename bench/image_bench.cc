// Compresses a directory as kiln compresses a layer, for bench/layer_gzip.sh. Prints seconds and bytes.
//   image_bench TREE OUT [THREADS]
#include <fcntl.h>

#include <cstdio>
#include <cstdlib>
#include <thread>

#include "image/image.h"

namespace {

kiln::Result<> run(const char* tree, const char* out, unsigned threads) {
  const kiln::Fd file(::open(out, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644));
  if (!file) return kiln::sys_error("open {}", out);
  kiln::FdSink sink(file.get());
  const kiln::Cancel cancel;
  const auto start = kiln::Clock::now();
  const auto made = TRY(kiln::image::compress_layer(tree, sink, threads, cancel));
  const auto ms = kiln::ms_since(start);
  fmt::print("seconds {:.2f} tar_bytes {} gzip_bytes {} entries {} diff_id {} blob {}\n", double(ms) / 1000,
             made.tar.bytes, made.bytes, made.tar.entries, made.tar.diff_id.text(), made.blob.text());
  return {};
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) {
    fmt::print(stderr, "use: image_bench TREE OUT [THREADS]\n");
    return 2;
  }
  const unsigned threads = argc > 3 ? unsigned(std::atoi(argv[3])) : std::thread::hardware_concurrency();
  const auto done = run(argv[1], argv[2], threads);
  if (!done) fmt::print(stderr, "{}\n", done.error().text());
  return done ? 0 : 1;
}
