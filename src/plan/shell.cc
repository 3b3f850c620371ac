#include "plan/shell.h"

#include "base/text.h"

namespace kiln::plan {

namespace {

/// 'V' with every ' written as '"'"', as Packer quotes values.
std::string quoted(const std::string& value) {
  return "'" + replace_all(value, "'", "'\"'\"'") + "'";
}

/// Calls on_name for each {{ .Name }} and builds the text from what it returns.
template <class F>
std::string expand(std::string_view text, F&& on_name) {
  std::string out;
  for (;;) {
    const std::size_t open = text.find("{{");
    const std::size_t close = open == std::string_view::npos ? open : text.find("}}", open);
    if (close == std::string_view::npos) return out.append(text);
    out += text.substr(0, open);
    std::string_view name = text.substr(open + 2, close - open - 2);
    if (name.starts_with('-')) name.remove_prefix(1);
    if (name.ends_with('-')) name.remove_suffix(1);
    out += on_name(trim(name));
    text.remove_prefix(close + 2);
  }
}

std::string env_file_text(const RunStep& step) {
  std::string text;
  for (const EnvVar& var : step.env) text += fmt::format("export {}={}\n", var.name, quoted(var.value));
  return text;
}

}  // namespace

std::string fill_names(std::string_view text, const std::map<std::string, std::string>& values) {
  return expand(text, [&](std::string_view name) {
    const auto value = name.starts_with('.') ? values.find(std::string(name.substr(1))) : values.end();
    return value == values.end() ? "{{" + std::string(name) + "}}" : value->second;
  });
}

RenderedCommand render_command(const RunStep& step) {
  RenderedCommand command;
  std::string vars;
  if (step.use_env_var_file) {
    command.env_file_path = "/tmp/varfile";
    command.env_file = env_file_text(step);
    vars = ". " + command.env_file_path + " && ";
  } else {
    for (const EnvVar& var : step.env) vars += fmt::format("{}={} ", var.name, quoted(var.value));
  }
  command.text = fill_names(step.execute_command,
                            {{"Vars", vars}, {"Path", step.remote_path}, {"EnvVarFile", command.env_file_path}});
  return command;
}

std::vector<std::string> render_host_command(const HostStep& step, const std::string& script) {
  std::string vars;
  for (const EnvVar& var : step.env) {
    const std::string value = replace_all(var.value, "'", "'\"'\"'");
    const std::size_t name_at = step.env_var_format.find("%s");
    const std::size_t value_at = name_at == std::string::npos ? name_at : step.env_var_format.find("%s", name_at + 2);
    if (value_at == std::string::npos) continue;
    vars += step.env_var_format.substr(0, name_at) + var.name +
            step.env_var_format.substr(name_at + 2, value_at - name_at - 2) + value +
            step.env_var_format.substr(value_at + 2);
  }
  std::vector<std::string> words;
  for (const std::string& word : step.execute) {
    words.push_back(fill_names(word, {{"Vars", vars}, {"Script", script}, {"Command", script}}));
  }
  return words;
}

std::vector<std::string> unknown_placeholders(std::string_view execute_command) {
  std::vector<std::string> unknown;
  (void)expand(execute_command, [&](std::string_view name) -> std::string {
    if (name != ".Vars" && name != ".Path" && name != ".EnvVarFile") unknown.emplace_back(name);
    return {};
  });
  return unknown;
}

}  // namespace kiln::plan
