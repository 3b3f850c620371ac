// Event logs: what can be read can be written, and reads the same again.
#include "base/text.h"
#include "event/json.h"
#include "fuzz/harness.h"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace kiln;
  for (const std::string& line : split(std::string(fuzz::text_of(data, size)), '\n')) {
    const auto event = event::parse_event(line);
    if (!event) continue;
    const std::string once = event::render_event(*event);
    const auto again = event::parse_event(once);
    fuzz::must(again && event::render_event(*again) == once);
  }
  return 0;
}
