#include "cloud/registry_config.h"

#include <algorithm>

#include "base/json.h"
#include "base/text.h"
#include "cloud/base64.h"

namespace kiln::cloud {

namespace {

constexpr std::uint64_t kMaxConfigFile = 1 << 20;

/// "https://host/v1/" and "host" are the same key in Docker's file.
std::string host_of_key(std::string_view key) {
  const std::size_t scheme = key.find("://");
  if (scheme != std::string_view::npos) key.remove_prefix(scheme + 3);
  return std::string(key.substr(0, key.find('/')));
}

Result<Credential> read_auth(const Json& entry) {
  Credential credential{json_string(entry, "username"), json_string(entry, "password")};
  const std::string auth = json_string(entry, "auth");
  if (auth.empty()) return credential;
  std::string pair = TRY(from_base64(auth));
  const std::size_t colon = pair.find(':');
  if (colon == std::string::npos) return error(Errc::corrupt, "no colon in it");
  return Credential{pair.substr(0, colon), pair.substr(colon + 1)};
}

// ---- registries.conf: tables, and strings, arrays of strings and booleans as values ----

/// One "key = value" of the file, with the table it stands in.
struct Setting {
  std::string table;
  std::size_t table_number = 0;  // tells one [[registry]] from the next
  std::string key;
  std::vector<std::string> strings;
  bool flag = false;
};

class ConfReader {
 public:
  explicit ConfReader(std::string_view text) : text_(text) {}

  Result<std::vector<Setting>> read() {
    std::vector<Setting> all;
    for (skip(true); at_ < text_.size(); skip(true)) {
      if (text_[at_] == '[') {
        TRY(read_table());
        continue;
      }
      Setting setting = TRY(read_setting());
      all.push_back(std::move(setting));
    }
    return all;
  }

 private:
  Error problem(std::string_view what) const {
    const auto line = 1 + std::count(text_.begin(), text_.begin() + static_cast<std::ptrdiff_t>(at_), '\n');
    return error(Errc::usage, "line {}: {}", line, what);
  }

  bool accept(char c) {
    if (at_ >= text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }

  /// Blanks and comments; line ends too where they mean nothing.
  void skip(bool lines) {
    while (at_ < text_.size()) {
      const char c = text_[at_];
      if (c == '#') {
        at_ = std::min(text_.find('\n', at_), text_.size());
      } else if (c == ' ' || c == '\t' || c == '\r' || (lines && c == '\n')) {
        ++at_;
      } else {
        return;
      }
    }
  }

  Result<> read_table() {
    const std::size_t end = text_.find(']', at_);
    if (end == std::string_view::npos) return problem("a table's name without its \"]\"");
    table_ = trim(text_.substr(at_, end - at_));
    table_.erase(0, table_.find_first_not_of("[ "));
    ++table_number_;
    at_ = end;
    while (accept(']')) {
    }
    return {};
  }

  Result<std::string> read_word() {
    if (at_ < text_.size() && (text_[at_] == '"' || text_[at_] == '\'')) {
      const char quote = text_[at_++];
      const std::size_t end = text_.find_first_of(quote == '"' ? "\"\n" : "'\n", at_);
      if (end == std::string_view::npos || text_[end] != quote) return problem("a string without its end");
      std::string word(text_.substr(at_, end - at_));
      at_ = end + 1;
      if (quote == '"' && word.find('\\') != std::string::npos) return problem("escapes are not read here");
      return word;
    }
    const std::size_t end = std::min(text_.find_first_of(" \t\r\n=,]#", at_), text_.size());
    if (end == at_) return problem("a name or value is missing");
    std::string word(text_.substr(at_, end - at_));
    at_ = end;
    return word;
  }

  Result<Setting> read_setting() {
    Setting setting{.table = table_, .table_number = table_number_};
    setting.key = TRY(read_word());
    skip(false);
    if (!accept('=')) return problem("\"=\" is missing");
    skip(false);
    if (!accept('[')) {
      setting.strings.push_back(TRY(read_word()));
      setting.flag = setting.strings.front() == "true";
      return setting;
    }
    for (skip(true); !accept(']'); skip(true)) {
      if (at_ < text_.size() && text_[at_] == '{') return problem("tables inside a list are not read here");
      setting.strings.push_back(TRY(read_word()));
      skip(true);
      (void)accept(',');
    }
    return setting;
  }

  std::string_view text_;
  std::size_t at_ = 0;
  std::string table_;
  std::size_t table_number_ = 0;
};

/// One [[registry]] table.
struct RegistryTable {
  std::string prefix, location;
  bool insecure = false, blocked = false;
};

void add_table(RegistryConfig& config, const RegistryTable& table) {
  const std::string prefix = table.prefix.empty() ? table.location : table.prefix;
  const std::string location = table.location.empty() ? prefix : table.location;
  // Only whole hosts are mapped; prefixes that go into the path are podman's own affair.
  if (prefix.find('/') == std::string::npos && location.find('/') == std::string::npos && prefix != location) {
    config.locations[prefix] = location;
  }
  if (table.insecure) config.insecure_hosts.push_back(host_of_key(location));
}

Result<> add_file(RegistryConfig& config, const fs::path& path, Result<> (*add)(RegistryConfig&, std::string_view)) {
  auto text = read_file(path, kMaxConfigFile);
  if (!text && text.error().code() == Errc::not_found) return {};
  if (!text) return std::move(text).error();
  return add(config, *text).context("{}", path);
}

}  // namespace

Result<> add_docker_config(RegistryConfig& config, std::string_view text) {
  auto parsed = parse_json(text);  // its message might quote a secret
  if (!parsed || !parsed->is_object()) return error(Errc::usage, "not a JSON object");
  const Json auths = parsed->value("auths", Json::object());
  const Json helpers = parsed->value("credHelpers", Json::object());
  const bool has_store = !json_string(*parsed, "credsStore").empty();
  if (!auths.is_object() || !helpers.is_object()) return error(Errc::usage, "auths or credHelpers is not an object");
  for (const auto& [key, entry] : auths.items()) {
    const std::string host = host_of_key(key);
    auto credential = read_auth(entry);
    if (!credential) return error(Errc::usage, "auths: the entry of {} cannot be read", visible(host));
    if (!credential->user.empty()) {
      config.credentials[host] = std::move(credential).take();
    } else if (has_store) {
      config.hosts_with_helpers.push_back(host);
    }
  }
  for (const auto& [key, entry] : helpers.items()) config.hosts_with_helpers.push_back(host_of_key(key));
  return {};
}

Result<> add_registries_conf(RegistryConfig& config, std::string_view toml) {
  const std::vector<Setting> settings = TRY(ConfReader(toml).read());
  std::map<std::size_t, RegistryTable> tables;
  for (const Setting& s : settings) {
    const std::string value = s.strings.empty() ? std::string() : s.strings.front();
    if (s.table.empty() && s.key == "unqualified-search-registries") config.default_registry = value;
    if (s.table == "aliases" && !value.empty()) config.aliases[s.key] = value;
    if (s.table != "registry") continue;
    RegistryTable& table = tables[s.table_number];
    if (s.key == "prefix") table.prefix = value;
    if (s.key == "location") table.location = value;
    if (s.key == "insecure") table.insecure = s.flag;
  }
  for (const auto& [number, table] : tables) add_table(config, table);
  return {};
}

Result<RegistryConfig> read_registry_config(const RegistryFiles& files) {
  RegistryConfig config;
  for (const fs::path& path : files.registries_conf) {
    std::error_code ignored;
    if (!fs::is_directory(path, ignored)) {
      TRY(add_file(config, path, &add_registries_conf));
      continue;
    }
    const Fd dir = TRY(open_dir(path));
    const std::vector<std::string> names = TRY(list_dir(dir.get()));
    for (const std::string& name : names) {
      if (name.ends_with(".conf")) TRY(add_file(config, path / name, &add_registries_conf));
    }
  }
  if (!files.docker_config.empty()) TRY(add_file(config, files.docker_config, &add_docker_config));
  return config;
}

RegistryFiles usual_registry_files(const std::map<std::string, std::string>& environment) {
  const auto value = [&](const char* name) {
    const auto it = environment.find(name);
    return it == environment.end() ? fs::path() : fs::path(it->second);
  };
  const fs::path home = value("HOME");
  RegistryFiles files;
  if (const fs::path own = value("CONTAINERS_REGISTRIES_CONF"); !own.empty()) {
    files.registries_conf = {own};
  } else {
    files.registries_conf = {"/etc/containers/registries.conf", "/etc/containers/registries.conf.d"};
    if (!home.empty()) files.registries_conf.push_back(home / ".config/containers/registries.conf");
  }
  const fs::path docker = value("DOCKER_CONFIG");
  if (!docker.empty()) {
    files.docker_config = docker / "config.json";
  } else if (!home.empty()) {
    files.docker_config = home / ".docker/config.json";
  }
  return files;
}

Result<Reference> qualify(const RegistryConfig& config, std::string_view name) {
  Reference ref = TRY(parse_reference(name));
  if (!ref.host.empty()) return ref;
  std::string whole;
  if (const auto alias = config.aliases.find(ref.path); alias != config.aliases.end()) {
    whole = alias->second;
  } else if (config.default_registry.empty()) {
    return error(Errc::usage,
                 "the image name \"{}\" names no registry and none is configured: write HOST/{}, or set "
                 "unqualified-search-registries in /etc/containers/registries.conf",
                 ref.text(), ref.text());
  } else {
    // The part behind the host is for one-word names: Docker's own registry keeps those in a folder.
    const bool one_word = ref.path.find('/') == std::string::npos;
    whole = (one_word ? config.default_registry : host_of_key(config.default_registry)) + "/" + ref.path;
  }
  const Reference full = TRY(parse_reference(whole).context("the registry configured for \"{}\"", ref.path));
  if (full.host.empty()) return error(Errc::usage, "the registry configured for \"{}\" has no host", ref.path);
  ref.host = full.host;
  ref.path = full.path;
  return ref;
}

}  // namespace kiln::cloud
