// Provisioners: shell, file, shell-local, breakpoint, sleep, hcp-sbom.
#include <sys/stat.h>

#include <algorithm>

#include "base/file.h"
#include "base/text.h"
#include "plan/components.h"
#include "plan/shell.h"
#include "plan/types.h"

namespace kiln::plan {

namespace {

constexpr std::string_view kDefaultExecute = "chmod +x {{.Path}}; {{.Vars}} {{.Path}}";
constexpr std::string_view kDefaultExecuteEnvFile = "chmod +x {{.Path}}; . {{.EnvVarFile}} && {{.Path}}";

struct Reading {
  const tmpl::Build& build;
  const tmpl::Provisioner& provisioner;
  const Before& before;
  const Surroundings& world;
  tmpl::BodyReader& options;
};

struct Script {
  std::string name, text;
  fs::path late;  // read when the step runs
};

/// inline, script or scripts: exactly one kind. Scripts are read now, since their content is in the key, unless a host
/// step before may still write them.
std::vector<Script> read_scripts(Reading& r, bool binary) {
  std::vector<Script> scripts;
  const auto lines = r.options.strings("inline").value_or(std::vector<std::string>());
  auto files = r.options.strings("scripts").value_or(std::vector<std::string>());
  const auto file = r.options.string("script");
  const std::string shebang = r.options.string("inline_shebang").value_or("/bin/sh -e");
  if (int{!lines.empty()} + int{!files.empty()} + int{file.has_value()} != 1) {
    if (!has_unknown(r.options)) {
      r.options.error("script", "Exactly one of inline, script and scripts",
                      fmt::format("The {} provisioner needs what to run, in one way.", r.provisioner.type));
    }
    return scripts;
  }
  if (file) files.push_back(*file);
  if (!lines.empty()) {
    std::string text = lines.front().starts_with("#!") ? std::string() : "#!" + shebang + "\n";
    scripts.push_back({"inline", text + join(lines, "\n") + "\n", {}});
  }
  for (const std::string& path : files) {
    auto text = kiln::read_file(r.world.cwd / path);
    if (!text) {
      r.options.error(file ? "script" : "scripts", "Cannot read a script", text.error().text() + ".");
      continue;
    }
    scripts.push_back({fs::path(path).filename().native(), binary ? *text : replace_all(*text, "\r\n", "\n"), {}});
    if (r.before.host_may_write) scripts.back().late = r.world.cwd / path;
  }
  return scripts;
}

/// The variables that every script may ask for; only given where the script or a file before it names them, so that
/// sources share their steps (design section 5).
void add_build_variables(const Reading& r, const std::string& script, std::vector<EnvVar>& env) {
  if (!mentions_build(script) && !mentions_build(r.before.uploaded_text)) return;
  const auto add = [&](const char* name, const std::string& value) {
    const auto same = [&](const EnvVar& v) { return v.name == name; };
    if (std::none_of(env.begin(), env.end(), same)) env.push_back({name, value});
  };
  add("PACKER_BUILDER_TYPE", r.build.type);
  add("PACKER_BUILD_NAME", r.build.source_name);
  std::sort(env.begin(), env.end(), [](const EnvVar& a, const EnvVar& b) { return a.name < b.name; });
}

std::string remote_path(Reading& r) {
  const std::string folder = r.options.string("remote_folder").value_or("/tmp");
  const std::string file = r.options.string("remote_file").value_or("script.sh");
  return r.options.string("remote_path").value_or(folder + "/" + file);
}

std::vector<Part> read_shell(Reading& r) {
  const bool binary = r.options.boolean("binary").value_or(false);
  RunStep step;
  step.binary = binary;
  step.env = read_env(r.options);
  step.remote_path = remote_path(r);
  step.use_env_var_file = r.options.boolean("use_env_var_file").value_or(false);
  step.execute_command = r.options.string("execute_command")
                             .value_or(std::string(step.use_env_var_file ? kDefaultExecuteEnvFile : kDefaultExecute));
  for (const std::string& name : unknown_placeholders(step.execute_command)) {
    r.options.error("execute_command", "Unknown name in execute_command",
                    fmt::format("{{{{{}}}}} is none of {{{{.Vars}}}}, {{{{.Path}}}} and {{{{.EnvVarFile}}}}.", name));
  }
  step.expect_disconnect = r.options.boolean("expect_disconnect").value_or(false);
  step.skip_clean = r.options.boolean("skip_clean").value_or(false);
  step.valid_exit_codes = read_exit_codes(r.options);
  step.max_retries = r.provisioner.max_retries;
  step.timeout = r.provisioner.timeout.value_or(Duration(0));
  step.env_var_format = r.options.string("env_var_format").value_or("");
  for (const char* not_waited_for : {"start_retry_timeout", "pause_after"}) (void)r.options.duration(not_waited_for);
  std::vector<Part> parts;
  for (Script& script : read_scripts(r, binary)) {
    RunStep one = step;
    add_build_variables(r, script.late.empty() ? script.text : "PACKER_BUILD_NAME", one.env);
    if (script.late.empty()) one.script = std::move(script.text);
    one.late_script = script.late;
    one.script_name = script.name;
    const std::string label = r.provisioner.name.empty() ? script.name : r.provisioner.name;
    parts.push_back({std::move(one), "shell: " + label});
  }
  return parts;
}

std::optional<CopyItem> read_upload(Reading& r, const std::string& source, const std::string& destination) {
  CopyItem item;
  item.contents = source.ends_with('/');
  item.source = r.world.cwd / source;
  item.destination = destination;
  struct stat st {};
  if (::stat(item.source.c_str(), &st) != 0) {
    item.late = true;
    if (r.options.boolean("generated").value_or(false)) return item;
    r.options.error("source", "Bad source", fmt::format("{}: {}.", visible(source), std::strerror(errno)));
    return std::nullopt;
  }
  if (item.contents) item.source = item.source.parent_path();
  item.late = r.before.host_may_write;
  if (item.late || !r.world.file_digest) return item;
  constexpr std::uint32_t kKeptModeBits = 0755;  // of what the image gets (sandbox/sandbox.h, Upload)
  auto digest = tree_digest(item.source, r.world.file_digest, kKeptModeBits);
  if (!digest) {
    r.options.error("source", "Cannot read a source", digest.error().text() + ".");
    return std::nullopt;
  }
  item.digest = *digest;
  return item;
}

std::vector<Part> read_file_provisioner(Reading& r) {
  const std::string direction = r.options.string("direction").value_or("upload");
  const std::string destination = r.options.string("destination").value_or("");
  auto sources = r.options.strings("sources").value_or(std::vector<std::string>());
  const auto source = r.options.string("source");
  const auto content = r.options.string("content");
  r.options.boolean("generated").value_or(false);
  if (has_unknown(r.options)) return {};
  if (destination.empty()) r.options.error("destination", "Missing required argument", "Say where the file goes.");
  if (direction != "upload" && direction != "download") {
    r.options.error("direction", "Direction must be one of: download, upload",
                    fmt::format("It is \"{}\".", visible(direction)));
  }
  if (source) sources.push_back(*source);
  if (sources.empty() == !content.has_value()) {
    r.options.error("source", "Exactly one of source, sources and content", "Say what is to be copied, in one way.");
    return {};
  }
  if (direction == "download") {
    std::vector<Part> parts;
    parts.reserve(sources.size());
    for (const std::string& path : sources) {
      parts.push_back({FetchStep{path, r.world.cwd / destination}, "file: download " + path});
    }
    return parts;
  }
  CopyStep step;
  if (content) step.items.push_back({{}, *content, destination, false, sha256(*content)});
  for (const std::string& path : sources) {
    if (auto item = read_upload(r, path, destination)) step.items.push_back(std::move(*item));
  }
  if (step.items.empty()) return {};
  const std::string what = content ? "content" : fs::path(sources.front()).filename().native();
  const std::string shown = content ? what : (what.empty() ? sources.front() : what);
  return {{std::move(step), fmt::format("file: {} to {}", shown, destination)}};
}

/// What every provisioner may have, for one that runs on this machine.
HostStep with_general(HostStep step, const tmpl::Provisioner& provisioner) {
  step.pause_before = provisioner.pause_before.value_or(Duration(0));
  step.max_retries = provisioner.max_retries;
  step.timeout = provisioner.timeout.value_or(Duration(0));
  return step;
}

std::vector<Part> read_shell_local(Reading& r) {
  auto host = read_host_command(r.options, r.build, r.world);
  if (!host) return {};
  return {{with_general(std::move(*host), r.provisioner), "shell-local"}};
}

std::vector<Part> read_breakpoint(Reading& r) {
  HostStep step{.type = "breakpoint"};
  step.note = r.options.string("note").value_or("");
  step.disabled = r.options.boolean("disable").value_or(false);
  return {{with_general(std::move(step), r.provisioner), "breakpoint"}};
}

std::vector<Part> read_sleep(Reading& r) {
  HostStep step{.type = "sleep"};
  step.duration = r.options.duration("duration").value_or(Duration(0));
  return {{with_general(std::move(step), r.provisioner), "sleep"}};
}

/// A list of the parts of the image, made by a script in it, is brought out; there is no service to send it to.
std::vector<Part> read_sbom(Reading& r) {
  const auto source = r.options.string("source");
  const auto destination = r.options.string("destination");
  const std::string name = r.options.string("sbom_name").value_or("sbom");
  r.options.ignore({"scan_path", "scanner_args", "scanner_url", "scanner_checksum", "execute_command"});
  if (r.options.boolean("auto_generate").value_or(false)) {
    r.options.error("auto_generate", "kiln generates no SBOM",
                    "Make it with a shell provisioner and name its file as \"source\".");
  } else if (!source && !has_unknown(r.options)) {
    r.options.error("source", "Missing required argument", "hcp-sbom needs \"source\": a file in the image.");
  }
  const auto plain = [](unsigned char c) { return std::isalnum(c) != 0 || c == '-' || c == '_'; };
  if (name.size() < 3 || name.size() > 36 || !std::all_of(name.begin(), name.end(), plain))
    r.options.error("sbom_name", "Bad name of an SBOM", "It has 3 to 36 letters, digits, \"-\" and \"_\".");
  if (!source) return {};
  const fs::path fallback = r.world.output_dir / fmt::format("{}-{}.json", r.build.source_name, name);
  return {{FetchStep{*source, destination ? r.world.cwd / *destination : fallback}, "hcp-sbom: " + *source}};
}

using PartReader = std::vector<Part> (*)(Reading&);

const std::map<std::string, PartReader>& part_readers() {
  static const std::map<std::string, PartReader> table = {
      {"shell", read_shell},           {"file", read_file_provisioner}, {"shell-local", read_shell_local},
      {"breakpoint", read_breakpoint}, {"sleep", read_sleep},           {"hcp-sbom", read_sbom}};
  return table;
}

}  // namespace

std::vector<std::string> provisioner_types() {
  std::vector<std::string> names;
  for (const auto& [name, reader] : part_readers()) names.push_back(name);
  return names;
}

bool mentions_build(std::string_view text) {
  return text.find("PACKER_BUILD") != std::string_view::npos;  // PACKER_BUILD_NAME and PACKER_BUILDER_TYPE
}

tmpl::BuildValues build_values(const tmpl::Build& build, const Surroundings& world) {
  tmpl::BuildValues values = {{"ID", build.source_name},
                              {"Host", "localhost"},
                              {"Port", "0"},
                              {"User", "root"},
                              {"ConnType", build.type == "docker" ? "docker" : "ssh"},
                              {"PackerRunUUID", world.run_id}};
  for (const char* none : {"Password", "PackerHTTPIP", "PackerHTTPPort", "PackerHTTPAddr", "SSHPublicKey",
                           "SSHPrivateKey", "WinRMPassword"}) {
    values[none] = "";
  }
  return values;
}

void report_unknown(tmpl::BodyReader& options, const Surroundings& world) {
  if (!world.pin_base) return;  // only checked: Packer may have the value
  const auto unknown = options.unknown();
  for (const std::string& name : unknown) {
    options.error(
        name, "Value not known without a machine",
        "It needs a value of build.* that only a running machine has; kiln has ID, Host, Port, User, ConnType "
        "and PackerRunUUID.");
  }
}

std::vector<Part> read_provisioner(const tmpl::Build& build, const tmpl::Provisioner& provisioner, const Before& before,
                                   const Surroundings& world, tmpl::Diagnostics& diagnostics) {
  const auto reader = part_readers().find(provisioner.type);
  if (reader == part_readers().end()) {
    const std::vector<std::string> known = provisioner_types();
    std::string detail = fmt::format("kiln has no provisioner \"{}\"; it has {}.", provisioner.type, join(known, ", "));
    if (const auto guess = nearest(provisioner.type, known)) detail += fmt::format(" Did you mean \"{}\"?", *guess);
    diagnostics.push_back({tmpl::Severity::error, "Unknown provisioner type", detail, provisioner.range, {}});
    return {};
  }
  const auto values = build_values(build, world);
  const auto body = provisioner.decode(diagnostics, &values);
  if (!body) return {};
  tmpl::BodyReader options(*body, diagnostics, fmt::format("provisioner \"{}\"", provisioner.type));
  Reading reading{build, provisioner, before, world, options};
  auto parts = reader->second(reading);
  for (Part& part : parts) part.secrets = options.secrets();
  report_unknown(options, world);
  options.finish();
  return parts;
}

}  // namespace kiln::plan
