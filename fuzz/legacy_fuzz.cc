// Old JSON templates. An input without a first '{' is a string in one, for the template engine.
#include "fuzz/templates.h"
#include "template/upgrade.h"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace kiln;
  std::string text(fuzz::text_of(data, size));
  if (!text.starts_with('{')) {
    const Json whole{{"variables", {{"x", "1"}}},
                     {"builders", Json::array({{{"type", "file"}, {"target", "t"}, {"content", text}}})}};
    text = whole.dump(-1, ' ', false, Json::error_handler_t::replace);
  }
  fuzz::load("t.json", text);
  const tmpl::Upgraded upgraded = tmpl::upgraded_template("t.json", text, true);
  fuzz::must(!upgraded.text.empty() || tmpl::has_errors(upgraded.diagnostics));
  return 0;
}
