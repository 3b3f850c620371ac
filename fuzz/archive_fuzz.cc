// docker-archive and oci-archive: the outer tar, its documents, and the layers that they name.
#include "fuzz/harness.h"
#include "image/image.h"

namespace {

using namespace kiln;

void read_layers(const image::SourceImage& image) {
  for (const image::SourceLayer& layer : image.layers) {
    const auto source = layer.open();
    if (!source) continue;
    std::byte buffer[4096];
    for (std::size_t total = 0; total < (1 << 20);) {
      const auto n = (*source)->read(buffer);
      if (!n || *n == 0) break;
      total += *n;
    }
  }
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const fs::path file = fuzz::place() / "archive.tar";
  fuzz::must(bool{write_file_quick(file, fuzz::text_of(data, size))});
  if (const auto image = image::open_docker_archive(file, "")) read_layers(*image);
  if (const auto image = image::open_oci_archive(file, "")) read_layers(*image);
  return 0;
}
