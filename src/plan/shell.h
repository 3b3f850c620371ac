// The shell provisioner's command line, as Packer makes it: variables, path, execute_command.
#pragma once

#include "plan/plan.h"

namespace kiln::plan {

struct RenderedCommand {
  std::string text;           // for /bin/sh -c
  std::string env_file_path;  // use_env_var_file: where the variables stand; else empty
  std::string env_file;
};

/// {{.Vars}}, {{.Path}} and {{.EnvVarFile}} replaced. Variables are K='V' with quotes escaped, sorted by name.
RenderedCommand render_command(const RunStep& step);

/// The words of a shell-local command for one script: {{.Vars}}, {{.Script}} and {{.Command}} replaced.
std::vector<std::string> render_host_command(const HostStep& step, const std::string& script);

/// A text with each {{.Name}} of values replaced; other names stay.
std::string fill_names(std::string_view text, const std::map<std::string, std::string>& values);

/// Names in an execute_command that are none of the three; for diagnostics.
std::vector<std::string> unknown_placeholders(const std::string& execute_command);

}  // namespace kiln::plan
