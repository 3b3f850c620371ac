// Image configurations, and Docker's instructions applied to them: the first line is JSON, the others are instructions.
#include "base/text.h"
#include "fuzz/harness.h"
#include "image/image.h"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace kiln;
  auto lines = split(std::string(fuzz::text_of(data, size)), '\n');
  image::Config config;
  if (const auto value = parse_json(lines.front())) {
    if (auto parsed = image::parse_config(*value)) config = std::move(*parsed);
  }
  lines.erase(lines.begin());
  (void)image::apply_changes(config, lines);
  auto texts = image::image_texts({.config = config, .history = {}, .layers = {}, .tags = {}});
  if (texts) fuzz::must(bool{parse_json(texts->config)});
  return 0;
}
