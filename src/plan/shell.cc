#include "plan/shell.h"

#include <utility>

#include "base/text.h"
#include "template/engine.h"

namespace kiln::plan {

namespace {

/// A variable by a format with two %s: its name and its value, of which the quotes are up to the format.
std::string formatted(const std::string& format, const EnvVar& var) {
  const std::string value = replace_all(var.value, "'", "'\"'\"'");
  const std::size_t name_at = format.find("%s");
  const std::size_t value_at = name_at == std::string::npos ? name_at : format.find("%s", name_at + 2);
  if (value_at == std::string::npos) return {};
  return format.substr(0, name_at) + var.name + format.substr(name_at + 2, value_at - name_at - 2) + value +
         format.substr(value_at + 2);
}

/// All of them, each by the step's format or Packer's own.
std::string all_formatted(const RunStep& step) {
  std::string format = step.env_var_format;
  if (format.empty()) format = step.use_env_var_file ? "export %s='%s'\n" : "%s='%s' ";
  std::string text;
  for (const EnvVar& var : step.env) text += formatted(format, var);
  return text;
}

}  // namespace

std::string fill_names(std::string_view text, const std::map<std::string, std::string>& values) {
  const auto filled = tmpl::engine_text(std::string(text), values);
  return filled ? *filled : std::string(text);
}

RenderedCommand render_command(const RunStep& step) {
  RenderedCommand command;
  std::string vars = all_formatted(step);
  if (step.use_env_var_file) {
    command.env_file_path = "/tmp/varfile";
    command.env_file = std::exchange(vars, ". " + command.env_file_path + " && ");
  }
  command.text = fill_names(step.execute_command,
                            {{"Vars", vars}, {"Path", step.remote_path}, {"EnvVarFile", command.env_file_path}});
  return command;
}

std::vector<std::string> render_host_command(const HostStep& step, const std::string& script) {
  std::string vars;
  for (const EnvVar& var : step.env) vars += formatted(step.env_var_format, var);
  std::vector<std::string> words;
  for (const std::string& word : step.execute) {
    words.push_back(fill_names(word, {{"Vars", vars}, {"Script", script}, {"Command", script}}));
  }
  return words;
}

std::vector<std::string> unknown_placeholders(const std::string& execute_command) {
  std::vector<std::string> unknown = tmpl::engine_fields(execute_command);
  std::erase_if(unknown,
                [](const std::string& name) { return name == ".Vars" || name == ".Path" || name == ".EnvVarFile"; });
  return unknown;
}

}  // namespace kiln::plan
