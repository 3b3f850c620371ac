#include "template/fix.h"

#include <re2/re2.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <vector>

#include "base/text.h"
#include "template/go_json.h"

namespace kiln::tmpl {

namespace {

using Change = std::function<void(Json& component)>;

enum class Part : std::uint8_t { builder, provisioner, post_processor };

/// What is done to each component of a part whose type matches the glob.
struct Fix {
  Part part;
  const char* types;
  Change change;
};

/// The value under a name, taken out; null when there is none.
std::optional<Json> take(Json& from, const char* name) {
  const auto it = from.find(name);
  if (it == from.end()) return std::nullopt;
  Json value = std::move(*it);
  from.erase(it);
  return value;
}

Change removed(const std::vector<const char*>& names) {
  return [names](Json& c) {
    for (const char* name : names) c.erase(name);
  };
}

/// Which values a rename is about; others are left as they are, for the component to refuse.
using Wanted = bool (*)(const Json& value);
bool anything(const Json&) {
  return true;
}
bool text(const Json& value) {
  return value.is_string();
}
bool flag(const Json& value) {
  return value.is_boolean();
}

Change renamed(const char* from, const char* to, Wanted wanted = anything) {
  return [from, to, wanted](Json& c) {
    const auto it = c.find(from);
    if (it != c.end() && wanted(*it)) c[to] = *take(c, from);
  };
}

/// What stands under the new name already is kept.
Change renamed_if_new(const char* from, const char* to, Wanted wanted) {
  return [from, to, wanted](Json& c) {
    if (!c.contains(to)) return renamed(from, to, wanted)(c);
    const auto it = c.find(from);
    if (it != c.end() && wanted(*it)) c.erase(it);
  };
}

void replace_in(Json& values, const char* pattern, const char* with) {
  for (Json& value : values) {
    if (value.is_string()) RE2::GlobalReplace(&value.get_ref<std::string&>(), pattern, with);
  }
}

/// Every string that stands directly in the component.
Change replaced(const char* pattern, const char* with) {
  return [pattern, with](Json& c) { replace_in(c, pattern, with); };
}

/// The same, and those in its objects.
Change replaced_inside(const char* pattern, const char* with) {
  return [pattern, with](Json& c) {
    replace_in(c, pattern, with);
    for (Json& value : c) {
      if (value.is_object()) replace_in(value, pattern, with);
    }
  };
}

Change type_renamed(const char* to) {
  return [to](Json& c) { c["type"] = to; };
}

Change override_renamed(const char* from, const char* to) {
  return [from, to](Json& c) {
    const auto it = c.find("override");
    if (it != c.end() && it->is_object()) renamed(from, to)(*it);
  };
}

bool is_text(const Json& c, const char* name) {
  return c.contains(name) && c[name].is_string();
}

void iso_md5(Json& c) {
  if (!is_text(c, "iso_md5")) return;
  c["iso_checksum_type"] = "md5";
  c["iso_checksum"] = *take(c, "iso_md5");
}

void guest_additions(Json& c) {
  if (!c.contains("guest_additions_attach") || !c["guest_additions_attach"].is_boolean()) return;
  if (take(c, "guest_additions_attach")->get<bool>()) c["guest_additions_mode"] = "attach";
}

void vagrant_override(Json& c) {
  Json all = Json::object();
  for (const char* provider : {"aws", "digitalocean", "virtualbox", "vmware"}) {
    const auto it = c.find(provider);
    if (it != c.end()) all[provider] = *take(c, provider);
  }
  if (!all.empty()) c["override"] = std::move(all);
}

void private_ip(Json& c) {
  const auto it = c.find("ssh_private_ip");
  if (it == c.end() || c.contains("ssh_interface")) return;
  const bool wanted = *it == Json(true) || *it == Json("true");
  if (!wanted && *it != Json(false) && *it != Json("false")) return;
  c.erase(it);
  c["ssh_interface"] = wanted ? "private_ip" : "public_ip";
}

void security_group_cidrs(Json& c) {
  if (!is_text(c, "temporary_security_group_source_cidr")) return;
  c["temporary_security_group_source_cidrs"] = Json::array({*take(c, "temporary_security_group_source_cidr")});
}

/// "a,b" or a list of texts; each tag once.
void add_tags(Json& tags, const std::optional<Json>& more) {
  const auto add = [&](const Json& tag) {
    if (std::find(tags.begin(), tags.end(), tag) == tags.end()) tags.push_back(tag);
  };
  if (more && more->is_string()) {
    for (const std::string& part : split(more->get<std::string>(), ',')) add(std::string(trim(part)));
  } else if (more && more->is_array()) {
    for (const Json& tag : *more) add(tag);
  }
}

void docker_tags(Json& c) {
  Json tags = Json::array();
  add_tags(tags, take(c, "tag"));
  add_tags(tags, take(c, "tags"));
  c["tags"] = std::move(tags);
}

std::string without_escapes(std::string text) {
  const std::pair<const char*, const char*> pairs[] = {{"`$", "$"}, {"`\"", "\""}, {"``", "`"}, {"`'", "'"}};
  for (const auto& [from, to] : pairs) text = replace_all(std::move(text), from, to);
  return text;
}

void powershell_escapes(Json& c) {
  for (const char* name : {"elevated_user", "elevated_password"}) {
    const auto it = c.find(name);
    if (it != c.end() && it->is_string()) *it = without_escapes(it->get<std::string>());
  }
  const auto it = c.find("environment_vars");
  if (it == c.end() || !it->is_array()) return;
  for (Json& value : *it) {
    if (value.is_string()) value = without_escapes(value.get<std::string>());
  }
}

/// On an ESX server only thin disks can be compacted.
void vmware_compaction(Json& c) {
  if (json_string(c, "remote_type") != "esx5") return;
  const std::string disk = json_string(c, "disk_type_id");
  if (disk != "thin") c["skip_compaction"] = true;
  if (disk.empty()) c["disk_type_id"] = "zeroedthick";
}

void disk_megabytes(Json& c) {
  const auto it = c.find("disk_size");
  if (it != c.end() && it->is_number()) *it = go_json(std::trunc(it->get<double>())) + "M";
}

void vsphere_parts(Json& c) {
  Json adapter = Json::object();
  Json disk = Json::object();
  for (const char* name : {"network", "network_card"}) {
    if (auto value = take(c, name)) adapter[name] = std::move(*value);
  }
  for (const char* name : {"disk_size", "disk_thin_provisioned", "disk_eagerly_scrub"}) {
    if (auto value = take(c, name)) disk[name] = std::move(*value);
  }
  if (!adapter.empty()) c["network_adapters"] = Json::array({std::move(adapter)});
  if (disk.empty()) return;
  Json disks = Json::array({std::move(disk)});
  if (const auto more = take(c, "storage"); more && more->is_array())
    disks.insert(disks.end(), more->begin(), more->end());
  c["storage"] = std::move(disks);
}

/// Type and address become a part of the sum: "sha256:...", "file:https://...".
void iso_checksum(Json& c) {
  const auto url = take(c, "iso_checksum_url");
  const auto type = take(c, "iso_checksum_type");
  const std::string kind = type && type->is_string() ? type->get<std::string>() : "";
  const std::string sum = json_string(c, "iso_checksum");
  if (url && url->is_string() && *url != Json("")) {
    c["iso_checksum"] = "file:" + url->get<std::string>();
  } else if (!kind.empty() && !sum.empty()) {
    c["iso_checksum"] = kind + ":" + sum;
  }
}

/// In Packer's order: a later row sees what an earlier one made.
const std::vector<Fix>& fixes() {
  static const std::vector<Fix> kFixes = {
      {Part::builder, "*", iso_md5},
      {Part::builder, "*", replaced("{{\\s*\\.CreateTime\\s*}}", "{{timestamp}}")},
      {Part::builder, "virtualbox", guest_additions},
      {Part::post_processor, "vagrant", vagrant_override},
      {Part::builder, "virtualbox", type_renamed("virtualbox-iso")},
      {Part::provisioner, "*", override_renamed("virtualbox", "virtualbox-iso")},
      {Part::builder, "vmware", type_renamed("vmware-iso")},
      {Part::builder, "parallels-{iso,pvm}", removed({"headless", "parallels_tools_host_path"})},
      {Part::builder, "parallels-{iso,pvm}", renamed("guest_os_distribution", "guest_os_type")},
      {Part::builder, "*", renamed_if_new("ssh_key_path", "ssh_private_key_file", text)},
      {Part::builder, "*", renamed("ssh_disable_agent", "ssh_disable_agent_forwarding", flag)},
      {Part::builder, "scaleway", renamed("access_key", "organization_id", text)},
      {Part::post_processor, "manifest", renamed("filename", "output", text)},
      {Part::builder, "amazon-*", renamed("shutdown_behaviour", "shutdown_behavior")},
      {Part::builder, "amazon-*", renamed("enhanced_networking", "ena_support", flag)},
      {Part::builder, "amazon-*", private_ip},
      {Part::builder, "amazon-*", security_group_cidrs},
      {Part::builder, "*", removed({"login_email"})},
      {Part::post_processor, "*", removed({"login_email"})},
      {Part::post_processor, "docker-tag", docker_tags},
      {Part::provisioner, "powershell", powershell_escapes},
      {Part::builder, "vmware-iso", vmware_compaction},
      {Part::builder, "hyperv-iso", removed({"vhd_temp_path"})},
      {Part::builder, "hyperv-vmcx", renamed("clone_from_vmxc_path", "clone_from_vmcx_path")},
      {Part::builder, "hyperv-*", renamed("cpu", "cpus")},
      {Part::builder, "hyperv-*", renamed("ram_size", "memory")},
      {Part::builder, "*", replaced_inside("clean_(image|ami)_name", "clean_resource_name")},
      {Part::builder, "amazon-{ebs,ebssurrogate,ebsvolume,instance}", removed({"spot_price_auto_product"})},
      {Part::builder, "qemu", disk_megabytes},
      {Part::provisioner, "ansible-local", renamed("galaxycommand", "galaxy_command", text)},
      {Part::builder, "virtualbox-*", renamed_if_new("ssh_host_port_min", "host_port_min", anything)},
      {Part::builder, "virtualbox-*", renamed_if_new("ssh_host_port_max", "host_port_max", anything)},
      {Part::builder, "virtualbox-*", renamed_if_new("ssh_skip_nat_mapping", "skip_nat_mapping", flag)},
      {Part::builder, "*", renamed("ssh_wait_timeout", "ssh_timeout", text)},
      {Part::builder, "vsphere-iso", vsphere_parts},
      {Part::builder, "*", iso_checksum},
      {Part::builder, "qemu", renamed("ssh_host_port_min", "host_port_min")},
      {Part::builder, "qemu", renamed("ssh_host_port_max", "host_port_max")},
      {Part::builder, "proxmox", type_renamed("proxmox-iso")},
  };
  return kFixes;
}

/// Components stand in arrays; those of post-processors also in arrays of arrays.
void apply(const Fix& fix, Json& list) {
  if (list.is_object() && glob_match(fix.types, json_string(list, "type"))) fix.change(list);
  if (!list.is_array()) return;
  for (Json& item : list) apply(fix, item);
}

const char* key_of(Part part) {
  if (part == Part::builder) return "builders";
  return part == Part::provisioner ? "provisioners" : "post-processors";
}

}  // namespace

Result<std::string> fixed_template(std::string_view text) {
  Json root = TRY(parse_json(text));
  if (!root.is_object()) return error(Errc::corrupt, "a template is a JSON object");
  for (const Fix& fix : fixes()) {
    const auto it = root.find(key_of(fix.part));
    if (it != root.end()) apply(fix, *it);
  }
  return go_json(root) + "\n";
}

}  // namespace kiln::tmpl
