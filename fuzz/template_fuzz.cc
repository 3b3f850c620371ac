// Templates: parsing, evaluation and rendering of diagnostics. A first byte of '{' makes it the JSON form.
#include "fuzz/harness.h"
#include "template/template.h"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace kiln;
  const std::string text(fuzz::text_of(data, size));
  const std::string name = text.starts_with('{') ? "t.pkr.json" : "t.pkr.hcl";
  const tmpl::World world{
      .read_file = [&](const fs::path& path) -> Result<std::string> {
        if (path.filename() == name) return text;
        return error(Errc::not_found, "{}", path);
      },
      .env = {{"HOME", "/root"}},
      .cwd = "/work",
      .now = 1'700'000'000,
      .file_kind = [](const fs::path&) -> Result<tmpl::FileKind> { return tmpl::FileKind::missing; },
      .list_names = [](const fs::path&) -> Result<std::vector<std::string>> { return std::vector<std::string>(); }};
  const tmpl::Loaded loaded = tmpl::load({.path = name}, world);
  for (const tmpl::Diagnostic& d : loaded.diagnostics) (void)tmpl::render(d, loaded.sources);
  fuzz::must(loaded.result || tmpl::has_errors(loaded.diagnostics));
  return 0;
}
