// Unpacking of a layer, compressed or not, into a directory: nothing may come to lie outside it.
#include "fuzz/unpacked.h"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace kiln;
  const fs::path tree = fuzz::place() / "outer/tree";
  fs::create_directories(tree);
  StringSource source(fuzz::text_of(data, size));
  const image::Limits limits = fuzz::small_limits();
  const Cancel cancel;
  auto layer = image::unpack_layer(source, tree, limits, cancel);
  if (layer) fuzz::must(layer->facts.bytes <= limits.layer_bytes && layer->blob_bytes <= size);
  fuzz::must_have_stayed_in(tree, bool{layer});
  return 0;
}
