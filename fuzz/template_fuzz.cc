// Templates: parsing, evaluation and rendering of diagnostics. A first byte of '{' makes it the JSON form.
#include "fuzz/templates.h"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(kiln::fuzz::text_of(data, size));
  kiln::fuzz::load(text.starts_with('{') ? "t.pkr.json" : "t.pkr.hcl", text);
  return 0;
}
