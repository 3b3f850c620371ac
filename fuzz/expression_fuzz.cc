// Expressions as the console reads them: tokens, syntax, values with every function, and their texts.
#include "fuzz/templates.h"
#include "template/console.h"
#include "template/format.h"
#include "template/overview.h"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace kiln;
  const std::string text(fuzz::text_of(data, size));
  static const tmpl::Overview nothing = tmpl::look_at({}, fuzz::world_of({}, {}));
  tmpl::Diagnostics problems;
  tmpl::Sources texts;
  const std::optional<tmpl::Value> value = nothing.evaluate(text, problems, texts);
  fuzz::must(value || tmpl::has_errors(problems));
  if (value) (void)tmpl::console_text(*value);
  for (const tmpl::Diagnostic& d : problems) (void)tmpl::render(d, texts);
  (void)tmpl::formatted(text);
  return 0;
}
