// What the harnesses of templates share: a world in which nothing but one file exists.
#pragma once

#include "fuzz/harness.h"
#include "template/template.h"

namespace kiln::fuzz {

inline tmpl::World world_of(std::string name, std::string text) {
  return {.read_file = [name = std::move(name), text = std::move(text)](const fs::path& path) -> Result<std::string> {
            if (path.filename() == name) return text;
            return error(Errc::not_found, "{}", path);
          },
          .env = {{"HOME", "/root"}},
          .cwd = "/work",
          .now = 1'700'000'000,
          .file_kind = [](const fs::path&) -> Result<tmpl::FileKind> { return tmpl::FileKind::missing; },
          .list_names = [](const fs::path&) -> Result<std::vector<std::string>> { return std::vector<std::string>(); },
          .max_steps = 100'000};  // what loops do not teach more of
}

/// Loads the text as a template of this name and writes down what is wrong with it.
inline void load(const std::string& name, std::string text) {
  const tmpl::Loaded loaded = tmpl::load({.path = name}, world_of(name, std::move(text)));
  for (const tmpl::Diagnostic& d : loaded.diagnostics) (void)tmpl::render(d, loaded.sources);
  must(loaded.result || tmpl::has_errors(loaded.diagnostics));
}

}  // namespace kiln::fuzz
