// Unpacking of a layer, compressed or not, into a directory: nothing may come to lie outside it.
#include "fuzz/harness.h"
#include "image/image.h"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace kiln;
  const fs::path outer = fuzz::place() / "outer", tree = outer / "tree";
  fs::create_directories(tree);
  StringSource source(fuzz::text_of(data, size));
  image::Limits limits;
  limits.layer_bytes = 1 << 20;
  limits.entries = 200;
  const Cancel cancel;
  auto layer = image::unpack_layer(source, tree, limits, cancel);
  if (layer) {
    fuzz::must(layer->facts.bytes <= limits.layer_bytes && layer->blob_bytes <= size);
    fuzz::must(bool{image::measure_layer(tree)});  // what was taken in can be written again
  }
  std::size_t beside = 0;
  for (const auto& entry : fs::directory_iterator(outer)) beside += entry.path() == tree ? 0 : 1;
  fuzz::must(beside == 0);
  fuzz::must(bool{remove_tree(tree)});
  return 0;
}
