// shell-local: commands for this machine, as provisioner and post-processor; and what shell shares with it.
#include <unistd.h>

#include <algorithm>
#include <array>

#include "base/text.h"
#include "plan/components.h"

namespace kiln::plan {

namespace {

/// Names that would change the shell itself.
bool env_name_is_bad(const std::string& name) {
  const auto word = [](unsigned char c) { return std::isalnum(c) != 0 || c == '_'; };
  return name.empty() || std::isdigit(static_cast<unsigned char>(name[0])) != 0 ||
         !std::all_of(name.begin(), name.end(), word);
}

/// Variables that every script gets, unless the template sets them.
void add_build_variables(const tmpl::Build& build, std::vector<EnvVar>& env) {
  const auto add = [&](const char* name, const std::string& value) {
    if (std::none_of(env.begin(), env.end(), [&](const EnvVar& v) { return v.name == name; }))
      env.push_back({name, value});
  };
  add("PACKER_BUILDER_TYPE", build.type);
  add("PACKER_BUILD_NAME", build.source_name);
  std::sort(env.begin(), env.end(), [](const EnvVar& a, const EnvVar& b) { return a.name < b.name; });
}

/// Lines of text to run: command or inline.
std::optional<HostScript> read_lines(tmpl::BodyReader& options) {
  const auto command = options.string("command");
  auto lines = options.strings("inline").value_or(std::vector<std::string>());
  const std::string shebang = options.string("inline_shebang").value_or("/bin/sh -e");
  if (command && !command->empty()) lines.insert(lines.begin(), *command);
  if (lines.empty()) return std::nullopt;
  const std::string first = lines.front().starts_with("#!") ? std::string() : "#!" + shebang + "\n";
  return HostScript{{}, first + join(lines, "\n") + "\n"};
}

/// command, inline, script or scripts: exactly one kind.
std::vector<HostScript> read_scripts(tmpl::BodyReader& options, const Surroundings& world) {
  std::vector<HostScript> scripts;
  const bool command = !options.string("command").value_or("").empty();
  const int kinds =
      int{command} + int{options.has("inline")} + int{options.has("script")} + int{options.has("scripts")};
  if (auto lines = read_lines(options)) scripts.push_back(std::move(*lines));
  auto files = options.strings("scripts").value_or(std::vector<std::string>());
  if (const auto file = options.string("script")) files.push_back(*file);
  for (const std::string& file : files) {
    if (::access((world.cwd / file).c_str(), F_OK) != 0)
      options.error(options.has("script") ? "script" : "scripts", "Bad script",
                    fmt::format("'{}': {}.", visible(file), std::strerror(errno)));
    scripts.push_back({file, {}});
  }
  if (kinds != 1 && !has_unknown(options))
    options.error("script", "Exactly one of command, inline, script and scripts",
                  "shell-local needs what to run, in one way.");
  return scripts;
}

}  // namespace

std::vector<EnvVar> read_env(tmpl::BodyReader& options) {
  std::map<std::string, EnvVar> all;
  const auto add = [&](const std::string& option, const std::string& name, std::string value) {
    if (env_name_is_bad(name)) {
      options.error(option, "Bad name of an environment variable", fmt::format("\"{}\" is no name.", visible(name)));
      return;
    }
    all[name] = {name, std::move(value), options.is_sensitive(option)};
  };
  for (const std::string& pair : options.strings("environment_vars").value_or(std::vector<std::string>())) {
    const std::size_t at = pair.find('=');
    if (at == std::string::npos) {
      options.error("environment_vars", "Environment variable not in format 'key=value'",
                    fmt::format("It is \"{}\".", visible(pair)));
      continue;
    }
    add("environment_vars", pair.substr(0, at), pair.substr(at + 1));
  }
  for (const auto& [name, value] : options.string_map("env").value_or(std::map<std::string, std::string>()))
    add("env", name, value);
  std::vector<EnvVar> sorted;
  sorted.reserve(all.size());
  for (auto& [name, var] : all) sorted.push_back(std::move(var));
  return sorted;
}

std::vector<int> read_exit_codes(tmpl::BodyReader& options) {
  std::vector<int> codes;
  for (const std::int64_t code : options.integers("valid_exit_codes").value_or(std::vector<std::int64_t>{0})) {
    codes.push_back(static_cast<int>(code));
  }
  return codes;
}

std::optional<HostStep> read_host_command(tmpl::BodyReader& options, const tmpl::Build& build,
                                          const Surroundings& world) {
  HostStep step{.type = "shell-local"};
  step.env = read_env(options);
  add_build_variables(build, step.env);
  step.valid_exit_codes = read_exit_codes(options);
  step.scripts = read_scripts(options, world);
  step.execute = options.strings("execute_command").value_or(std::vector<std::string>());
  // Packer's own has {{.Vars}} before it; here the variables are in the environment already, where ps does not show
  // them.
  if (step.execute.empty()) step.execute = {"/bin/sh", "-c", "{{.Script}}"};
  step.env_var_format = options.string("env_var_format").value_or("%s='%s' ");
  step.temp_extension = options.string("tempfile_extension").value_or("");
  step.only_on = options.strings("only_on").value_or(std::vector<std::string>());
  constexpr std::array kSystems = {"darwin", "freebsd", "linux", "openbsd", "solaris", "windows"};
  for (const std::string& name : step.only_on) {
    if (std::find(kSystems.begin(), kSystems.end(), name) == kSystems.end())
      options.error("only_on", "Unknown operating system",
                    fmt::format("\"{}\" is none of darwin, freebsd, linux, openbsd, solaris, windows.", visible(name)));
  }
  options.ignore({"use_linux_pathing"});  // for Windows
  if (step.scripts.empty()) return std::nullopt;
  return step;
}

}  // namespace kiln::plan
