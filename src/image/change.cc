#include <algorithm>

#include "base/json.h"
#include "base/text.h"
#include "image/image.h"
#include "image/word.h"

namespace kiln::image {

namespace {

/// What a list of instructions has done so far, beyond the configuration itself.
struct Changes {
  Config& config;
  bool cmd_set = false;
};

using Strings = std::vector<std::string>;

/// The JSON form: a list of strings. Nothing when the text has another form; a list of other things is an error.
Result<std::optional<Strings>> parse_json_form(std::string_view rest) {
  if (!rest.starts_with('[')) return std::optional<Strings>();
  auto json = parse_json(rest);
  if (!json || !json->is_array()) return std::optional<Strings>();
  const auto is_string = [](const Json& item) { return item.is_string(); };
  if (!std::all_of(json->begin(), json->end(), is_string)) {
    return error(Errc::usage, "a list in brackets may hold strings in double quotes only");
  }
  return std::optional(json->get<Strings>());
}

/// A command as it stands in the configuration: a list, or a line for the image's shell.
Result<Strings> parse_command(const Config& config, std::string_view rest) {
  const auto list = TRY(parse_json_form(rest));
  if (list) return *list;
  Strings command = {"/bin/sh", "-c"};
  const auto shell = config.other.is_object() ? config.other.find("Shell") : config.other.end();
  if (shell != config.other.end() && shell->is_array() && !shell->empty()) command = shell->get<Strings>();
  command.emplace_back(rest);
  return command;
}

/// "A=1 B='2 3'", or the old form "A the rest of the line".
Result<std::vector<std::pair<std::string, std::string>>> parse_pairs(const Config& config, std::string_view rest) {
  std::vector<std::pair<std::string, std::string>> pairs;
  const Strings words = split_words(rest);
  if (words.empty()) return error(Errc::usage, "needs NAME=VALUE");
  if (words[0].find('=') == std::string::npos) {
    const std::string_view value = trim(rest.substr(words[0].size()));
    if (value.empty()) return error(Errc::usage, "'{}' has no value (NAME=VALUE)", words[0]);
    pairs.emplace_back(words[0], value);
  } else {
    for (const std::string& word : words) {
      const std::size_t equals = word.find('=');
      if (equals == std::string::npos) return error(Errc::usage, "'{}' has no '=' (NAME=VALUE)", word);
      pairs.emplace_back(word.substr(0, equals), word.substr(equals + 1));
    }
  }
  for (auto& [name, value] : pairs) {
    name = TRY(expand_word(name, config.env));
    value = TRY(expand_word(value, config.env));
    if (name.empty()) return error(Errc::usage, "a name is empty");
  }
  return pairs;
}

void insert_sorted(Strings& list, const std::string& item) {
  const auto at = std::lower_bound(list.begin(), list.end(), item);
  if (at == list.end() || *at != item) list.insert(at, item);
}

Result<unsigned> parse_port(std::string_view text) {
  unsigned port = 0;
  for (const char c : text) {
    if (c < '0' || c > '9' || port > 65535) return error(Errc::usage, "'{}' is not a port", text);
    port = port * 10 + static_cast<unsigned>(c - '0');
  }
  if (text.empty() || port == 0 || port > 65535) return error(Errc::usage, "'{}' is not a port", text);
  return port;
}

/// "80", "80/udp", "8000-8010/tcp".
Result<> expose(Config& config, const std::string& spec) {
  const std::size_t slash = spec.find('/');
  std::string protocol = slash == std::string::npos ? "tcp" : spec.substr(slash + 1);
  std::transform(protocol.begin(), protocol.end(), protocol.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  if (protocol != "tcp" && protocol != "udp" && protocol != "sctp") {
    return error(Errc::usage, "'{}': the protocol is tcp, udp or sctp", spec);
  }
  const std::string ports = spec.substr(0, slash);
  const std::size_t dash = ports.find('-');
  const unsigned first = TRY(parse_port(ports.substr(0, dash)));
  const unsigned last = dash == std::string::npos ? first : TRY(parse_port(ports.substr(dash + 1)));
  if (last < first) return error(Errc::usage, "'{}' is not a range of ports", spec);
  for (unsigned port = first; port <= last; ++port) {
    insert_sorted(config.exposed_ports, fmt::format("{}/{}", port, protocol));
  }
  return {};
}

Result<> change_cmd(Changes& changes, std::string_view rest) {
  changes.config.cmd = TRY(parse_command(changes.config, rest));
  changes.cmd_set = true;
  return {};
}

Result<> change_entrypoint(Changes& changes, std::string_view rest) {
  Strings command = TRY(parse_command(changes.config, rest));
  const bool resets = command.empty();
  changes.config.entrypoint = resets ? std::nullopt : std::optional(std::move(command));
  if (!changes.cmd_set) changes.config.cmd.reset();  // the base's arguments were meant for the base's program
  return {};
}

Result<> change_env(Changes& changes, std::string_view rest) {
  for (auto& [name, value] : TRY(parse_pairs(changes.config, rest))) changes.config.env[name] = value;
  return {};
}

Result<> change_label(Changes& changes, std::string_view rest) {
  for (auto& [name, value] : TRY(parse_pairs(changes.config, rest))) changes.config.labels[name] = value;
  return {};
}

Result<> change_expose(Changes& changes, std::string_view rest) {
  for (const std::string& word : split_words(rest)) {
    const std::string spec = TRY(expand_word(word, changes.config.env));
    TRY(expose(changes.config, spec));
  }
  return {};
}

Result<> change_on_build(Changes& changes, std::string_view rest) {
  std::string first(rest.substr(0, rest.find_first_of(" \t")));
  std::transform(first.begin(), first.end(), first.begin(),
                 [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; });
  for (const char* forbidden : {"ONBUILD", "FROM", "MAINTAINER"}) {
    if (first == forbidden) return error(Errc::usage, "{} cannot be a trigger", first);
  }
  changes.config.on_build.emplace_back(rest);
  return {};
}

Result<> change_user(Changes& changes, std::string_view rest) {
  if (split_words(rest).size() != 1) return error(Errc::usage, "needs exactly one argument");
  changes.config.user = TRY(expand_word(rest, changes.config.env));
  return {};
}

Result<> change_volume(Changes& changes, std::string_view rest) {
  const auto list = TRY(parse_json_form(rest));
  for (const std::string& word : list ? *list : split_words(rest)) {
    const std::string path = TRY(expand_word(word, changes.config.env));
    if (path.empty()) return error(Errc::usage, "a path is empty");
    insert_sorted(changes.config.volumes, path);
  }
  return {};
}

Result<> change_working_dir(Changes& changes, std::string_view rest) {
  const fs::path wanted = TRY(expand_word(rest, changes.config.env));
  if (wanted.empty()) return error(Errc::usage, "a path is empty");
  const fs::path before = changes.config.working_dir.empty() ? "/" : changes.config.working_dir;
  std::string clean = (fs::path("/") / before / wanted).lexically_normal().string();
  while (clean.size() > 1 && clean.ends_with('/')) clean.pop_back();
  changes.config.working_dir = clean;
  return {};
}

struct Instruction {
  const char* name;
  Result<> (*apply)(Changes& changes, std::string_view rest);
};
constexpr Instruction kInstructions[] = {
    {"CMD", change_cmd},       {"ENTRYPOINT", change_entrypoint}, {"ENV", change_env},
    {"EXPOSE", change_expose}, {"LABEL", change_label},           {"ONBUILD", change_on_build},
    {"USER", change_user},     {"VOLUME", change_volume},         {"WORKDIR", change_working_dir},
};

/// Joins lines that end in a backslash.
std::string joined_lines(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    std::size_t end = i;
    if (text[i] == '\\') {
      end = text.find_first_not_of(" \t\r", i + 1);
      if (end != std::string_view::npos && text[end] == '\n') {
        i = end;
        continue;
      }
    }
    out += text[i];
  }
  return out;
}

Result<> apply_text(Changes& changes, std::string_view text) {
  const std::string line = joined_lines(text);
  const std::string_view instruction = trim(line);
  const std::size_t end = std::min(instruction.find_first_of(" \t"), instruction.size());
  std::string name(instruction.substr(0, end));
  std::transform(name.begin(), name.end(), name.begin(),
                 [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; });
  const std::string_view rest = trim(instruction.substr(end));
  const auto it = std::find_if(std::begin(kInstructions), std::end(kInstructions),
                               [&name](const Instruction& known) { return name == known.name; });
  if (it == std::end(kInstructions)) {
    std::vector<std::string> known;
    for (const Instruction& each : kInstructions) known.emplace_back(each.name);
    return error(Errc::usage, "change '{}': '{}' is not one of {}", visible(text), visible(name), join(known, ", "));
  }
  Result<> done = rest.empty() ? Result<>(error(Errc::usage, "needs an argument")) : it->apply(changes, rest);
  return std::move(done).context("change '{}'", visible(text));
}

}  // namespace

Result<> apply_change(Config& config, std::string_view instruction) {
  Changes changes{config};
  return apply_text(changes, instruction);
}

Result<> apply_changes(Config& config, const std::vector<std::string>& instructions) {
  Changes changes{config};
  for (const std::string& instruction : instructions) TRY(apply_text(changes, instruction));
  return {};
}

}  // namespace kiln::image
