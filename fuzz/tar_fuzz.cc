// The reader of tars: every member and its data, whatever the headers say.
#include "fuzz/harness.h"
#include "image/tar_reader.h"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace kiln;
  StringSource source(fuzz::text_of(data, size));
  image::TarReader reader(source);
  for (;;) {
    const auto member = reader.next();
    if (!member || !*member) return 0;
    std::byte buffer[4096];
    for (;;) {
      const auto n = reader.read(buffer);
      if (!n) return 0;
      if (*n == 0) break;
      fuzz::must(*n <= sizeof buffer);
    }
    fuzz::must(reader.position() <= size);
  }
}
