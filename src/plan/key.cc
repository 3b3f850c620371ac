// Keys: what of a step decides whether it must run again. See docs/step-keys.md.
#include <algorithm>

#include "base/text.h"
#include "plan/seal.h"

namespace kiln::plan {

namespace {

void frame(Sha256& hash, std::string_view text) {
  hash.update(fmt::format("{}:", text.size()));
  hash.update(text);
}

std::string numbers(const std::vector<int>& values) {
  std::vector<std::string> parts;
  parts.reserve(values.size());
  for (const int v : values) parts.push_back(std::to_string(v));
  std::sort(parts.begin(), parts.end());
  return join(parts, ",");
}

void describe_one(const BaseStep& s, const Surroundings& /*world*/, const Seal& seal, Description& d) {
  d.add("base", s.ref.text);
  d.add("pin", seal.rendered(s.pin));
}

void describe_one(const RunStep& s, const Surroundings& world, const Seal& seal, Description& d) {
  d.add("script " + s.script_name, s.late_script.empty() ? seal.fingerprint(s.script) : "read when it runs");
  d.add("path", s.remote_path);
  d.add("execute_command", s.execute_command);
  for (const EnvVar& var : s.env) d.add("env " + var.name, seal.value_of(var));
  if (!s.env_var_format.empty()) d.add("env_var_format", s.env_var_format);
  d.add("user", s.user);
  d.add("valid_exit_codes", numbers(s.valid_exit_codes));
  d.add("expect_disconnect", s.expect_disconnect ? "yes" : "no");
  d.add("skip_clean", s.skip_clean ? "yes" : "no");
  d.add("use_env_var_file", s.use_env_var_file ? "yes" : "no");
  d.add("network", world.network);
  d.add("strict", world.strict ? "yes" : "no");
  d.add("keep", join(world.keep, ","));
}

void describe_one(const CopyStep& s, const Surroundings& world, const Seal& seal, Description& d) {
  for (const CopyItem& item : s.items) {
    const std::string from = item.source.empty() ? "content" : item.source.filename().string();
    const std::string content = item.late             ? "read when it runs"
                                : item.source.empty() ? seal.fingerprint(item.content)
                                                      : item.digest.hex();
    d.add(fmt::format("upload {} to {}", from, item.destination), content + (item.contents ? "/" : ""));
  }
  d.add("keep", join(world.keep, ","));
}

void describe_one(const FetchStep& s, const Surroundings& /*world*/, const Seal& /*seal*/, Description& d) {
  d.add("source", s.source);
}

void describe_one(const HostStep& s, const Surroundings& /*world*/, const Seal& seal, Description& d) {
  d.add("type", s.type);
  d.add("execute", join(s.execute, "\n"));
  for (const HostScript& script : s.scripts) {
    if (script.written.empty()) d.add("script", seal.fingerprint(script.text));
    if (!script.written.empty()) d.add("script file", script.written.native());
  }
  for (const EnvVar& var : s.env) d.add("env " + var.name, seal.value_of(var));
}

void describe_one(const BootStep& s, const Surroundings& /*world*/, const Seal& /*seal*/, Description& d) {
  d.add("boot script", sha256(s.script).hex());
  d.add("cloud", s.cloud);
  d.add("kernel options", s.kernel_options);
  d.add("bios", s.bios ? "yes" : "no");
  d.add("uefi", s.uefi ? "yes" : "no");
}

void describe_one(const PackStep& s, const Surroundings& /*world*/, const Seal& /*seal*/, Description& d) {
  d.add("format", s.format);
  for (const std::string& change : s.changes) d.add("change", change);
  d.add("tags", join(s.tags, ","));
  d.add("author", s.author);
  d.add("message", s.message);
  if (s.files.empty()) return;
  d.add("disk size", std::to_string(s.disk_bytes));
  for (const DiskFile& file : s.files) d.add("disk format " + file.format, "yes");
}

void describe_one(const PostStep& s, const Surroundings& world, const Seal& seal, Description& d) {
  d.add("type", s.type);
  d.add("options", seal.rendered(s.options));
  for (const EnvVar& var : s.secrets) d.add("secret " + var.name, seal.value_of(var));
  if (s.host) describe_one(*s.host, world, seal, d);
}

/// The last look at a field, whatever it is: a secret in its name is sealed with the value.
void seal_field(std::pair<std::string, std::string>& field, const Seal& seal) {
  auto& [name, value] = field;
  if (seal.hides(std::string_view(name))) {
    value = seal.sealed(name + "\n" + value);
    name = seal.masked(name);
  } else if (seal.hides(std::string_view(value))) {
    value = seal.sealed(value);
  }
}

constexpr std::string_view kKinds[] = {"base", "run", "copy", "fetch", "host", "boot", "pack", "post-process"};
static_assert(std::size(kKinds) == std::variant_size_v<What>);

/// "script a.sh" changed, is new, is gone: one clause of an explanation.
std::string clause(const std::string& name, const std::string* before, const std::string* now) {
  if (before == nullptr) return name + " is new";
  if (now == nullptr) return name + " is gone";
  return name + " changed";
}

}  // namespace

Digest Description::hash() const {
  Sha256 hash;
  for (const auto& [name, value] : fields) {
    frame(hash, name);
    frame(hash, value);
  }
  return hash.finish();
}

Json Description::to_json() const {
  Json list = Json::array();
  for (const auto& [name, value] : fields) list.push_back(Json::array({name, value}));
  return list;
}

Description Description::from_json(const Json& value) {
  Description d;
  if (!value.is_array()) return d;
  for (const Json& pair : value) {
    if (pair.is_array() && pair.size() == 2 && pair[0].is_string() && pair[1].is_string()) {
      d.add(pair[0].get<std::string>(), pair[1].get<std::string>());
    }
  }
  return d;
}

std::string explain(const Description& before, const Description& now) {
  const auto find = [](const Description& d, const std::string& name) -> const std::string* {
    for (const auto& [n, v] : d.fields) {
      if (n == name) return &v;
    }
    return nullptr;
  };
  std::vector<std::string> clauses;
  for (const auto& [name, value] : now.fields) {
    const std::string* old = find(before, name);
    if (old == nullptr || *old != value) clauses.push_back(clause(name, old, &value));
  }
  for (const auto& [name, value] : before.fields) {
    if (find(now, name) == nullptr) clauses.push_back(clause(name, &value, nullptr));
  }
  return join(clauses, "; ");
}

std::string_view kind_of(const What& what) {
  return kKinds[what.index()];
}

bool makes_layer(std::string_view kind) {
  return kind == "base" || kind == "run" || kind == "copy" || kind == "boot";
}

Description describe(const What& what, const Surroundings& world, std::span<const std::string> own) {
  const Seal seal(world, own);
  Description d;
  d.add("format", std::string(kKeyVersion));
  d.add("kind", std::string(kind_of(what)));
  d.add("architecture", "amd64");
  const std::size_t first = d.fields.size();
  std::visit([&](const auto& step) { describe_one(step, world, seal, d); }, what);
  for (std::size_t i = first; i < d.fields.size(); ++i) seal_field(d.fields[i], seal);
  return d;
}

Digest key_of(const Description& description, const std::vector<Digest>& parent_keys) {
  Sha256 hash;
  frame(hash, description.hash().hex());
  for (const Digest& key : parent_keys) frame(hash, key.hex());
  return hash.finish();
}

}  // namespace kiln::plan
