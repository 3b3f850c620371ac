// A world for tests and harnesses in which nothing but one file exists.
#pragma once

#include "template/template.h"

namespace kiln::tmpl {

inline World world_of(std::string name, std::string text) {
  return {.read_file = [name = std::move(name), text = std::move(text)](const fs::path& path) -> Result<std::string> {
            if (path.filename() == name) return text;
            return error(Errc::not_found, "{}", path);
          },
          .env = {{"HOME", "/root"}},
          .cwd = "/t",
          .now = 1'700'000'000,
          .file_kind = [](const fs::path&) -> Result<FileKind> { return FileKind::missing; },
          .list_names = [](const fs::path&) -> Result<std::vector<std::string>> { return std::vector<std::string>(); }};
}

}  // namespace kiln::tmpl
