// Debian's Packer (1.6.6) as the judge of expressions.
#pragma once

#include <cstdlib>
#include <optional>
#include <string>

#include "base/file.h"
#include "base/process.h"

namespace kiln::tmpl {

/// What `packer console` prints for one line (its input must be a pipe); nothing when there is no Packer.
inline std::optional<std::string> packer_console(const std::string& line) {
  const auto dir = TempDir::create(fs::temp_directory_path(), "console");
  if (!dir || !write_file_quick((*dir).path() / "in", line + "\n")) return std::nullopt;
  const char* path = std::getenv("PATH");
  const ProcessSpec spec{
      .argv = {"sh", "-c", "cat in | packer console --config-type=hcl2"},
      .env = {{"PATH", path ? path : "/usr/bin:/bin"}, {"CHECKPOINT_DISABLE", "1"}, {"HOME", (*dir).path()}},
      .cwd = (*dir).path(),
      .timeout = Duration(300'000)};
  std::string out;
  const auto done = run_process(spec, Cancel(), [&](std::string_view text, bool) { out += std::string(text) + "\n"; });
  if (!done || (*done).exit_code == 127) return std::nullopt;
  return out;
}

}  // namespace kiln::tmpl
